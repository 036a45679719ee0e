package parser

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/percent"
)

// AppendCanonical appends the query string for Content-Location. Keys are sorted
// by their bytes, and the values of a repeated key are joined by commas. All
// characters but letters, digits and "-_.~" are percent-encoded. Like PostgREST
// it encodes each byte above 127 as a Latin-1 character, so "ü" has four escapes.
func (q *Query) AppendCanonical(dst []byte) []byte {
	q.byKey = q.byKey[:0]
	for i := range q.Params {
		q.byKey = append(q.byKey, int32(i))
	}
	slices.SortStableFunc(q.byKey, func(a, b int32) int { return bytes.Compare(q.Params[a].Key, q.Params[b].Key) })
	var last []byte
	for n, i := range q.byKey {
		prm := &q.Params[i]
		if n > 0 && bytes.Equal(prm.Key, last) {
			dst = append(dst, ',')
		} else {
			if n > 0 {
				dst = append(dst, '&')
			}
			dst = appendEncoded(dst, prm.Key)
			dst = append(dst, '=')
		}
		dst = appendEncoded(dst, prm.Value)
		last = prm.Key
	}
	return dst
}

// plainByte marks the bytes that need no encoding.
var plainByte = func() (t [256]bool) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z',
			c == '-', c == '_', c == '.', c == '~':
			t[c] = true
		}
	}
	return t
}()

func appendEncoded(dst, s []byte) []byte {
	for _, c := range s {
		switch {
		case plainByte[c]:
			dst = append(dst, c)
		case c < utf8.RuneSelf:
			dst = percent.AppendEscape(dst, c)
		default:
			dst = percent.AppendEscape(dst, 0xC0|c>>6)
			dst = percent.AppendEscape(dst, 0x80|c&0x3F)
		}
	}
	return dst
}
