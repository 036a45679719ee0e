package parser

import "testing"

// The hashes are those of the reference implementation of XXH3.
func TestXXH3(t *testing.T) {
	for _, c := range []struct {
		length int
		want   uint64
	}{
		{0, 0x2d06800538d394c2}, {1, 0xe6c632b61e964e1f}, {2, 0x3a6dd033830eea1e}, {3, 0x7ea47a004f34273c},
		{4, 0xa02b1fe01d5e8c68}, {7, 0x7f8537ee69c19efd}, {8, 0xae512ee33cb829a3}, {9, 0x8a413b4d39e87b1d},
		{15, 0x031f5db6fd896e67}, {16, 0xdfd4b837b7921abf}, {17, 0x93e37276a1b3d25e}, {31, 0xf68c9afc3cb35f14},
		{32, 0x9e944f124f567af0}, {33, 0x1b937113ce5b010a}, {64, 0xbef582cbcf46a82a}, {65, 0xf6d01768d1a2a2f3},
		{96, 0x46fba7132d002366}, {97, 0x74a9cee537f1842b}, {127, 0xfec9d8446e0a6165}, {128, 0xb2750a05a86bd144},
		{129, 0x7944327491a28ad0}, {130, 0x480ed57cd063bbd4}, {143, 0x65887f90a8296acb}, {144, 0x9bb783fc808b76d2},
		{145, 0x032b38a00786aedf}, {160, 0x145797e2dd25d795}, {200, 0x7d75d81144c52f0d}, {239, 0x6fde6bd17317fcdb},
		{240, 0x42b550f096408b23},
	} {
		text := make([]byte, c.length)
		for i := range text {
			text[i] = 'a' + byte(i*7%26)
		}
		if got := xxh3(text); got != c.want {
			t.Errorf("xxh3 of %d bytes: %#x, want %#x", c.length, got, c.want)
		}
	}
}

// The order is that of the members of request.headers in recorded responses of PostgREST.
func TestHashOrder(t *testing.T) {
	keys := []string{"prefer", "content-type", "host", "content-length"}
	for i := range keys[1:] {
		if hashOrder(xxh3([]byte(keys[i])), xxh3([]byte(keys[i+1]))) >= 0 {
			t.Errorf("%q does not come before %q", keys[i], keys[i+1])
		}
	}
}
