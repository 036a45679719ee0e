package rowjson

import (
	"encoding/binary"
	"math/bits"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	hex   = "0123456789abcdef"
)

// AppendString appends s as a JSON string with the escapes PostgreSQL's escape_json makes: the short ones for the controls that
// have one, \u00xx in lower case for the others, \" and \\. Everything else is copied: DEL, `<`, `/` and bytes above 0x7f, UTF-8 or not.
func AppendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	// Fast path: nothing to escape, copied as it is looked at.
	if n := len(dst); len(s) >= 4 && cap(dst)-n > len(s) && copyClean(dst[n:n+len(s)], s) {
		dst = dst[:n+len(s)+1]
		dst[n+len(s)] = '"'
		return dst
	}
	for {
		n := cleanPrefix(s)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"')
		}
		dst = appendEscape(dst, s[n])
		s = s[n+1:]
	}
}

// copyClean copies s, of at least four bytes, to dst of the same length, unless something in it needs an escape.
func copyClean(dst, s []byte) bool {
	if len(s) < 8 {
		i := len(s) - 4
		first, last := binary.LittleEndian.Uint32(s), binary.LittleEndian.Uint32(s[i:])
		binary.LittleEndian.PutUint32(dst, first)
		binary.LittleEndian.PutUint32(dst[i:], last)
		return unclean(uint64(first)|uint64(last)<<32) == 0
	}
	// The end first: of the rest only whole steps are left.
	last := binary.LittleEndian.Uint64(s[len(s)-8:])
	binary.LittleEndian.PutUint64(dst[len(dst)-8:], last)
	if unclean(last) != 0 {
		return false
	}
	for len(s) > 8 && len(dst) > 8 {
		w := binary.LittleEndian.Uint64(s)
		binary.LittleEndian.PutUint64(dst, w)
		if unclean(w) != 0 {
			return false
		}
		s, dst = s[8:], dst[8:]
	}
	return true
}

// cleanPrefix is the length of the longest prefix of s that needs no escape.
func cleanPrefix(s []byte) int {
	n := 0
	for ; len(s)-n >= 8; n += 8 {
		if mask := unclean(binary.LittleEndian.Uint64(s[n:])); mask != 0 {
			return n + bits.TrailingZeros64(mask)/8
		}
	}
	if n > 0 && n < len(s) {
		// The last eight bytes: those already seen are clean and cannot be marked.
		mask := unclean(binary.LittleEndian.Uint64(s[len(s)-8:]))
		return len(s) - 8 + bits.TrailingZeros64(mask)/8
	}
	for ; n < len(s); n++ {
		if escaped[s[n]] {
			return n
		}
	}
	return n
}

// unclean marks, with the high bit of the byte, the bytes of w below 0x20 and the quotes and backslashes: each of the subtractions
// sets the high bit of a byte it takes below zero. Borrows can mark bytes above a marked one by mistake, so only the lowest mark counts.
func unclean(w uint64) uint64 {
	control := w - 0x20*ones
	quote := (w ^ '"'*ones) - ones
	backslash := (w ^ '\\'*ones) - ones
	return (control | quote | backslash) & ^w & highs
}

// appendEscape appends the escape of a byte for which escaped is true.
func appendEscape(dst []byte, c byte) []byte {
	if e := shortEscape[c]; e != 0 {
		return append(dst, '\\', e)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// escaped tells the bytes that may not stand in a string as they are.
var escaped = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// shortEscape is the letter after the backslash, for bytes that have one.
var shortEscape = [256]byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '"': '"', '\\': '\\'}

// appendText is the codec of every type that is its text in quotes.
func appendText(dst, src []byte) ([]byte, bool) { return AppendString(dst, src), true }
