package hashorder

import (
	"slices"
	"testing"
)

// TestPlace has orders that PostgREST 16.2 has shown.
func TestPlace(t *testing.T) {
	for _, order := range [][]string{
		{"tasks.limit", "e3.limit"},
		{"e3.limit", "visits.limit"},
		{"c", "b", "a"},
	} {
		sorted := slices.Clone(order)
		slices.Sort(sorted)
		slices.SortFunc(sorted, func(a, b string) int {
			if Place([]byte(a)) < Place([]byte(b)) {
				return -1
			}
			return 1
		})
		if !slices.Equal(sorted, order) {
			t.Errorf("%q, want %q", sorted, order)
		}
	}
}
