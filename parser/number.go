package parser

import (
	"bytes"
	"math"
	"math/big"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// number is an integer of any size.
type number struct {
	small int64
	large *big.Int // set if the number exceeds int64; small is saturated then
}

// parseNumber parses an integer of limit= or offset=. PostgREST reads these as
// Haskell literals: white space around each part, parentheses around the whole,
// one minus, and the prefixes 0x, 0o and 0b. There is no plus, fraction or
// exponent. The number is 0 if ok is false.
func parseNumber(s []byte) (n number, ok bool) {
	if len(s) > 0 && len(s) <= 18 { // only digits, few enough for an int64
		for _, c := range s {
			if c -= '0'; c > 9 {
				return parseLiteral(s)
			}
			n.small = n.small*10 + int64(c)
		}
		return n, true
	}
	return parseLiteral(s)
}

func parseLiteral(s []byte) (n number, ok bool) {
	s = skipSpace(s)
	open := 0
	for len(s) > 0 && s[0] == '(' {
		open++
		s = skipSpace(s[1:])
	}
	negative := false
	if len(s) > 0 && s[0] == '-' {
		negative = true
		s = skipSpace(s[1:])
	}
	n, s, ok = parseDigits(s, negative)
	if !ok {
		return number{}, false
	}
	for s = skipSpace(s); open > 0 && len(s) > 0 && s[0] == ')'; open-- {
		s = skipSpace(s[1:])
	}
	if open > 0 || len(s) > 0 {
		return number{}, false
	}
	return n, true
}

// parseDigits parses a number without its sign and returns the rest of s. A prefix
// without digits after it is the number 0 followed by a letter.
func parseDigits(s []byte, negative bool) (number, []byte, bool) {
	base := byte(10)
	if len(s) > 2 && s[0] == '0' {
		switch s[1] | 0x20 {
		case 'x':
			base = 16
		case 'o':
			base = 8
		case 'b':
			base = 2
		}
		if base != 10 {
			s = s[2:]
		}
	}
	end := 0
	for end < len(s) && jsontext.Unhex(s[end]) < base {
		end++
	}
	if end == 0 {
		return number{}, nil, false
	}
	n, ok := smallNumber(s[:end], base, negative)
	if !ok {
		n = largeNumber(s[:end], base, negative)
	}
	return n, s[end:], true
}

func smallNumber(digits []byte, base byte, negative bool) (number, bool) {
	var v int64
	for _, c := range digits {
		d := int64(jsontext.Unhex(c))
		if v > (math.MaxInt64-d)/int64(base) {
			return number{}, false
		}
		v = v*int64(base) + d
	}
	if negative {
		v = -v
	}
	return number{small: v}, true
}

func largeNumber(digits []byte, base byte, negative bool) number {
	v, ok := new(big.Int).SetString(string(digits), int(base))
	if !ok {
		return number{}
	}
	if negative {
		v.Neg(v)
	}
	return normal(v)
}

// normal returns v as a number, which is small if v fits.
func normal(v *big.Int) number {
	if v.IsInt64() {
		return number{small: v.Int64()}
	}
	n := number{small: math.MaxInt64, large: v}
	if v.Sign() < 0 {
		n.small = math.MinInt64
	}
	return n
}

// int is n as a big.Int.
func (n number) int() *big.Int {
	if n.large != nil {
		return n.large
	}
	return big.NewInt(n.small)
}

func (n number) compare(m number) int {
	if n.large != nil || m.large != nil {
		return n.int().Cmp(m.int())
	}
	switch {
	case n.small < m.small:
		return -1
	case n.small > m.small:
		return 1
	}
	return 0
}

func (n number) is(v int64) bool { return n.large == nil && n.small == v }

// sum is a + b + c.
func sum(a, b number, c int64) number {
	if a.large == nil && b.large == nil {
		if ab := a.small + b.small; (ab > a.small) == (b.small > 0) {
			if abc := ab + c; (abc > ab) == (c > 0) {
				return number{small: abc}
			}
		}
	}
	v := new(big.Int).Add(a.int(), b.int())
	return normal(v.Add(v, big.NewInt(c)))
}

func skipSpace(s []byte) []byte {
	if len(s) == 0 || (s[0] > ' ' && s[0] < utf8.RuneSelf) {
		return s
	}
	return bytes.TrimLeftFunc(s, isSpace)
}
