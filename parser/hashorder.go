package parser

import (
	"cmp"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// hashKey is the hash by which PostgREST's hash tables place a key that consists of
// a prefix and a word: XXH3 of its UTF-8 (64 bits, without a seed). It allocates
// nothing unless the key is longer than 256 bytes.
func hashKey(prefix []byte, word string) uint64 {
	var key [256]byte
	return xxh3.Hash(append(append(key[:0], prefix...), word...))
}

// hashOrder compares the places of two keys in PostgREST's hash tables. These are
// tries that take five bits of the hash per level, the lowest ones first.
func hashOrder(x, y uint64) int {
	if x == y {
		return 0
	}
	level := bits.TrailingZeros64(x^y) / 5 * 5
	return cmp.Compare(x>>level&31, y>>level&31)
}
