// Package fuzzy finds the name somebody probably meant, for the hints of errors
// ("Perhaps you meant the table 'api.movie'").
//
//	names of a schema -> Set -> word, minimum score -> names with scores, best first
//
// Hints are part of PostgREST's answers, so the matching is the one of the
// library it uses, down to the order of equals:
//
//   - A word that is a name but for letter case is that name, with score 1.
//   - Otherwise word and names are cut into pieces of three characters (grams),
//     after leaving out all but letters, numbers, spaces and commas and putting
//     a dash at each end. The cosine between the vectors of gram counts ranks
//     the names that share a gram; the 50 best get their score, which is one
//     minus the edit distance over the longer length, of the unabridged text.
//   - If no score reaches the minimum the same is tried with grams of two.
//
// Names are numbered from the last to the first. Names with equal cosine and
// score come in the order of a hash trie over those numbers: by number modulo
// 32, then by number.
//
// A Set is built by the first question it is asked and never changes after
// that; it may be asked from many goroutines. Cost is bounded by MaxNames and
// MaxLength, whatever a client asks.
package fuzzy
