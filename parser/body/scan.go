package body

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The scanner: functions that take a text and an offset and return the offset
// behind what they are named for, or a negative number.

const (
	bad     = -1
	tooDeep = -2
)

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// value skips one value of any kind. Containers are kept track of by one bit
// each, set for objects, so that depth costs memory nobody has to allocate.
func (p *Payload) value(b []byte, i, depth int) int {
	base := depth
	for {
		// A value begins here.
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		switch c := b[i]; {
		case c == '"':
			i, _ = skipString(b, i+1)
		case c == '{' || c == '[':
			if depth >= MaxDepth {
				return tooDeep
			}
			p.push(depth, c == '{')
			depth++
			if i = skipSpace(b, i+1); i >= len(b) {
				return bad
			}
			switch {
			case b[i] == c+2: // } and ] are two after { and [
				depth--
				i++
			case c == '{':
				if i = skipKey(b, i); i < 0 {
					return bad
				}
				continue
			default:
				continue
			}
		case c == '-' || c-'0' < 10:
			i = skipNumber(b, i)
		default:
			i = skipLiteral(b, i)
		}
		if i < 0 {
			return bad
		}
		// It ended: close containers until a comma asks for another one.
		for another := false; !another; {
			if depth == base {
				return i
			}
			if i = skipSpace(b, i); i >= len(b) {
				return bad
			}
			isObject := p.stack[(depth-1)/64]&(1<<((depth-1)%64)) != 0
			switch {
			case b[i] == ',' && isObject:
				if i = skipKey(b, skipSpace(b, i+1)); i < 0 {
					return bad
				}
				another = true
			case b[i] == ',':
				i++
				another = true
			case b[i] == '}' && isObject, b[i] == ']' && !isObject:
				depth--
				i++
			default:
				return bad
			}
		}
	}
}

func (p *Payload) push(depth int, isObject bool) {
	word, bit := &p.stack[depth/64], uint64(1)<<(depth%64)
	if isObject {
		*word |= bit
	} else {
		*word &^= bit
	}
}

// skipKey skips a key and the colon behind it.
func skipKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return bad
	}
	i, _ = skipString(b, i+1)
	if i < 0 {
		return bad
	}
	return skipColon(b, i)
}

func skipColon(b []byte, i int) int {
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return bad
	}
	return i + 1
}

// skipString skips the rest of a string, quote included, and says whether it
// has escapes. Text without any and without characters beyond ASCII is the
// fast path: eight bytes at a time.
func skipString(b []byte, i int) (end int, escaped bool) {
	for {
		for ; i+8 <= len(b); i += 8 {
			if m := notPlain(binary.LittleEndian.Uint64(b[i:])); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
		}
		if i >= len(b) {
			return bad, false
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, false
		case c < ' ':
			return bad, false
		case c == '\\' || c >= utf8.RuneSelf:
			return skipRest(b, i)
		}
		i++
	}
}

// notPlain marks, with the high bit of each byte, the bytes of a word that are
// a quote, a backslash, a control character or beyond ASCII. The lowest mark is
// exact; those above it may be wrong, for subtractions borrow.
func notPlain(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^'"'*ones, w^'\\'*ones
	return (w | (w - ' '*ones) | (quote - ones) | (slash - ones)) & highs
}

// skipRest skips the rest of a string from its first escape or character
// beyond ASCII on. Control characters pass from here on, see the package
// comment.
func skipRest(b []byte, i int) (end int, escaped bool) {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = skipEscape(b, i+1); i < 0 {
				return bad, false
			}
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 {
				return bad, false
			}
			i += n
		}
	}
	return bad, false
}

// skipEscape skips what follows a backslash. Surrogates come in pairs.
func skipEscape(b []byte, i int) int {
	if i >= len(b) {
		return bad
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		_, i = readUnicode(b, i+1)
		return i
	}
	return bad
}

// readUnicode reads the four digits behind \u, and a second escape if they are
// the first half of a surrogate pair.
func readUnicode(b []byte, i int) (r rune, end int) {
	r = readHex(b, i)
	switch {
	case r < 0:
		return 0, bad
	case r < 0xD800 || r > 0xDFFF:
		return r, i + 4
	case r > 0xDBFF || i+6 > len(b) || b[i+4] != '\\' || b[i+5] != 'u':
		return 0, bad
	}
	low := readHex(b, i+6)
	if low < 0xDC00 || low > 0xDFFF {
		return 0, bad
	}
	return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), i + 10
}

func readHex(b []byte, i int) rune {
	if i+4 > len(b) {
		return -1
	}
	var r rune
	for _, c := range b[i : i+4] {
		v, ok := hexValue(c)
		if !ok {
			return -1
		}
		r = r<<4 | rune(v)
	}
	return r
}

func hexValue(c byte) (v byte, ok bool) {
	switch {
	case c-'0' < 10:
		return c - '0', true
	case (c|0x20)-'a' < 6:
		return (c | 0x20) - 'a' + 10, true
	}
	return 0, false
}

func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = skipDigits(b, i); i < 0 {
		return bad
	}
	if i < len(b) && b[i] == '.' {
		if i = skipDigits(b, i+1); i < 0 {
			return bad
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return skipDigits(b, i)
	}
	return i // a digit after a leading 0 is refused as what follows a value
}

// skipDigits skips one digit or more.
func skipDigits(b []byte, i int) int {
	start := i
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	if i == start {
		return bad
	}
	return i
}

func skipLiteral(b []byte, i int) int {
	for _, word := range [...]string{"null", "true", "false"} {
		if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
			return i + len(word)
		}
	}
	return bad
}

// appendUnescaped appends the text of a string that skipString has accepted.
func appendUnescaped(dst, s []byte) []byte {
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
