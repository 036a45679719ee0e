package header

import (
	"bytes"
	"cmp"
	"slices"
)

// ParseAccept appends the media types of an Accept value to dst in order of
// preference. An empty value has none. A request without the header accepts */*,
// which is the caller's to handle.
//
// Types are sorted by q, then by how specific they are: semicolons in front of
// ";q=" make a type more specific, asterisks less. Equal types keep their order.
// Text after the q value is ignored.
func ParseAccept(dst []Media, value []byte) []Media {
	if len(value) == 0 {
		return dst
	}
	var onStack [16]accepted
	types := onStack[:0]
	ordered := true
	for more := true; more; {
		var piece []byte
		piece, value, more = bytes.Cut(value, comma)
		a := parseAccepted(piece)
		ordered = ordered && (len(types) == 0 || compareAccepted(types[len(types)-1], a) <= 0)
		types = append(types, a)
	}
	if !ordered {
		slices.SortStableFunc(types, compareAccepted)
	}
	for i := range types {
		dst = append(dst, types[i].media)
	}
	return dst
}

type accepted struct {
	media       Media
	q           float64
	specificity int
}

// compareAccepted sorts in descending order.
func compareAccepted(a, b accepted) int {
	return cmp.Or(cmp.Compare(b.q, a.q), cmp.Compare(b.specificity, a.specificity))
}

var (
	space     = []byte{' '}
	semicolon = []byte{';'}
	asterisk  = []byte{'*'}
	qParam    = []byte(";q=")
)

// parseAccepted parses one element. It removes all spaces, also between quotes.
func parseAccepted(piece []byte) accepted {
	var onStack [128]byte
	if bytes.IndexByte(piece, ' ') >= 0 {
		tight := onStack[:0]
		if len(piece) > len(onStack) {
			tight = make([]byte, 0, len(piece))
		}
		for len(piece) > 0 {
			var word []byte
			word, piece, _ = bytes.Cut(piece, space)
			tight = append(tight, word...)
		}
		piece = tight
	}
	a := accepted{q: 1}
	media, q, found := bytes.Cut(piece, qParam)
	if found {
		q, _, _ = bytes.Cut(q, semicolon)
		a.q = readQuality(q)
	}
	a.media = ParseMedia(media)
	a.specificity = bytes.Count(media, semicolon) - bytes.Count(media, asterisk)
	return a
}
