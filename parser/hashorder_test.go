package parser

import (
	"strings"
	"testing"
)

// The order is that of the members of request.headers in recorded responses of PostgREST.
func TestHashOrder(t *testing.T) {
	keys := []string{"prefer", "content-type", "host", "content-length"}
	for i := range keys[1:] {
		if hashOrder(hashKey(nil, keys[i]), hashKey(nil, keys[i+1])) >= 0 {
			t.Errorf("%q does not come before %q", keys[i], keys[i+1])
		}
	}
}

// Hashes that agree in the lowest bits are compared in the first five bits that differ.
func TestHashOrderOfLevels(t *testing.T) {
	for _, test := range []struct {
		x, y uint64
		want int
	}{
		{7, 7, 0}, {1, 2, -1}, {31, 30, 1},
		{2<<5 | 1, 1<<5 | 2, -1}, // the lowest level decides
		{2<<5 | 1, 1<<5 | 1, 1}, {1<<10 | 3<<5, 2<<10 | 3<<5, -1},
		{15 << 60, 1 << 60, 1}, {1 << 63, 7 << 60, 1},
	} {
		if got := hashOrder(test.x, test.y); got != test.want {
			t.Errorf("%#x and %#x: %d, want %d", test.x, test.y, got, test.want)
		}
	}
}

func TestHashKeyAllocations(t *testing.T) {
	prefix := []byte(strings.Repeat("a", 200) + ".")
	if n := testing.AllocsPerRun(100, func() { hashKey(prefix, "limit") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
