package hashorder

import "github.com/zeebo/xxh3"

// Place is the position of a key in PostgREST's hash tables: a table lists its
// keys by ascending place.
//
// A table is a tree with 32 branches at each node. Five bits of the key's hash
// choose the branch, the lowest bits first.
func Place(key []byte) (place uint64) {
	const levels = 12
	h := xxh3.Hash(key)
	for range levels {
		place = place<<5 | h&31
		h >>= 5
	}
	return place<<4 | h
}
