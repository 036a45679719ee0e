// Package fuzzy finds the names that are most similar to a word, for the hints
// of errors ("Perhaps you meant the table 'api.movie'").
//
//	names -> New -> Set -> Best or All(word, minimum score) -> matches, best first
//
// Hints are part of PostgREST's responses, so scores are computed like in the
// library that PostgREST uses:
//
//   - A name that equals the word but for letter case is the only match, with
//     score 1.
//   - Otherwise the word and the names are cut into grams of three characters.
//     Characters other than letters, numbers, spaces and commas are left out,
//     and a dash is added at both ends. The cosine between the vectors of gram
//     counts ranks all names that share a gram with the word. The 50 best are
//     scored: 1 minus the edit distance divided by the longer length, both of
//     the complete text.
//   - If no score reaches the minimum, the same is done with grams of two.
//
// Matches with equal cosine and score keep the order of the names. PostgREST
// orders them by the hashes of the names, so its hint may be another one.
//
// A Set builds its index on the first call of Best or All and does not change
// after that. It is safe for concurrent use. MaxNames and MaxLength bound the
// cost of a call. No function fails: a word without a match has no hint.
package fuzzy
