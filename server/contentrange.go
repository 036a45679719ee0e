package server

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
)

// topRange is the range of the requested relation: limit= and offset= within
// the Range header. Only GET and QUERY follow the header, and PUT must have no limits.
func topRange(method []byte, limits, header parser.Range) (parser.Range, error) {
	if string(method) != fasthttp.MethodGet && string(method) != fasthttp.MethodQuery {
		header = parser.AllRange
	}
	top := limits.LimitZero(header.Intersect(limits))
	switch {
	case limits.HasLimitZero() && top.IsEmpty():
	case header.IsEmpty():
		return top, errLowerAboveUpper
	case top.IsEmpty():
		return top, errNegativeLimit
	}
	if string(method) == fasthttp.MethodPut && !top.IsAll() {
		return top, errPutRange
	}
	return top, nil
}

// appendContentRange appends the Content-Range of a response with the rows
// lower to upper, both counted from 0. Without hasTotal the total is unknown.
func appendContentRange(dst []byte, lower, upper, total int64, hasTotal bool) []byte {
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

// rangeStatus is the status of a response with that Content-Range.
func rangeStatus(lower, upper, total int64, hasTotal bool) int {
	switch {
	case !hasTotal:
		return fasthttp.StatusOK
	case lower > total:
		return fasthttp.StatusRequestedRangeNotSatisfiable
	case 1+upper-lower < total:
		return fasthttp.StatusPartialContent
	}
	return fasthttp.StatusOK
}
