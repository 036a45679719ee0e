package jsontext

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Bad is the offset that the Skip functions return for text that is not JSON.
// They take the offset of the first byte of an element, and return the offset
// of the first byte after it.
const Bad = -1

// SkipSpace skips white space, which may be absent.
func SkipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// SkipString skips the rest of a string after its opening quote, and tells
// whether the string has escapes. It reads eight bytes at a time up to the first
// escape or non-ASCII character. After that it accepts control characters,
// which JSON forbids; see the package comment.
func SkipString(b []byte, i int) (end int, escaped bool) {
	for {
		for ; i+8 <= len(b); i += 8 {
			if m := notPlain(binary.LittleEndian.Uint64(b[i:])); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
		}
		if i >= len(b) {
			return Bad, false
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, false
		case c < ' ':
			return Bad, false
		case c == '\\' || c >= utf8.RuneSelf:
			return skipRest(b, i)
		}
		i++
	}
}

// notPlain sets the high bit of each byte of w that is a quote, a backslash, a
// control character or not ASCII. Only the lowest of these bits is exact, because
// the subtractions borrow from the bytes above.
func notPlain(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^'"'*ones, w^'\\'*ones
	return (w | (w - ' '*ones) | (quote - ones) | (slash - ones)) & highs
}

// skipRest is SkipString from the first escape or non-ASCII character on.
func skipRest(b []byte, i int) (end int, escaped bool) {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = skipEscape(b, i+1); i < 0 {
				return Bad, false
			}
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 {
				return Bad, false
			}
			i += n
		}
	}
	return Bad, false
}

// skipEscape skips the rest of an escape after its backslash, or of the two
// escapes of a surrogate pair.
func skipEscape(b []byte, i int) int {
	if i >= len(b) {
		return Bad
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		_, i = readUnicode(b, i+1)
		return i
	}
	return Bad
}

// readUnicode reads the four digits after \u, and the second escape of a
// surrogate pair. Half a pair is Bad.
func readUnicode(b []byte, i int) (r rune, end int) {
	r = readHex(b, i)
	switch {
	case r < 0:
		return 0, Bad
	case r < 0xD800 || r > 0xDFFF:
		return r, i + 4
	case r > 0xDBFF || i+6 > len(b) || b[i+4] != '\\' || b[i+5] != 'u':
		return 0, Bad
	}
	low := readHex(b, i+6)
	if low < 0xDC00 || low > 0xDFFF {
		return 0, Bad
	}
	return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), i + 10
}

// readHex reads four hexadecimal digits. It returns -1 if there are fewer.
func readHex(b []byte, i int) rune {
	if i+4 > len(b) {
		return -1
	}
	var r rune
	for _, c := range b[i : i+4] {
		v := Unhex(c)
		if v > 15 {
			return -1
		}
		r = r<<4 | rune(v)
	}
	return r
}

// SkipNumber skips a number. b[i] exists.
func SkipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = skipDigits(b, i); i < 0 {
		return Bad
	}
	if i < len(b) && b[i] == '.' {
		if i = skipDigits(b, i+1); i < 0 {
			return Bad
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return skipDigits(b, i)
	}
	return i // the caller refuses a digit after a leading 0
}

// skipDigits skips at least one digit.
func skipDigits(b []byte, i int) int {
	start := i
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	if i == start {
		return Bad
	}
	return i
}

// SkipLiteral skips null, true or false.
func SkipLiteral(b []byte, i int) int {
	for _, word := range [...]string{"null", "true", "false"} {
		if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
			return i + len(word)
		}
	}
	return Bad
}

// AppendUnescaped appends the text that a string stands for, without its quotes.
// SkipString must have accepted the string.
func AppendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		switch c = s[i+1]; c {
		case 'u':
			var r rune
			r, i = readUnicode(s, i+2)
			dst = utf8.AppendRune(dst, r)
			continue
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		}
		dst = append(dst, c)
		i += 2
	}
	return dst
}
