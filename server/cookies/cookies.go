package cookies

import (
	"bytes"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// fewCookies is how many cookies are compared with each other one by one.
// Browsers send fewer; a header that has more is made for the purpose, and
// gets a map so that its cost stays in proportion to its length.
const fewCookies = 64

var (
	semicolon = []byte{';'}
	equals    = []byte{'='}
)

// AppendJSON appends the cookies of one header value as a JSON object. Order
// is that of the header; without a header the object is empty.
func AppendJSON(dst, header []byte) []byte {
	var seen map[string]int // name -> index of its last cookie
	if bytes.Count(header, semicolon) >= fewCookies {
		seen = lastOfEach(header)
	}
	dst = append(dst, '{')
	empty := len(dst)
	for i, rest := 0, header; len(rest) > 0; i++ {
		var name, value []byte
		name, value, rest = cut(rest)
		if seen != nil && seen[string(name)] != i || seen == nil && comesAgain(name, rest) {
			continue
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(dst, name)
		dst = append(dst, ':')
		dst = jsontext.AppendString(dst, value)
	}
	return append(dst, '}')
}

// cut takes the first cookie off a header. Spaces in front of a name and one
// pair of quotes around a value are not part of them.
func cut(header []byte) (name, value, rest []byte) {
	piece, rest, _ := bytes.Cut(header, semicolon)
	name, value, _ = bytes.Cut(piece, equals)
	for len(name) > 0 && name[0] == ' ' {
		name = name[1:]
	}
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return name, value, rest
}

func comesAgain(name, rest []byte) bool {
	for len(rest) > 0 {
		var other []byte
		if other, _, rest = cut(rest); bytes.Equal(name, other) {
			return true
		}
	}
	return false
}

func lastOfEach(header []byte) map[string]int {
	seen := make(map[string]int, fewCookies)
	for i := 0; len(header) > 0; i++ {
		var name []byte
		name, _, header = cut(header)
		seen[string(name)] = i
	}
	return seen
}
