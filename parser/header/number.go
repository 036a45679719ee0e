package header

import (
	"math"
	"strconv"
)

// PostgREST parses numbers in headers (q= and max-affected=) as Haskell numbers,
// not with the grammar of HTTP: "5.", "(5)", "- 5", "0x1F" and "NaN" are numbers,
// ".5" and "+5" are not. The grammar is:
//
//	value  = space "(" value space ")" | [space "-"] space number
//	number = "0" ("x"|"o"|"b") digits | digits ["." digits] [e [sign] digits]

// lexeme is the text of one number, without its sign.
type lexeme struct {
	neg    bool
	base   uint8
	digits []byte // without base prefix; for base 10 with fraction and exponent
	whole  bool   // no fraction and no exponent
	word   bool   // NaN or Infinity, in digits
}

// maxParens is the maximum depth of parentheses. Deeper text is not a number.
const maxParens = 64

// readNumber parses the number at the beginning of b and returns the rest of b.
func readNumber(b []byte) (n lexeme, rest []byte, ok bool) {
	depth, neg := 0, false
	for b = skipSpace(b); len(b) > 0 && b[0] == '('; b = skipSpace(b[1:]) {
		if depth++; depth > maxParens {
			return n, nil, false
		}
	}
	if len(b) > 0 && b[0] == '-' {
		// A minus is a token only if no other symbol is next to it.
		if b = b[1:]; len(b) == 0 || isSymbol(b[0]) {
			return n, nil, false
		}
		neg, b = true, skipSpace(b)
	}
	if n, b, ok = lexNumber(b); !ok {
		return n, nil, false
	}
	n.neg = neg
	for ; depth > 0; depth-- {
		if b = skipSpace(b); len(b) == 0 || b[0] != ')' {
			return n, nil, false
		}
		b = b[1:]
	}
	return n, b, true
}

// lexNumber reads digits or one of the two number words. It returns values only,
// so that b does not escape to the heap.
func lexNumber(b []byte) (n lexeme, rest []byte, ok bool) {
	for _, w := range [...]string{"NaN", "Infinity"} {
		if hasPrefix(b, w) && (len(b) == len(w) || !isIdent(b[len(w)])) {
			return lexeme{word: true, digits: b[:len(w)]}, b[len(w):], true
		}
	}
	if len(b) > 2 && b[0] == '0' {
		if base := baseOf(b[1]); base != 0 {
			if i := countDigits(b[2:], base); i > 0 {
				return lexeme{base: base, whole: true, digits: b[2 : 2+i]}, b[2+i:], true
			}
		}
	}
	i := countDigits(b, 10)
	if i == 0 {
		return n, nil, false
	}
	whole := true
	if i < len(b) && b[i] == '.' {
		if f := countDigits(b[i+1:], 10); f > 0 {
			i, whole = i+1+f, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		j := i + 1
		if j < len(b) && (b[j] == '-' || b[j] == '+') {
			j++
		}
		if e := countDigits(b[j:], 10); e > 0 {
			i, whole = j+e, false
		}
	}
	return lexeme{base: 10, whole: whole, digits: b[:i]}, b[i:], true
}

// readInt64 parses a whole number. A number beyond int64 wraps around, as in
// PostgREST.
func readInt64(b []byte) (int64, bool) {
	n, rest, ok := readNumber(b)
	if !ok || n.word || !n.whole || len(skipSpace(rest)) != 0 {
		return 0, false
	}
	var v uint64
	for _, c := range n.digits {
		v = v*uint64(n.base) + uint64(digitValue(c))
	}
	if n.neg {
		v = -v
	}
	return int64(v), true
}

// readQuality parses a q value. Text that is not a number is 1. NaN is 1 too; in
// PostgREST its order depends on the algorithm of the sort.
func readQuality(b []byte) float64 {
	n, _, ok := readNumber(b)
	if !ok {
		return 1
	}
	v := n.float()
	if v != v {
		return 1
	}
	if n.neg {
		return -v
	}
	return v
}

func (n *lexeme) float() float64 {
	switch {
	case n.word && n.digits[0] == 'N':
		return math.NaN()
	case n.word:
		return math.Inf(1)
	case n.base != 10:
		v := 0.0
		for _, c := range n.digits {
			v = v*float64(n.base) + float64(digitValue(c))
		}
		return v
	}
	if v, ok := n.shortFloat(); ok {
		return v
	}
	v, _ := strconv.ParseFloat(string(n.digits), 64) // 0 or infinite if out of range
	return v
}

// shortFloat parses a usual q value without an allocation. Both numbers are exact
// in a float64, so one division rounds correctly.
func (n *lexeme) shortFloat() (v float64, ok bool) {
	if len(n.digits) > 15 {
		return 0, false
	}
	scale := 0.0
	for _, c := range n.digits {
		switch {
		case c == '.':
			scale = 1
		case !isDigit(c):
			return 0, false
		default:
			v = v*10 + float64(c-'0')
			scale *= 10
		}
	}
	return v / max(scale, 1), true
}

func baseOf(c byte) uint8 {
	switch c | 0x20 {
	case 'x':
		return 16
	case 'o':
		return 8
	case 'b':
		return 2
	}
	return 0
}

func countDigits(b []byte, base uint8) int {
	for i, c := range b {
		if digitValue(c) >= base {
			return i
		}
	}
	return len(b)
}

// digitValue returns a value beyond all bases for a byte that is not a digit.
func digitValue(c byte) uint8 {
	switch {
	case isDigit(c):
		return c - '0'
	case (c|0x20)-'a' < 6:
		return (c | 0x20) - 'a' + 10
	}
	return 255
}

func isSymbol(c byte) bool {
	switch c {
	case '!', '#', '$', '%', '&', '*', '+', '.', '/', '<', '=', '>', '?', '@', '\\', '^', '|', ':', '-', '~':
		return true
	}
	return false
}

func isIdent(c byte) bool { return isAlnum(c) || c == '_' || c == '\'' }

func skipSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}
