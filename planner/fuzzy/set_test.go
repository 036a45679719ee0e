package fuzzy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

func show(matches []Match) string {
	var b strings.Builder
	for i, m := range matches {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %.4f", m.Name, m.Score)
	}
	return b.String()
}

func TestAll(t *testing.T) {
	for _, tt := range []struct {
		names string // separated by bars
		word  string
		want  string
	}{
		{"Jurassic Park|Terminator|The Matrix", "percolator", "Terminator 0.6000"},
		{"Shaggy Rogers|Fred Jones|Daphne Blake|Velma Dinkley", "Shaggy Jones", "Shaggy Rogers 0.7692, Fred Jones 0.5000"},
		{"tea|biscuits|cake|coffee", "covfefe", "coffee 0.7143"},
		{"test|another", "testt", "test 0.8000"},
		{"test|another", "noclosealternative", ""},
		{"(name, param, val)|(attr, id)", "(nam, pqaram, vall)", "(name, param, val) 0.8421"},
		{"(name, param, val)|(attr, id)", "(id)", "(attr, id) 0.4000"},
		{"", "x", ""},
		{"x", "", ""},
		{"|x", "", " 1.0000"},
		{"Foo|bar", "FOO", "Foo 1.0000"},
		{"a_b|ab", "a b", "a_b 0.6667, ab 0.6667"}, // grams leave out the underscore, the score counts it
		{"___|!!!", "?!!", "!!! 0.6667"},           // the only gram is --
		{"movie", "mo", "movie 0.4000"},            // by grams of two
		{"ÜNÏCODE", "ünïcodes", "ÜNÏCODE 0.8750"},
		{"İstanbul", "istanbul", "İstanbul 0.8889"}, // the dot is kept in lower case
		{"💩💩|💩", "💩💩💩", "💩💩 0.6667, 💩 0.3333"},
	} {
		var names []string
		if tt.names != "" {
			names = strings.Split(tt.names, "|")
		}
		if got := show(New(names).All(tt.word, 0.33)); got != tt.want {
			t.Errorf("%q among %q\n got %s\nwant %s", tt.word, names, got, tt.want)
		}
	}
}

// TestOrder: names with equal scores keep their order. Of names that are equal
// but for letter case the last one counts.
func TestOrder(t *testing.T) {
	if got := show(New([]string{"axb", "ayb", "axb"}).All("azb", 0.33)); got != "axb 0.6667, ayb 0.6667" {
		t.Error(got)
	}
	if got := show(New([]string{"ayb", "axb"}).All("azb", 0.33)); got != "ayb 0.6667, axb 0.6667" {
		t.Error(got)
	}
	if got := show(New([]string{"FOO", "foo", "Foo"}).All("foo", 0.33)); got != "Foo 1.0000" {
		t.Error(got)
	}
}

func TestBest(t *testing.T) {
	s := New([]string{"movie", "movies_of_year", "move"})
	for _, tt := range []struct {
		word string
		min  float64
		want string
	}{{"movi", 0.75, "movie"}, {"movo", 0.75, "move"}, {"movies", 0.8, "movie"}, {"movies", 0.9, ""}, {"MOVE", 1, "move"}, {"zzz", 0.1, ""}} {
		if got, ok := s.Best(tt.word, tt.min); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%q at %v: got %q, want %q", tt.word, tt.min, got, tt.want)
		}
	}
}

func TestConcurrent(t *testing.T) {
	s := New([]string{"movie", "person", "venue"})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, _ := s.Best("persons", 0.75); got != "person" {
				t.Error(got)
			}
		})
	}
	wg.Wait()
}

func TestBounds(t *testing.T) {
	long := strings.Repeat("x", MaxLength+1)
	s := New([]string{long, strings.Repeat("x", MaxLength)})
	if got := s.All(long, 0.1); got != nil {
		t.Errorf("a word beyond MaxLength got %d matches", len(got))
	}
	if got := s.All(long[2:], 0.1); len(got) != 1 || len(got[0].Name) != MaxLength {
		t.Errorf("got %d matches", len(got))
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}, {"ab", "ba", 2}, {"aXb", "aYZb", 2}} {
		if got := Distance([]rune(tt.a), []rune(tt.b)); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// plainDistance is the recursive definition. The fuzzer compares distance with it.
func plainDistance(a, b []rune) int {
	if len(a) == 0 || len(b) == 0 {
		return max(len(a), len(b))
	}
	if a[0] == b[0] {
		return plainDistance(a[1:], b[1:])
	}
	return 1 + min(plainDistance(a[1:], b), plainDistance(a, b[1:]), plainDistance(a[1:], b[1:]))
}

func FuzzAll(f *testing.F) {
	for _, seed := range [][2]string{{"movie|person", "movies"}, {"a|A|ä|Ä", "a"}, {"--|,|  ", ""}, {"\xff|İ", "\xfe"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, joined, word string) {
		names := strings.Split(joined, "|")
		matches := New(names).All(word, 0.33)
		last := math.Inf(1)
		for _, m := range matches {
			if m.Score > last || m.Score < 0.33 {
				t.Fatalf("%q among %q: %v", word, names, matches)
			}
			last = m.Score
			if !slices.Contains(names, m.Name) {
				t.Fatalf("%q is not among %q", m.Name, names)
			}
			a, b := []rune(toLower(word)), []rune(toLower(m.Name))
			if len(a) < 7 && len(b) < 7 {
				if got, want := Distance(a, b), plainDistance(a, b); got != want {
					t.Fatalf("%q to %q: %d, want %d", word, m.Name, got, want)
				}
			}
		}
	})
}

func BenchmarkBest(b *testing.B) {
	names := make([]string, 400)
	for i := range names {
		names[i] = fmt.Sprintf("%s_%s_%d", []string{"movie", "person", "screening", "venue"}[i%4], []string{"stats", "detail", "totals"}[i%3], i)
	}
	b.Run("build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			New(names).Best("movi_detail_7", 0.75)
		}
	})
	b.Run("ask", func(b *testing.B) {
		b.ReportAllocs()
		s := New(names)
		for b.Loop() {
			s.Best("movi_detail_7", 0.75)
		}
	})
	b.Run("hostile", func(b *testing.B) {
		b.ReportAllocs()
		s := New(slices.Repeat([]string{strings.Repeat("A", MaxLength)}, candidates))
		word := strings.Repeat("ab", MaxLength/2)
		for b.Loop() {
			s.Best(word, 0.33)
		}
	})
}
