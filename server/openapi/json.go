package openapi

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// next appends a comma unless dst ends at the start of an object or array or
// after a key. Strings end in quotes, so a brace at the end has just been
// opened, and a colon ends a key.
func next(dst []byte) []byte {
	switch dst[len(dst)-1] {
	case '{', '[', ':':
		return dst
	}
	return append(dst, ',')
}

// appendKey starts a member of an object.
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
	return strconv.AppendBool(appendKey(dst, key), value)
}

// appendRef appends a $ref object. The name is escaped as a segment of a JSON
// pointer (RFC 6901, 3), but not as part of a URI: PostgREST does not escape
// it, and clients look up names unescaped.
func appendRef(dst []byte, section, name string) []byte {
	dst = append(next(dst), '{')
	dst = appendText(dst, "$ref", "#/"+section+"/"+pointerEscapes.Replace(name))
	return append(dst, '}')
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func appendInt(dst []byte, key string, value int64) []byte {
	return strconv.AppendInt(appendKey(dst, key), value, 10)
}
