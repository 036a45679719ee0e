package openapi

import (
	"encoding/json"
	"strconv"
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
			dst = appendNumber(appendKey(dst, "default"), expression)
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

// maxZeros is the maximum number of zeros that replace an exponent. A number
// with more zeros keeps its exponent. A number with a fraction has an exponent
// unless it is at least 0.1 and less than ten million.
const maxZeros = 1024

// appendNumber appends a number in the form of PostgREST's encoder: 0.10
// becomes 0.1, 10.00 becomes 10.0, but 1e1 becomes 10.
func appendNumber(dst []byte, text string) []byte {
	mantissa, power, _ := strings.Cut(strings.ToLower(text), "e")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return append(dst, text...) // out of range
		}
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	if negative && digits != "" {
		dst = append(dst, '-')
	}
	if exponent >= 0 && exponent <= maxZeros {
		if digits == "" {
			return append(dst, '0')
		}
		return append(append(dst, digits...), strings.Repeat("0", exponent)...)
	}
	point := len(digits) + exponent // position in 0.digits
	digits = strings.TrimRight(digits, "0")
	switch {
	case digits == "":
		return append(dst, "0.0"...)
	case point == 0:
		return append(append(dst, "0."...), digits...)
	case 0 < point && point <= 7:
		digits += strings.Repeat("0", max(0, point+1-len(digits)))
		return append(append(append(dst, digits[:point]...), '.'), digits[point:]...)
	}
	if len(digits) == 1 {
		digits += "0"
	}
	dst = append(append(append(dst, digits[0], '.'), digits[1:]...), 'e')
	return strconv.AppendInt(dst, int64(point-1), 10)
}
