package cookies

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/fastgrest/fastgrest/parser/hashorder"
	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// fewCookies are sorted on the stack. Browsers send fewer; a header that has
// more is made for the purpose.
const fewCookies = 32

// cookie is one piece of a header. It lies in it.
type cookie struct {
	name, value []byte
	place       uint64 // see hashorder.Place
}

// AppendJSON appends the cookies of one header value as a JSON object; without
// a header the object is empty.
func AppendJSON(dst, header []byte) []byte {
	if len(header) == 0 {
		return append(dst, '{', '}') // fast path
	}
	var few [fewCookies]cookie
	all := few[:0]
	for len(header) > 0 {
		var c cookie
		c.name, c.value, header = cut(header)
		all = append(all, c)
	}
	if len(all) > 1 {
		arrange(all)
	}
	dst = append(dst, '{')
	empty := len(dst)
	for i, c := range all {
		if i+1 < len(all) && bytes.Equal(c.name, all[i+1].name) {
			continue // the last one counts
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(dst, c.name)
		dst = append(dst, ':')
		dst = jsontext.AppendString(dst, c.value)
	}
	return append(dst, '}')
}

// arrange puts cookies in the order in which PostgREST's hash table gives them
// back, those of one name together and in the order of the header.
func arrange(all []cookie) {
	for i := range all {
		all[i].place = hashorder.Place(all[i].name)
	}
	slices.SortStableFunc(all, func(a, b cookie) int {
		if a.place != b.place {
			return cmp.Compare(a.place, b.place)
		}
		return bytes.Compare(a.name, b.name)
	})
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

var (
	semicolon = []byte{';'}
	equals    = []byte{'='}
)
