package fuzzy

import (
	"slices"
	"strings"
	"testing"
)

// TestXXH3 has values of other implementations of XXH3, one for each way a
// text is hashed.
func TestXXH3(t *testing.T) {
	const seed = 12345678901234567
	for _, tt := range []struct {
		text           string
		unseeded, want uint64
	}{
		{"", 3244421341483603138, 13263124662754734566},
		{"a", 16629034431890738719, 15548976254802828686},
		{"api", 7975236179696864266, 5355170613864663711},
		{"movie", 4478892297570773498, 10735673146106566256},
		{"movie_card", 1348360581417308711, 7157321243501172024},
		{"movie_card_short_", 13719038303352056109, 6498540863122219194},
		{"movie_card_short_of_the_year_2024_with_more", 2052282669613279333, 2611474491789258324},
		{"a name of sixty-five bytes and more, which takes the longer way round it all", 3430364929683031503, 1528990261318644884},
		{strings.Repeat("x", 128), 5522396673332862231, 1369802365969727999},
	} {
		if got := xxh3(tt.text, 0); got != tt.unseeded {
			t.Errorf("%q: %d, want %d", tt.text, got, tt.unseeded)
		}
		if got := xxh3(tt.text, seed); got != tt.want {
			t.Errorf("%q with a seed: %d, want %d", tt.text, got, tt.want)
		}
	}
	if xxh3(strings.Repeat("x", 500), 0) != xxh3(strings.Repeat("x", 128), 0) {
		t.Error("of long texts the head counts")
	}
}

// TestSortByHash has orders seen in answers of PostgREST: the keys of settings
// that it makes from hash maps.
func TestSortByHash(t *testing.T) {
	for _, want := range [][]string{
		{"c", "b", "a"},
		{"--", "drop table api.genre", "c"},
		{"$$", "drop table api.genre", "c"},
		{"prefer", "content-type", "host", "content-length"},
	} {
		got := slices.Clone(want)
		slices.Sort(got)
		if got = sortByHash(got, func(s string) uint64 { return xxh3(s, 0) }); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestOrderIsFree: sets do not depend on the order their names are given in.
func TestOrderIsFree(t *testing.T) {
	names := []string{"axb", "ayb", "azb", "awb", "avb"}
	backwards := slices.Clone(names)
	slices.Reverse(backwards)
	for _, make := range []func(string, []string) *Set{NewTables, NewRoutines, NewParents} {
		one, other := make("api", names).All("aub", 0.33), make("api", backwards).All("aub", 0.33)
		if len(one) != 5 || !slices.Equal(one, other) {
			t.Errorf("%v and %v", one, other)
		}
	}
}
