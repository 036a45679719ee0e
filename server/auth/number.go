package auth

import (
	"math"
	"strconv"
	"strings"
)

// decimal is a JSON number taken apart: coefficient times ten to the exponent,
// both as written. PostgREST keeps numbers that way, and both its notation and
// its idea of which numbers are times follow from it.
type decimal struct {
	negative bool
	digits   string // of the coefficient, without leading zeros; "" is zero
	exponent int
}

// hugeExponent stands for exponents too large to be written as an int.
const hugeExponent = math.MaxInt32

func parseDecimal(number string) decimal {
	var d decimal
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		d.negative, number = true, rest
	}
	mantissa := number
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa = number[:i]
		e, err := strconv.Atoi(strings.TrimPrefix(number[i+1:], "+"))
		switch {
		case err == nil:
			d.exponent = min(max(e, -hugeExponent), hugeExponent)
		case number[i+1] == '-':
			d.exponent = -hugeExponent
		default:
			d.exponent = hugeExponent
		}
	}
	if whole, fraction, found := strings.Cut(mantissa, "."); found {
		mantissa = whole + fraction
		d.exponent -= len(fraction)
	}
	d.digits = strings.TrimLeft(mantissa, "0")
	if d.digits == "" {
		d.negative = false
	}
	return d
}

// seconds gives the number if it is a whole one that fits 64 bits, else zero:
// that is how PostgREST reads times, and why a fractional or huge exp counts
// as expired.
func (d decimal) seconds() int64 {
	digits := d.digits
	exponent := d.exponent
	for exponent < 0 && strings.HasSuffix(digits, "0") {
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	if exponent < 0 || exponent > 18 || digits == "" {
		return 0
	}
	digits += strings.Repeat("0", exponent)
	if d.negative {
		digits = "-" + digits
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// appendNumber prints a number in PostgREST's notation: written without
// fraction and with a moderate exponent it is a plain integer, otherwise it
// has a fraction, and outside [0.1, 10^7) an exponent too.
func appendNumber(dst []byte, number string) []byte {
	d := parseDecimal(number)
	if d.negative {
		dst = append(dst, '-')
	}
	if d.exponent >= 0 && d.exponent <= 1024 {
		if d.digits == "" {
			return append(dst, '0')
		}
		dst = append(dst, d.digits...)
		for range d.exponent {
			dst = append(dst, '0')
		}
		return dst
	}
	digits := strings.TrimRight(d.digits, "0")
	if digits == "" {
		return append(dst, "0.0"...)
	}
	point := len(d.digits) + d.exponent // digits before the point
	switch {
	case point >= 1 && point <= 7:
		for len(digits) < point+1 {
			digits += "0"
		}
		dst = append(dst, digits[:point]...)
		return append(append(dst, '.'), digits[point:]...)
	case point == 0:
		return append(append(dst, "0."...), digits...)
	default:
		rest := digits[1:]
		if rest == "" {
			rest = "0"
		}
		dst = append(append(dst, digits[0], '.'), rest...)
		return strconv.AppendInt(append(dst, 'e'), int64(point-1), 10)
	}
}
