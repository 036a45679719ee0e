package planner

import "sync/atomic"

// limits decides which numbers may stand in SQL text as LIMIT.
//
// PostgreSQL plans a LIMIT it knows better and only once; a LIMIT parameter
// keeps it on custom plans for ever (13 % of a page of 100 rows). But each
// number in the text is a statement of its own in every cache, and clients
// choose the numbers. So only a number that keeps coming back is let in, and
// only maxInlined of them: an application has a handful of page sizes.
type limits struct {
	seen     [1 << 8]atomic.Uint64 // limit<<16 | times seen, by hash of the limit
	admitted atomic.Int32
}

const (
	maxInlined  = 32
	admitAfter  = 8
	largestText = 1 << 32
)

// inline returns limit when it may stand in SQL text, else -1.
func (l *limits) inline(limit int64) int64 {
	if limit < 0 || limit >= largestText {
		return -1
	}
	cell := &l.seen[uint64(limit)*0x9E3779B97F4A7C15>>56]
	have := cell.Load()
	if have>>16 != uint64(limit) || have == 0 {
		if have&0xffff < admitAfter { // a newcomer takes the place of another newcomer
			cell.CompareAndSwap(have, uint64(limit)<<16|1)
		}
		return -1
	}
	// Fast path: an admitted limit is only read.
	if have&0xffff > admitAfter {
		return limit
	}
	if have&0xffff < admitAfter {
		cell.CompareAndSwap(have, have+1)
		return -1
	}
	if l.admitted.Add(1) > maxInlined {
		l.admitted.Add(-1)
		return -1
	}
	if !cell.CompareAndSwap(have, have+1) {
		l.admitted.Add(-1)
		return -1
	}
	return limit
}
