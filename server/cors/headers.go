package cors

import (
	"bytes"
	"strings"
)

// simpleHeaders are allowed without a preflight. They end the list of allowed
// headers.
var simpleHeaders = [...]string{"Accept", "Accept-Language", "Content-Language"}

// PostgREST allows all headers that a preflight asks for: it repeats their list. It
// parses the list in two ways. To repeat it, it splits it at commas and trims the
// items. To check it against the repeated list, it uses a grammar, which ends
// without an error where it does not match, so only a prefix is checked. The two
// differ for lists such as "a b", in which the grammar finds a header "a" that is
// not in the repeated list.

// headersAgree reports whether appendAllowedHeaders lists all names that the grammar
// finds.
func headersAgree(list []byte) bool {
	rest := trimSpace(list)
	for {
		n := 0
		for n < len(rest) && nameByte(rest[n]) {
			n++
		}
		if n == 0 {
			return true
		}
		name := rest[:n]
		rest = trimSpace(rest[n:])
		switch {
		case len(rest) == 0: // name is the complete last item
			return true
		case rest[0] != ',': // name is a part of its item
			return isAllowed(name, list)
		}
		rest = rest[1:] // the grammar ends at a space
	}
}

// isAllowed reports whether the response to a list has name.
func isAllowed(name, list []byte) bool {
	if equalFold(name, "Authorization") || isSimple(name) {
		return true
	}
	for item := range bytes.SplitSeq(list, []byte(",")) {
		if equalFold(name, trimLatin(item)) {
			return true
		}
	}
	return false
}

func isSimple(name []byte) bool {
	for _, s := range simpleHeaders {
		if equalFold(name, s) {
			return true
		}
	}
	return false
}

// appendAllowedHeaders appends Authorization, the headers that the preflight asks
// for, unchanged, and the simple headers that are not among them.
func appendAllowedHeaders(dst, list []byte) []byte {
	dst = append(dst, "Authorization"...)
	if len(list) > 0 {
		for item := range bytes.SplitSeq(list, []byte(",")) {
			dst = append(append(dst, ", "...), trimLatin(item)...)
		}
	}
next:
	for _, s := range simpleHeaders {
		for item := range bytes.SplitSeq(list, []byte(",")) {
			if equalFold(trimLatin(item), s) {
				continue next
			}
		}
		dst = append(append(dst, ", "...), s...)
	}
	return dst
}

// equalFold ignores the case of ASCII letters only. In Unicode two more characters
// fold to k and s, but they cannot be in a header name.
func equalFold[S string | []byte](a []byte, b S) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// nameByte reports whether a byte may be in a header name.
func nameByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"/[]?={}`, c) < 0
}

// asciiSpace is the space that the grammar skips. Trimming also removes Latin-1's
// no-break space.
const asciiSpace = " \t\n\v\f\r"

func trimSpace(s []byte) []byte { return bytes.TrimLeft(s, asciiSpace) }

func trimLatin(s []byte) []byte {
	for len(s) > 0 && latinSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && latinSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func latinSpace(c byte) bool { return c == 0xa0 || strings.IndexByte(asciiSpace, c) >= 0 }
