package parser

import "bytes"

// parseAfter reads after=, the cursor of a page. A cursor has no dots, and so no operator.
// A text with an operator, such as after=gt.1, is a filter on a column called after. The
// first cursor counts.
func (q *Query) parseAfter(f *Filter, value []byte) bool {
	if q.Extensions&ExtAfter == 0 || !f.Plain || string(f.Field.Name) != "after" || bytes.IndexByte(value, '.') >= 0 {
		return false
	}
	if !q.HasAfter {
		q.After, q.HasAfter = value, true
	}
	return true
}
