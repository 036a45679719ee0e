package parser

import (
	"math/big"
	"strconv"
)

// Range is a range of rows, counted from 0. A bound beyond int64 is saturated in
// Lower and Upper. AppendLimit and AppendOffset print it exactly, and PostgreSQL
// refuses it.
type Range struct {
	Lower     int64
	Upper     int64 // inclusive; not used if Unbounded
	Unbounded bool

	lower *big.Int // exact bounds beyond int64
	upper *big.Int
}

// AllRange is the range of all rows.
var AllRange = Range{Unbounded: true}

// zeroRange is the range of limit=0: an empty range that is not an error.
var zeroRange = Range{Lower: 0, Upper: -1}

// emptyRange is the intersection of ranges without common rows. Unlike zeroRange
// it is an error.
var emptyRange = Range{Lower: 1, Upper: 0}

// ParseRange returns the range from row lower to row upper, or to the last row
// if upper is empty. It accepts decimal digits only, where limit= accepts more.
// ok is false for anything else.
func ParseRange(lower, upper []byte) (r Range, ok bool) {
	from, ok := decimalNumber(lower)
	if !ok || len(upper) == 0 {
		return rangeFrom(from), ok
	}
	to, ok := decimalNumber(upper)
	return makeRange(from, to), ok
}

func decimalNumber(s []byte) (number, bool) {
	for _, c := range s {
		if c-'0' > 9 {
			return number{}, false
		}
	}
	return parseNumber(s)
}

func makeRange(lower, upper number) Range {
	return Range{Lower: lower.small, Upper: upper.small, lower: lower.large, upper: upper.large}
}

func rangeFrom(lower number) Range {
	return Range{Lower: lower.small, Unbounded: true, lower: lower.large}
}

func (r Range) from() number { return number{r.Lower, r.lower} }
func (r Range) to() number   { return number{r.Upper, r.upper} }

// IsAll reports whether the range is all rows.
func (r Range) IsAll() bool { return r.Unbounded && r.from().is(0) }

// IsEmpty reports whether the range has no rows, as with a zero or negative limit.
func (r Range) IsEmpty() bool { return !r.Unbounded && r.to().compare(r.from()) < 0 }

// HasLimitZero reports whether the range comes from limit=0. Like in PostgREST,
// all ranges that end at row -1 do.
func (r Range) HasLimitZero() bool { return !r.Unbounded && r.to().is(-1) }

// LimitZero returns fallback, or the range of limit=0 if r comes from limit=0.
func (r Range) LimitZero(fallback Range) Range {
	if r.HasLimitZero() {
		return zeroRange
	}
	return fallback
}

// Intersect returns the rows that are in both ranges.
func (r Range) Intersect(s Range) Range {
	if r.IsEmpty() || s.IsEmpty() {
		return emptyRange
	}
	if r.from().compare(s.from()) < 0 {
		r.Lower, r.lower = s.Lower, s.lower
	}
	if !s.Unbounded && (r.Unbounded || s.to().compare(r.to()) < 0) {
		r.Upper, r.upper, r.Unbounded = s.Upper, s.upper, false
	}
	return r
}

// Restrict limits the range to its first maxRows rows. It does not change an empty
// range, but returns the range of limit=0 if r comes from limit=0. Without a
// maximum r.LimitZero(r) does the latter.
func (r Range) Restrict(maxRows int64) Range {
	if r.HasLimitZero() {
		return zeroRange
	}
	if r.IsEmpty() {
		return r
	}
	upper := sum(r.from(), number{small: maxRows}, -1)
	if r.Unbounded || upper.compare(r.to()) < 0 {
		r.Upper, r.upper, r.Unbounded = upper.small, upper.large, false
	}
	return r
}

// AndOne adds the row behind a bounded range, if its number of rows stays within int64.
func (r Range) AndOne() Range {
	longer := r
	to := sum(r.to(), number{}, 1)
	longer.Upper, longer.upper = to.small, to.large
	if _, ok := longer.Limit(); !ok {
		return r
	}
	return longer
}

// Limit is the number of rows in the range. ok is false for an unbounded range and
// for numbers beyond int64.
func (r Range) Limit() (rows int64, ok bool) {
	if r.Unbounded {
		return 0, false
	}
	n := r.rows()
	return n.small, n.large == nil
}

// rows is the length of a bounded range, negative for a negative limit.
func (r Range) rows() number {
	if r.lower == nil && r.upper == nil {
		if n := r.Upper - r.Lower; (n < r.Upper) == (r.Lower > 0) && n+1 > n {
			return number{small: n + 1}
		}
	}
	n := new(big.Int).Sub(r.to().int(), r.from().int())
	return normal(n.Add(n, big.NewInt(1)))
}

// AppendLimit appends the operand of LIMIT. It appends nothing for an unbounded
// range. PostgreSQL refuses a negative limit.
func (r Range) AppendLimit(dst []byte) []byte {
	if r.Unbounded {
		return dst
	}
	return appendNumber(dst, r.rows())
}

// AppendOffset appends the operand of OFFSET.
func (r Range) AppendOffset(dst []byte) []byte { return appendNumber(dst, r.from()) }

func appendNumber(dst []byte, n number) []byte {
	if n.large != nil {
		return n.large.Append(dst, 10)
	}
	return strconv.AppendInt(dst, n.small, 10)
}

// Bits of Range.Shape.
const (
	ShapeBounded  = 1 << iota // it has an end, and needs LIMIT
	ShapeZero                 // it comes from limit=0
	ShapeFollowed             // it begins after row 0, and needs OFFSET
)

// Shape is the effect of the range on a statement, without its numbers.
func (r Range) Shape() (s byte) {
	if !r.Unbounded {
		s |= ShapeBounded
	}
	if r.HasLimitZero() {
		s |= ShapeZero
	}
	if !r.from().is(0) {
		s |= ShapeFollowed
	}
	return s
}
