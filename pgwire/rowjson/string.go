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

// AppendString appends s as a JSON string with the escapes of PostgreSQL's escape_json: \" and \\,
// the short escapes of control characters that have one, and \u00xx in lower case for the others.
// All other bytes are copied: DEL, `<`, `/` and bytes above 0x7f, whether they are UTF-8 or not.
func AppendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	// Fast path: the string is copied while it is checked, and needs no escape.
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

// copyClean copies s to dst, which has the same length of at least four bytes. It reports false if
// a byte of s needs an escape.
func copyClean(dst, s []byte) bool {
	if len(s) < 8 {
		i := len(s) - 4
		first, last := binary.LittleEndian.Uint32(s), binary.LittleEndian.Uint32(s[i:])
		binary.LittleEndian.PutUint32(dst, first)
		binary.LittleEndian.PutUint32(dst[i:], last)
		return unclean(uint64(first)|uint64(last)<<32) == 0
	}
	// The last eight bytes come first, so that the rest can be copied in whole steps.
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

// cleanPrefix returns the length of the longest prefix of s that needs no escape.
func cleanPrefix(s []byte) int {
	n := 0
	for ; len(s)-n >= 8; n += 8 {
		if mask := unclean(binary.LittleEndian.Uint64(s[n:])); mask != 0 {
			return n + bits.TrailingZeros64(mask)/8
		}
	}
	if n > 0 && n < len(s) {
		// Check the last eight bytes. Those checked before are clean and not marked.
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

// unclean marks the bytes of w that need an escape, with the high bit of the byte: bytes below
// 0x20, quotes and backslashes. Each subtraction sets the high bit of a byte that becomes negative.
// A borrow can mark a byte above a marked one by mistake, so only the lowest mark counts.
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

// escaped has the bytes that need an escape in a string.
var escaped = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// shortEscape has the letter after the backslash, for bytes with a short escape.
var shortEscape = [256]byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '"': '"', '\\': '\\'}

// appendText is the codec of every type whose JSON is its quoted text.
func appendText(dst, src []byte) ([]byte, bool) { return AppendString(dst, src), true }
