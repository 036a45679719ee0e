package parser

import "bytes"

// IsCursor reports whether a value of after= is the cursor of a page. A cursor has no dots,
// and so no operator. A text with an operator, such as gt.1, is a filter on a column called
// after.
func IsCursor(value []byte) bool { return bytes.IndexByte(value, '.') < 0 }

// parseAfter reads after=. The first cursor counts.
func (q *Query) parseAfter(f *Filter, value []byte) bool {
	if q.Extensions&ExtAfter == 0 || !f.Plain || string(f.Field.Name) != "after" || !IsCursor(value) {
		return false
	}
	if !q.HasAfter {
		q.After, q.HasAfter = value, true
	}
	return true
}
