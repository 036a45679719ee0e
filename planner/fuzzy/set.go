package fuzzy

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

const (
	// MaxNames is how many names a Set compares with. It ignores the rest.
	MaxNames = 1 << 15

	// MaxLength is the maximum length in characters of a word or a name. Longer
	// ones have no matches. Names in PostgreSQL have at most 63 bytes, lists of
	// parameters are longer. 50 edit distances of this length take some tens of
	// milliseconds.
	MaxLength = 1024

	// candidates is the number of names that are scored by edit distance.
	candidates = 50
)

// gramSizes are tried in this order until one gives a match.
var gramSizes = [...]int{3, 2}

// Match is a name with its score: 1 if it equals the word but for letter case,
// less otherwise.
type Match struct {
	Score float64
	Name  string
}

// Set is an index of names.
type Set struct {
	once  sync.Once
	names []string // nil once the index is built

	original map[string]string // lower case -> name as it was given
	items    []item
	postings map[gram][]posting
}

// item is one name in lower case, with the magnitude of its gram vector for each
// of gramSizes.
type item struct {
	lower     []rune
	key       string
	magnitude [len(gramSizes)]float64
}

// posting is the number of times a gram occurs in an item.
type posting struct {
	item  int32
	count int32
}

// New returns a Set of names, which may repeat. The order of names is the order
// of matches with equal scores. New does not copy names: the caller must not
// change them before the first call of Best or All has returned.
func New(names []string) *Set { return &Set{names: names} }

// Best returns the first of All.
func (s *Set) Best(word string, minScore float64) (name string, ok bool) {
	matches := s.All(word, minScore)
	if len(matches) == 0 {
		return "", false
	}
	return matches[0].Name, true
}

// All returns the names with a score of at least minScore, the best first.
func (s *Set) All(word string, minScore float64) []Match {
	s.once.Do(s.build)
	if len(word) > MaxLength*4 {
		return nil
	}
	key := toLower(word)
	if name, ok := s.original[key]; ok {
		return []Match{{Score: 1, Name: name}}
	}
	lower := []rune(key)
	if len(lower) > MaxLength {
		return nil
	}
	for i := range gramSizes {
		if matches := s.matches(lower, i, minScore); len(matches) > 0 {
			return matches
		}
	}
	return nil
}

func (s *Set) build() {
	s.original = make(map[string]string, len(s.names))
	s.postings = make(map[gram][]posting)
	for _, name := range s.names[:min(len(s.names), MaxNames)] {
		s.add(name)
	}
	s.names = nil
}

// add indexes a name. Of names that are equal but for letter case the last one
// is suggested.
func (s *Set) add(name string) {
	key := toLower(name)
	lower := []rune(key)
	if len(lower) > MaxLength {
		return
	}
	_, known := s.original[key]
	s.original[key] = name
	if known {
		return
	}
	n := int32(len(s.items))
	it := item{lower: lower, key: key}
	for i, size := range gramSizes {
		counts := countGrams(lower, size)
		it.magnitude[i] = magnitude(counts)
		for g, count := range counts {
			s.postings[g] = append(s.postings[g], posting{n, count})
		}
	}
	s.items = append(s.items, it)
}

// matches compares with grams of gramSizes[sizeIndex].
func (s *Set) matches(word []rune, sizeIndex int, minScore float64) []Match {
	counts := countGrams(word, gramSizes[sizeIndex])
	products := make([]int64, len(s.items))
	var found []candidate
	for g, count := range counts {
		for _, p := range s.postings[g] {
			if products[p.item] == 0 {
				found = append(found, candidate{item: p.item})
			}
			products[p.item] += int64(count) * int64(p.count)
		}
	}
	length := magnitude(counts)
	for i := range found {
		c := &found[i]
		c.score = float64(products[c.item]) / (length * s.items[c.item].magnitude[sizeIndex])
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.item, b.item))
	})
	found = found[:min(len(found), candidates)]
	for i := range found {
		found[i].score = likeness(word, s.items[found[i].item].lower)
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })

	var matches []Match
	for _, c := range found {
		if c.score < minScore {
			break
		}
		matches = append(matches, Match{c.score, s.original[s.items[c.item].key]})
	}
	return matches
}

type candidate struct {
	item  int32
	score float64
}

func magnitude(counts map[gram]int32) float64 {
	var sum int64
	for _, n := range counts {
		sum += int64(n) * int64(n)
	}
	return math.Sqrt(float64(sum))
}
