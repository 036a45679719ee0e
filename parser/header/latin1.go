package header

// PostgREST reads header bytes as Latin-1 characters. These are the classes of
// characters that it distinguishes.

const nbsp = 0xA0 // NO-BREAK SPACE counts as a space

func isSpace(c byte) bool {
	return c == ' ' || c-'\t' < 5 || c == nbsp
}

// isAlnum reports whether Unicode has the character as a letter or a number. These
// include the ordinals, superscripts and fractions of Latin-1, but not × and ÷.
func isAlnum(c byte) bool {
	return isASCIIAlnum(c) || c >= 0x80 && isUpperAlnum(c)
}

func isASCIIAlnum(c byte) bool {
	return c-'0' < 10 || (c|0x20)-'a' < 26
}

func isUpperAlnum(c byte) bool {
	switch c {
	case 0xAA, 0xB2, 0xB3, 0xB5, 0xB9, 0xBA, 0xBC, 0xBD, 0xBE:
		return true
	case 0xD7, 0xF7:
		return false
	}
	return c >= 0xC0
}

func isDigit(c byte) bool { return c-'0' < 10 }

func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// appendUTF8 appends Latin-1 bytes as the UTF-8 of the same characters.
func appendUTF8(dst, latin1 []byte) []byte {
	for _, c := range latin1 {
		if c < 0x80 {
			dst = append(dst, c)
		} else {
			dst = append(dst, 0xC0|c>>6, 0x80|c&0x3F)
		}
	}
	return dst
}

// equalFold compares with a word in lower-case ASCII. It folds ASCII letters only,
// because no other letter of Latin-1 folds into ASCII.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c-'A' < 26 {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
