package fuzzy

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// PostgREST fills its sets from the keys of hash maps, so which of two equally
// likely names is suggested depends on their hashes. The hash is a fixed
// function (XXH3 with a mixing step between the parts of a key), and the maps
// are hash tries, so the order can be had: it is what the recorded answers
// show, for settings made from such maps as well as for hints.

// MaxTables is how many tables a schema may have for its tables to be
// suggested. PostgREST has no index for larger schemas.
const MaxTables = 500

// NewTables is New for the tables of a schema.
func NewTables(schema string, tables []string) *Set {
	if len(tables) >= MaxTables {
		return New(nil)
	}
	names := sortByHash(tables, func(name string) uint64 { return hashParts(schema, name) })
	slices.Reverse(names)
	return New(names)
}

// NewRoutines is New for the functions of a schema.
func NewRoutines(schema string, routines []string) *Set {
	return New(sortByHash(routines, func(name string) uint64 { return hashParts(schema, name) }))
}

// NewParents is New for the tables of a schema that are related to others in it.
func NewParents(schema string, tables []string) *Set {
	return New(sortByHash(tables, func(name string) uint64 { return hashParts(schema, name, schema) }))
}

// sortByHash returns the names in the order of a trie of their hashes: nodes
// have 32 children, and the lowest bits decide first.
func sortByHash(names []string, hash func(string) uint64) []string {
	type hashed struct {
		name string
		path [13]byte
	}
	all := make([]hashed, len(names))
	for i, name := range names {
		all[i].name = name
		for j, h := 0, hash(name); j < len(all[i].path); j, h = j+1, h>>5 {
			all[i].path[j] = byte(h & 31)
		}
	}
	slices.SortFunc(all, func(a, b hashed) int {
		return cmp.Or(slices.Compare(a.path[:], b.path[:]), cmp.Compare(a.name, b.name))
	})
	sorted := make([]string, len(all))
	for i := range all {
		sorted[i] = all[i].name
	}
	return sorted
}

// hashParts hashes a key made of several texts.
func hashParts(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range parts {
		h = xxh3(part, mix(h, uint64(len(part))))
	}
	return h
}

func mix(high, low uint64) uint64 {
	h := bits.ReverseBytes64(low) + high + fold(high, low)
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// fold multiplies to 128 bits and joins the halves.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// secret is the head of XXH3's default secret, as little-endian words.
var secret = [...]uint64{
	0xbe4ba423396cfeb8, 0x1cad21f72c81017c, 0xdb979083e96dd4de, 0x1f67b3b7a4a44072,
	0x78e5c0cc4ee679cb, 0x2172ffcc7dd05a82, 0x8e2443f7744608b8, 0x4c263a81e69035e0,
	0xcb00c391bb52283c, 0xa32e531b8b65d088, 0x4ef90da297486471, 0xd8acdea946ef1938,
	0x3f349ce33f76faa8, 0x1d4f0bc7c7bbdcf9, 0x3159b4cd4be0518a, 0x647378d9c97e9fc8,
}

// xxh3 is XXH3's 64-bit hash with a seed for texts of up to 128 bytes, twice
// what a name of PostgreSQL can have. Of longer ones only the head counts.
func xxh3(text string, seed uint64) uint64 {
	s := []byte(text[:min(len(text), 128)])
	n := len(s)
	first := func(i int) uint64 { return binary.LittleEndian.Uint64(s[i:]) }
	last := func(i int) uint64 { return binary.LittleEndian.Uint64(s[n-i:]) }
	switch {
	case n == 0:
		return avalanche64(seed ^ secret[7] ^ secret[8])
	case n < 4:
		word := uint64(s[0])<<16 | uint64(s[n>>1])<<24 | uint64(s[n-1]) | uint64(n)<<8
		flip := uint64(uint32(secret[0])^uint32(secret[0]>>32)) + seed
		return avalanche64(word ^ flip)
	case n <= 8:
		seed ^= uint64(bits.ReverseBytes32(uint32(seed))) << 32
		word := uint64(binary.LittleEndian.Uint32(s[n-4:])) + uint64(binary.LittleEndian.Uint32(s))<<32
		h := word ^ (secret[1] ^ secret[2] - seed)
		h ^= bits.RotateLeft64(h, 49) ^ bits.RotateLeft64(h, 24)
		h *= 0x9fb21c651e98df25
		h ^= h>>35 + uint64(n)
		h *= 0x9fb21c651e98df25
		return h ^ h>>28
	case n <= 16:
		low := first(0) ^ (secret[3] ^ secret[4] + seed)
		high := last(8) ^ (secret[5] ^ secret[6] - seed)
		return avalanche(uint64(n) + bits.ReverseBytes64(low) + high + fold(low, high))
	}
	// Pairs of words from both ends towards the middle, each with its part of
	// the secret.
	h := uint64(n) * 0x9e3779b185ebca87
	for i := (n - 1) / 32; i >= 0; i-- {
		a, b := secret[4*i:], secret[4*i+2:]
		h += fold(first(16*i)^(a[0]+seed), first(16*i+8)^(a[1]-seed))
		h += fold(last(16*i+16)^(b[0]+seed), last(16*i+8)^(b[1]-seed))
	}
	return avalanche(h)
}

func avalanche(h uint64) uint64 {
	h = (h ^ h>>37) * 0x165667919e3779f9
	return h ^ h>>32
}

func avalanche64(h uint64) uint64 {
	h = (h ^ h>>33) * 0xc2b2ae3d27d4eb4f
	h = (h ^ h>>29) * 0x165667b19e3779f9
	return h ^ h>>32
}
