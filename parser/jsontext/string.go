package jsontext

import "unicode/utf8"

// special marks the bytes that are not copied: those that are escaped, and those
// of multi-byte characters.
var special = func() (t [256]bool) {
	for c := range t {
		t[c] = c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf
	}
	return t
}()

// AppendString appends s as a JSON string with its quotes. Each byte that is not
// UTF-8 becomes U+FFFD, so the result is valid for all s.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if !special[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if n := runeLen(s[i:]); n > 0 {
				i += n
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// appendEscape appends the escape of a byte, or U+FFFD for a byte that is not UTF-8.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch {
	case c == '"', c == '\\':
		return append(dst, '\\', c)
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\r':
		return append(dst, '\\', 'r')
	case c == '\t':
		return append(dst, '\\', 't')
	case c >= utf8.RuneSelf:
		return append(dst, "\uFFFD"...)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// runeLen returns the length of the first character of s, 0 if it is not UTF-8.
func runeLen[T string | []byte](s T) int {
	var head [utf8.UTFMax]byte
	r, n := utf8.DecodeRune(head[:copy(head[:], s)])
	if r == utf8.RuneError && n <= 1 {
		return 0
	}
	return n
}
