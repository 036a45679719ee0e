package parser

import (
	"bytes"
	"math/big"
	"slices"
	"strconv"
)

// Range is a range of rows, counted from 0. It may be of any size: a bound
// beyond int64 is exact where the range is printed for PostgreSQL, which is
// the one to refuse it, and saturated in Lower and Upper.
type Range struct {
	Lower     int64
	Upper     int64 // inclusive; of no meaning when Unbounded
	Unbounded bool

	lower *big.Int // exact bounds beyond int64
	upper *big.Int
}

// AllRange is all rows.
var AllRange = Range{Unbounded: true}

// zeroRange is what limit=0 asks for: a range without rows that is no mistake.
var zeroRange = Range{Lower: 0, Upper: -1}

// emptyRange stands for the intersection of ranges that do not meet. It differs
// from zeroRange because it is a mistake.
var emptyRange = Range{Lower: 1, Upper: 0}

func makeRange(lower, upper number) Range {
	return Range{Lower: lower.small, Upper: upper.small, lower: lower.large, upper: upper.large}
}

func rangeFrom(lower number) Range {
	return Range{Lower: lower.small, Unbounded: true, lower: lower.large}
}

func (r Range) from() number { return number{r.Lower, r.lower} }
func (r Range) to() number   { return number{r.Upper, r.upper} }

// IsAll tells whether the range is all rows.
func (r Range) IsAll() bool { return r.Unbounded && r.from().is(0) }

// IsEmpty tells whether the range holds no row; a zero or negative limit makes
// one too.
func (r Range) IsEmpty() bool { return !r.Unbounded && r.to().compare(r.from()) < 0 }

// HasLimitZero tells whether the range comes from limit=0. Any range that ends
// at row -1 counts, whatever its limit was.
func (r Range) HasLimitZero() bool { return !r.Unbounded && r.to().is(-1) }

// LimitZero is fallback, unless r comes from limit=0: then it is the range
// without rows that passes where other empty ranges are refused.
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

// Restrict cuts the range to maxRows rows from its first one. A range without
// rows stays as it is. Where no maximum is set, r.LimitZero(r) does the rest of
// what Restrict does.
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

// Limit is the number of rows in the range, for use where an int64 must do:
// ok is false for an unbounded range and for numbers beyond int64.
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

// AppendLimit appends the operand of LIMIT, which is nothing for an unbounded
// range. A negative limit is passed on: PostgreSQL has the error for it.
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

// What a range changes in a statement.
const (
	ShapeBounded  = 1 << iota // it has an end, and needs LIMIT
	ShapeZero                 // it comes from limit=0
	ShapeFollowed             // it does not begin at row 0, and needs OFFSET
)

// Shape tells what the range changes in a statement, its numbers left out.
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

// ParseRangeHeader reads a Range header of the form 0-9 or 10-. Every other
// header asks for all rows.
func ParseRangeHeader(header []byte) Range {
	dash := bytes.IndexByte(header, '-')
	if dash < 1 {
		return AllRange
	}
	lower, ok := headerNumber(header[:dash])
	if !ok {
		return AllRange
	}
	if dash == len(header)-1 {
		return rangeFrom(lower)
	}
	upper, ok := headerNumber(header[dash+1:])
	if !ok {
		return AllRange
	}
	return makeRange(lower, upper)
}

// headerNumber takes digits only, where limit= takes more.
func headerNumber(s []byte) (number, bool) {
	for _, c := range s {
		if c-'0' > 9 {
			return number{}, false
		}
	}
	return parseNumber(s)
}

// rangeParam collects limit= and offset= of one embed path; the last of each
// counts. Paths are told apart by how they are written, not by what they mean.
type rangeParam struct {
	prefix              []byte // the key up to its last dot, which is included
	limit, offset       []byte
	hasLimit, hasOffset bool
}

// rangeEntry finds the entry for a path or makes it.
func (q *Query) rangeEntry(prefix []byte) *rangeParam {
	for i := range q.rangeText {
		if bytes.Equal(q.rangeText[i].prefix, prefix) {
			return &q.rangeText[i]
		}
	}
	q.rangeText = append(q.rangeText, rangeParam{prefix: prefix})
	return &q.rangeText[len(q.rangeText)-1]
}

