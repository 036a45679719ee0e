package cors

import (
	"bytes"
	"strings"
)

// simpleHeaders may be sent without asking; they close the list of allowed ones.
var simpleHeaders = [...]string{"Accept", "Accept-Language", "Content-Language"}

// PostgREST allows every header a preflight asks for, by repeating the list.
// The list is read twice, though, in two ways: split at commas and trimmed, to
// be repeated, and by a grammar, to be checked against what will be repeated.
// The grammar stops without complaint where it no longer fits, so what it
// checks is a prefix. They disagree only about odd lists such as "a b", where
// the grammar sees a header "a" that is not going to be allowed.

// headersAgree reports whether all names of the grammar are among those that
// appendAllowedHeaders lists.
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
		case len(rest) == 0: // name is all of the last item
			return true
		case rest[0] != ',': // and here it is less than its item
			return isAllowed(name, list)
		}
		rest = rest[1:] // no space may follow: the grammar ends there
	}
}

// isAllowed looks for name in what a list will be answered with.
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

// appendAllowedHeaders lists Authorization, then what was asked for, as it was
// written, then those of the simple headers that are not listed yet.
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

// equalFold takes letters of ASCII in either case as the same, and no others:
// Unicode has a k and an s that fold to ours, and are no bytes of a name.
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

// nameByte is the alphabet of header names.
func nameByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"/[]?={}`, c) < 0
}

// asciiSpace is what the grammar skips; trimming also takes Latin-1's no-break space.
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
