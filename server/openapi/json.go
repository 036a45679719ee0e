package openapi

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// next separates what follows from what stands before it in the same object
// or array, if anything does. Strings end in quotes, so a brace can only be
// one just opened, and a colon that of a key.
func next(dst []byte) []byte {
	switch dst[len(dst)-1] {
	case '{', '[', ':':
		return dst
	}
	return append(dst, ',')
}

// appendKey begins a member of an object.
func appendKey(dst []byte, key string) []byte {
	return append(jsontext.AppendString(next(dst), key), ':')
}

func appendText(dst []byte, key, value string) []byte {
	return jsontext.AppendString(appendKey(dst, key), value)
}

func appendTexts(dst []byte, key string, values []string) []byte {
	dst = append(appendKey(dst, key), '[')
	for _, v := range values {
		dst = jsontext.AppendString(next(dst), v)
	}
	return append(dst, ']')
}

func appendBool(dst []byte, key string, value bool) []byte {
	dst = appendKey(dst, key)
	if value {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}

// appendRef appends a reference as a whole object. Names are escaped as one
// segment of a JSON pointer (RFC 6901, 3) but not as part of a URI: PostgREST
// does not, and clients look names up as they stand.
func appendRef(dst []byte, section, name string) []byte {
	dst = append(next(dst), '{')
	dst = appendText(dst, "$ref", "#/"+section+"/"+pointerEscapes.Replace(name))
	return append(dst, '}')
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func appendInt(dst []byte, key string, value int64) []byte {
	return strconv.AppendInt(appendKey(dst, key), value, 10)
}
