package config

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

type valueKind uint8

const (
	textValue valueKind = iota
	numberValue
	boolValue
	listValue
)

// value is a value as parsed from the file. Values of other sources are strings.
type value struct {
	kind valueKind
	text string // of a text; the digits of a number
	on   bool
	list []value
}

func textOf(s string) value { return value{kind: textValue, text: s} }

// asText returns the text of a value. For other kinds it uses PostgREST's
// notation (`Bool False`), which is visible in app.settings and error messages.
func (v value) asText() string {
	if v.kind == textValue {
		return v.text
	}
	return string(v.appendNotation(nil))
}

func (v value) appendNotation(dst []byte) []byte {
	switch v.kind {
	case boolValue:
		if v.on {
			return append(dst, "Bool True"...)
		}
		return append(dst, "Bool False"...)
	case numberValue:
		return append(append(dst, "Number "...), notation(v.text)...)
	case listValue:
		dst = append(dst, "List ["...)
		for i, item := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.appendNotation(dst)
		}
		return append(dst, ']')
	default:
		return strconv.AppendQuote(append(dst, "String "...), v.text)
	}
}

// notation is a number with a fraction, and outside [0.1, 10^7) with an exponent.
func notation(number string) string {
	return string(jsontext.ParseDecimal(number).AppendFraction(nil))
}

// asInt parses whole numbers, with or without quotes. Anything else is absent.
func (v value) asInt() (int64, bool) {
	switch v.kind {
	case numberValue:
		return jsontext.ParseDecimal(v.text).Int64()
	case textValue:
		if n, ok := wholeNumber(v.text); ok && n.IsInt64() {
			return n.Int64(), true
		}
		return 0, false
	default:
		return 0, false
	}
}

// wholeNumber parses a text as PostgREST does: a minus is possible, hexadecimal and
// octal digits (0x1f, 0o17), and parentheses and white space around the number.
func wholeNumber(s string) (*big.Int, bool) {
	s = strings.TrimSpace(s)
	for strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	digits, negative := strings.CutPrefix(s, "-")
	digits = strings.ToLower(strings.TrimSpace(digits))
	base := 10
	if rest, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = rest, 16
	} else if rest, ok := strings.CutPrefix(digits, "0o"); ok {
		digits, base = rest, 8
	}
	if strings.ContainsAny(digits, "+-") { // a second sign
		return nil, false
	}
	n, ok := new(big.Int).SetString(digits, base)
	if ok && negative {
		n.Neg(n)
	}
	return n, ok
}

// asBool parses booleans; strings that spell one, in any case and with any
// characters around it; and strings of numbers, which are true if positive.
func (v value) asBool() (on, ok bool) {
	switch v.kind {
	case boolValue:
		return v.on, true
	case textValue:
		letters := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return -1
		}, v.text)
		switch {
		case strings.EqualFold(letters, "true"):
			return true, true
		case strings.EqualFold(letters, "false"):
			return false, true
		}
		n, ok := wholeNumber(v.text)
		return ok && n.Sign() > 0, ok
	default:
		return false, false
	}
}
