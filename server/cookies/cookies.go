package cookies

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// fewCookies are sorted on the stack. Browsers send fewer.
const fewCookies = 32

// cookie is one piece of a header. Its bytes belong to the header.
type cookie struct {
	name, value []byte
	left        int // length of the header after this cookie
}

// AppendJSON appends the cookies of one header value to dst as a JSON object.
// The object is empty without a header. Up to fewCookies are sorted without
// an allocation.
func AppendJSON(dst, header []byte) []byte {
	if len(header) == 0 {
		return append(dst, '{', '}') // fast path
	}
	var few [fewCookies]cookie
	all := few[:0]
	for len(header) > 0 {
		var c cookie
		c.name, c.value, header = cut(header)
		c.left = len(header)
		all = append(all, c)
	}
	if len(all) > 1 {
		all = lastOfEach(all)
	}
	dst = append(dst, '{')
	for i, c := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(dst, c.name)
		dst = append(dst, ':')
		dst = jsontext.AppendString(dst, c.value)
	}
	return append(dst, '}')
}

// lastOfEach keeps the last cookie of each name, and returns them from the last
// to the first. It sorts, because a comparison of all pairs would take seconds
// for a header of the maximum length.
func lastOfEach(all []cookie) []cookie {
	slices.SortFunc(all, func(a, b cookie) int {
		return cmp.Or(bytes.Compare(a.name, b.name), cmp.Compare(a.left, b.left))
	})
	all = slices.CompactFunc(all, func(a, b cookie) bool { return bytes.Equal(a.name, b.name) })
	slices.SortFunc(all, func(a, b cookie) int { return cmp.Compare(a.left, b.left) })
	return all
}

// cut splits the first cookie off a header. It removes spaces in front of a name,
// and one pair of quotes around a value.
func cut(header []byte) (name, value, rest []byte) {
	piece, rest, _ := bytes.Cut(header, semicolon)
	name, value, _ = bytes.Cut(piece, equals)
	name = bytes.TrimLeft(name, " ")
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return name, value, rest
}

var (
	semicolon = []byte{';'}
	equals    = []byte{'='}
)
