package header

import (
	"bytes"
	"cmp"
	"slices"
)

// ParseAccept appends the media types of an Accept value to dst, the one to
// try first at the head. An empty value has none; a request without the header
// means */* and does not come here.
//
// Types are ordered by q, then by how specific they are: each semicolon in
// front of ";q=" counts up, each asterisk down. Equals keep their order. What
// follows the q value is ignored.
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

// compareAccepted puts the larger first.
func compareAccepted(a, b accepted) int {
	return cmp.Or(cmp.Compare(b.q, a.q), cmp.Compare(b.specificity, a.specificity))
}

var (
	space     = []byte{' '}
	semicolon = []byte{';'}
	asterisk  = []byte{'*'}
	qParam    = []byte(";q=")
)

// parseAccepted reads one piece. All spaces go, wherever they stand, even
// inside of quotes.
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
