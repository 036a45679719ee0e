package jsontext

import (
	"math"
	"strconv"
	"strings"
)

// Decimal is a number as the product of a coefficient and a power of ten, both
// as written. PostgREST keeps numbers in this form. Its notation and the range
// of its whole numbers follow from it.
type Decimal struct {
	negative bool
	digits   string // of the coefficient, without leading zeros; "" is zero
	exponent int
}

// hugeExponent stands for exponents too large to be written as an int.
const hugeExponent = math.MaxInt32

// ParseDecimal reads a valid JSON number. Leading zeros are accepted.
func ParseDecimal(number string) Decimal {
	var d Decimal
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

// Int64 returns the number if it is a whole number of 64 bits, else 0 and false.
func (d Decimal) Int64() (n int64, ok bool) {
	digits := strings.TrimRight(d.digits, "0")
	exponent := d.exponent + len(d.digits) - len(digits)
	switch {
	case digits == "":
		return 0, true
	case exponent < 0 || exponent > 18:
		return 0, false
	}
	digits += strings.Repeat("0", exponent)
	if d.negative {
		digits = "-" + digits
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n, true
	}
	return 0, false
}

// AppendNumber appends a JSON number in PostgREST's notation: an integer if it is
// written without a fraction and with an exponent of at most 1024, otherwise as
// AppendFraction does.
func AppendNumber(dst []byte, number string) []byte {
	d := ParseDecimal(number)
	if d.exponent < 0 || d.exponent > 1024 {
		return d.AppendFraction(dst)
	}
	if d.digits == "" {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(dst, d.digits...)
	for range d.exponent {
		dst = append(dst, '0')
	}
	return dst
}

// AppendFraction appends the number with a fraction, and outside [0.1, 10^7)
// with an exponent too.
func (d Decimal) AppendFraction(dst []byte) []byte {
	digits := strings.TrimRight(d.digits, "0")
	if digits == "" {
		return append(dst, "0.0"...)
	}
	if d.negative {
		dst = append(dst, '-')
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
