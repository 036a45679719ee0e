package fuzzy

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

const (
	// MaxNames is how many names a Set looks at; of more, the last count.
	// (PostgREST gives up on tables at 500, and has no limit for functions.)
	MaxNames = 1 << 15

	// MaxLength is how long a word or a name may be, in characters, to be
	// compared at all. Names of PostgreSQL end at 63; lists of parameters are
	// longer. Fifty comparisons of this length take some tens of milliseconds.
	MaxLength = 1024

	// candidates is how many names by cosine are looked at more closely.
	candidates = 50
)

// gramSizes are tried in this order until one gives an answer.
var gramSizes = [...]int{3, 2}

// Match is a name with its likeness, 1 being the same but for letter case.
type Match struct {
	Score float64
	Name  string
}

// Set is a collection of names to compare words with.
type Set struct {
	once  sync.Once
	names []string // until built

	original map[string]string // lower case -> name as it was given
	items    []item
	postings map[gram][]posting
}

// item is one name: its lower case, and the length of its vector of grams of
// each size.
type item struct {
	lower     []rune
	key       string
	magnitude [len(gramSizes)]float64
}

// posting says that a gram occurs in an item so many times.
type posting struct {
	item  int32
	count int32
}

// New returns a Set of names. Duplicates do no harm; names must not be changed
// until the first question was answered.
func New(names []string) *Set { return &Set{names: names} }

// Best returns the name most like word, if any scores minScore or more.
func (s *Set) Best(word string, minScore float64) (name string, ok bool) {
	matches := s.All(word, minScore)
	if len(matches) == 0 {
		return "", false
	}
	return matches[0].Name, true
}

// All returns the names that score minScore or more, the best first.
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
	for i := len(s.names) - 1; i >= 0 && len(s.items) < MaxNames; i-- {
		s.add(s.names[i])
	}
	s.names = nil
}

// add numbers a name. A name that is its own lower case is added once. One
// that is not gets a number each time it comes, as in PostgREST; that shows
// where equal names take up places among the candidates.
func (s *Set) add(name string) {
	key := toLower(name)
	lower := []rune(key)
	if known, ok := s.original[key]; ok && known == key || len(lower) > MaxLength {
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
	s.original[key] = name
}

// matches compares with grams of one size.
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
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(trieOrder(a.item), trieOrder(b.item)))
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

// trieOrder is where a number comes in a hash trie of 32-way nodes in which
// each number hashes to itself: the lowest five bits decide first.
func trieOrder(n int32) int32 {
	return n&31<<10 | n>>5&31<<5 | n>>10&31
}

func magnitude(counts map[gram]int32) float64 {
	var sum int64
	for _, n := range counts {
		sum += int64(n) * int64(n)
	}
	return math.Sqrt(float64(sum))
}
