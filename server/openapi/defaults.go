package openapi

import (
	"encoding/json"
	"strings"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// appendDefault appends a column's default as JSON if it is a constant of the
// column's type. Other expressions are left out. For strings, any expression
// between quotes counts as a constant.
func appendDefault(dst []byte, pg, expression string) []byte {
	if jsonType(pg) != "string" {
		switch {
		case expression == "true", expression == "false":
			dst = append(appendKey(dst, "default"), expression...)
		case isNumber(expression):
			dst = jsontext.AppendNumber(appendKey(dst, "default"), expression)
		}
		return dst
	}
	if text, ok := strings.CutSuffix(expression, "::"+pg); ok {
		expression = strings.Trim(text, "'")
	}
	// PostgREST parses the text between the quotes as JSON, including escapes.
	var value string
	if json.Unmarshal([]byte(`"`+expression+`"`), &value) != nil {
		return dst
	}
	return jsontext.AppendString(appendKey(dst, "default"), value)
}

// isNumber reports whether the text is a JSON number. No other JSON value
// starts like a number, and white space after the value is not part of the
// number.
func isNumber(text string) bool {
	return text != "" && (text[0] == '-' || isDigit(text[0])) && isDigit(text[len(text)-1]) && json.Valid([]byte(text))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
