package config

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

type valueKind uint8

const (
	textValue valueKind = iota
	numberValue
	boolValue
	listValue
)

// value is a value as the file wrote it. Values from elsewhere are texts.
type value struct {
	kind valueKind
	text string // of a text; the digits of a number
	on   bool
	list []value
}

func textOf(s string) value { return value{kind: textValue, text: s} }

// asText gives the text of a value. For other kinds PostgREST falls back to
// the notation its implementation prints values in (`Bool False`), and since
// that ends up in app.settings and error messages, so do we.
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

// notation prints a number with a fraction, and with an exponent outside
// [0.1, 10^7).
func notation(number string) string {
	digits, exponent := decimal(number)
	if digits == "" {
		return "0.0"
	}
	point := len(digits) + exponent // digits before the point
	switch {
	case point > 0 && point <= 7:
		for len(digits) < point+1 {
			digits += "0"
		}
		return digits[:point] + "." + digits[point:]
	case point == 0:
		return "0." + digits
	default:
		rest := digits[1:]
		if rest == "" {
			rest = "0"
		}
		return digits[:1] + "." + rest + "e" + strconv.Itoa(point-1)
	}
}

// decimal splits an unsigned decimal number into its significant digits and
// the power of ten they count.
func decimal(number string) (digits string, exponent int) {
	mantissa := number
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa = number[:i]
		exponent, _ = strconv.Atoi(number[i+1:])
	}
	if i := strings.IndexByte(mantissa, '.'); i >= 0 {
		exponent -= len(mantissa) - i - 1
		mantissa = mantissa[:i] + mantissa[i+1:]
	}
	digits = strings.TrimLeft(mantissa, "0")
	trimmed := strings.TrimRight(digits, "0")
	return trimmed, exponent + len(digits) - len(trimmed)
}

// asInt reads whole numbers, with or without quotes. Anything else is absent.
func (v value) asInt() (int64, bool) {
	switch v.kind {
	case numberValue:
		digits, exponent := decimal(v.text)
		if exponent < 0 || exponent > 18 || len(digits) > 19 {
			return 0, digits == ""
		}
		n, err := strconv.ParseInt(digits+strings.Repeat("0", exponent), 10, 64)
		if digits == "" {
			return 0, true
		}
		return n, err == nil
	case textValue:
		n, err := strconv.ParseInt(wholeNumber(v.text), 10, 64)
		return n, err == nil
	default:
		return 0, false
	}
}

// wholeNumber gives the digits of a text that is a whole number with nothing
// but space around it, else "".
func wholeNumber(s string) string {
	s = strings.TrimSpace(s)
	for i := 0; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && (i > 0 || s[i] != '-') {
			return ""
		}
	}
	return s
}

// asBool reads booleans, and texts that spell one in any case and with any
// decoration, and texts of numbers, which are true when positive.
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
		n, ok := new(big.Int).SetString(wholeNumber(v.text), 10)
		return ok && n.Sign() > 0, ok
	default:
		return false, false
	}
}