// readRanges makes Ranges of what was collected, sorted by the text in front of
// limit or offset. The order matters where two ranges lead to one embed, which
// has two names or a path with two spellings: the later one counts. It does not
// depend on the order in the query string, so that a key of a plan does not
// either.
//
// A key that is no path is not an error here, because PostgREST reports it when
// it plans the statement, see RangeError. A range of the root is dropped unless
// its key is just limit or offset.
func (q *Query) readRanges() {
	slices.SortFunc(q.rangeText, func(a, b rangeParam) int { return bytes.Compare(a.prefix, b.prefix) })
	for i := range q.rangeText {
		e := &q.rangeText[i]
		pr := PathRange{Range: e.rows()}
		if len(e.prefix) > 0 {
			l := lexer{q: q, s: e.prefix}
			var ok bool
			if pr.Path, ok = l.rangePath(); !ok {
				q.badRange = int32(i)
				continue
			}
			if pr.Path.N == 0 {
				continue
			}
		}
		q.Ranges = append(q.Ranges, pr)
	}
}

// rangePath consumes names that end in dots, followed by the reserved word that
// has been cut off. Like all keys it may break off at a character that is in no
// name, and then its last name is not part of the path.
func (l *lexer) rangePath() (Names, bool) {
	off := len(l.q.Names)
	for !l.done() {
		name, ok := l.name()
		if !ok {
			return Names{}, false
		}
		if !l.take('.') {
			_, ok = l.jsonPath()
			return l.namesFrom(off), ok
		}
		l.q.Names = append(l.q.Names, name)
	}
	return l.namesFrom(off), true
}

func (l *lexer) namesFrom(off int) Names { return Names{int32(off), int32(len(l.q.Names) - off)} }

// rows combines limit and offset. An offset that is no number is 0; a limit
// that is none is no limit, but 0 beside an offset.
func (e *rangeParam) rows() Range {
	var limit, offset number
	limited, moved := false, false
	if e.hasLimit {
		limit, limited = parseNumber(e.limit)
	}
	if e.hasOffset {
		offset, moved = parseNumber(e.offset)
	}
	switch {
	case e.hasLimit && e.hasOffset, limited:
		return makeRange(offset, sum(offset, limit, -1))
	case moved:
		return rangeFrom(offset)
	}
	return AllRange
}

// RangeUse is what a request's method means to its ranges.
type RangeUse uint8

const (
	RangeOther RangeUse = iota
	RangeGet            // the only method that heeds the Range header
	RangePut            // must not have a range
)

// RangeProblem is what is wrong with the range of the request's own relation.
type RangeProblem uint8

const (
	RangeFine RangeProblem = iota
	RangeNegativeLimit
	RangeLowerGTUpper
	RangePutNotAllowed
)

// TopRange is the range of the request's own relation: limit= and offset=
// within the Range header. The header is not part of AppendShape's key: where it
// counts, add Range.Shape of the result.
func (q *Query) TopRange(use RangeUse, header Range) (Range, RangeProblem) {
	if use != RangeGet {
		header = AllRange
	}
	limits := AllRange
	for i := range q.Ranges {
		if q.Ranges[i].Path.N == 0 {
			limits = q.Ranges[i].Range
			break
		}
	}
	top := limits.LimitZero(header.Intersect(limits))
	switch {
	case top.IsEmpty() && !limits.HasLimitZero():
		if header.IsEmpty() {
			return top, RangeLowerGTUpper
		}
		return top, RangeNegativeLimit
	case use == RangePut && !top.IsAll():
		return top, RangePutNotAllowed
	}
	return top, RangeFine
}

// AppendContentRange appends the Content-Range of an answer that holds the rows
// lower to upper, out of total if that is known.
func AppendContentRange(dst []byte, lower, upper, total int64, hasTotal bool) []byte {
	if lower <= upper && !(hasTotal && total == 0) {
		dst = strconv.AppendInt(dst, lower, 10)
		dst = append(dst, '-')
		dst = strconv.AppendInt(dst, upper, 10)
	} else {
		dst = append(dst, '*')
	}
	dst = append(dst, '/')
	if !hasTotal {
		return append(dst, '*')
	}
	return strconv.AppendInt(dst, total, 10)
}

// RangeStatus is the HTTP status of such an answer.
func RangeStatus(lower, upper, total int64, hasTotal bool) int {
	switch {
	case !hasTotal:
		return 200
	case lower > total:
		return 416
	case 1+upper-lower < total:
		return 206
	}
	return 200
}
