package parser

import (
	"cmp"
	"encoding/binary"
	"math/bits"
)

// hashOrder compares two keys by their place in PostgREST's hash tables. These are
// tries that take five bits of the hash per level, the lowest ones first. The hash
// of a text is the XXH3 of its UTF-8 (64 bits, without a seed).
func hashOrder(x, y uint64) int {
	if x == y {
		return 0
	}
	level := bits.TrailingZeros64(x^y) / 5 * 5
	return cmp.Compare(x>>level&31, y>>level&31)
}

const (
	xxhPrime1 = 0x9E3779B185EBCA87
	xxhPrime2 = 0xC2B2AE3D27D4EB4F
	xxhPrime3 = 0x165667B19E3779F9
	xxhMix1   = 0x165667919E3779F9
	xxhMix2   = 0x9FB21C651E98DF25

	xxhLongest = 240 // bytes; longer texts have another algorithm
)

const xxhSecret = "" +
	"\xb8\xfe\x6c\x39\x23\xa4\x4b\xbe\x7c\x01\x81\x2c\xf7\x21\xad\x1c\xde\xd4\x6d\xe9\x83\x90\x97\xdb" +
	"\x72\x40\xa4\xa4\xb7\xb3\x67\x1f\xcb\x79\xe6\x4e\xcc\xc0\xe5\x78\x82\x5a\xd0\x7d\xcc\xff\x72\x21" +
	"\xb8\x08\x46\x74\xf7\x43\x24\x8e\xe0\x35\x90\xe6\x81\x3a\x26\x4c\x3c\x28\x52\xbb\x91\xc3\x00\xcb" +
	"\x88\xd0\x65\x8b\x1b\x53\x2e\xa3\x71\x64\x48\x97\xa2\x0d\xf9\x4e\x38\x19\xef\x46\xa9\xde\xac\xd8" +
	"\xa8\xfa\x76\x3f\xe3\x9c\x34\x3f\xf9\xdc\xbb\xc7\xc7\x0b\x4f\x1d\x8a\x51\xe0\x4b\xcd\xb4\x59\x31" +
	"\xc8\x9f\x7e\xc9\xd9\x78\x73\x64\xea\xc5\xac\x83\x34\xd3\xeb\xc3\xc5\x81\xa0\xff\xfa\x13\x63\xeb" +
	"\x17\x0d\xdd\x51\xb7\xf0\xda\x49\xd3\x16\x55\x26\x29\xd4\x68\x9e\x2b\x16\xbe\x58\x7d\x47\xa1\xfc" +
	"\x8f\xf8\xb8\xd1\x7a\xd0\x31\xce\x45\xcb\x3a\x8f\x95\x16\x04\x28\xaf\xd7\xfb\xca\xbb\x4b\x40\x7e"

func secret(at int) uint64 { return le64([]byte(xxhSecret[at : at+8])) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
func le32(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }

// xxh3 hashes a text of at most xxhLongest bytes. It returns 0 for longer ones.
func xxh3(s []byte) uint64 {
	n := len(s)
	switch {
	case n == 0:
		return xxhAvalanche2(secret(56) ^ secret(64))
	case n <= 3:
		word := uint64(s[0])<<16 | uint64(s[n>>1])<<24 | uint64(s[n-1]) | uint64(n)<<8
		return xxhAvalanche2(word ^ secret(0)&0xffffffff ^ secret(0)>>32)
	case n <= 8:
		h := le32(s[n-4:]) + le32(s)<<32 ^ secret(8) ^ secret(16)
		h ^= bits.RotateLeft64(h, 49) ^ bits.RotateLeft64(h, 24)
		h *= xxhMix2
		h ^= h>>35 + uint64(n)
		h *= xxhMix2
		return h ^ h>>28
	case n <= 16:
		low, high := le64(s)^secret(24)^secret(32), le64(s[n-8:])^secret(40)^secret(48)
		return xxhAvalanche(uint64(n) + bits.ReverseBytes64(low) + high + mulFold(low, high))
	case n <= 128:
		h := uint64(n) * xxhPrime1
		for i := range (n-1)/32 + 1 {
			h += xxhMix(s[16*i:], 32*i) + xxhMix(s[n-16*i-16:], 32*i+16)
		}
		return xxhAvalanche(h)
	case n <= xxhLongest:
		h := uint64(n) * xxhPrime1
		for i := range 8 {
			h += xxhMix(s[16*i:], 16*i)
		}
		h = xxhAvalanche(h) + xxhMix(s[n-16:], 119)
		for i := 8; i < n/16; i++ {
			h += xxhMix(s[16*i:], 16*(i-8)+3)
		}
		return xxhAvalanche(h)
	}
	return 0
}

func xxhMix(s []byte, at int) uint64 { return mulFold(le64(s)^secret(at), le64(s[8:])^secret(at+8)) }

func mulFold(x, y uint64) uint64 {
	high, low := bits.Mul64(x, y)
	return high ^ low
}

func xxhAvalanche(h uint64) uint64 {
	h ^= h >> 37
	h *= xxhMix1
	return h ^ h>>32
}

func xxhAvalanche2(h uint64) uint64 {
	h ^= h >> 33
	h *= xxhPrime2
	h ^= h >> 29
	h *= xxhPrime3
	return h ^ h>>32
}
