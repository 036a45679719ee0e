package planner

import (
	"sync"
	"sync/atomic"
)

// limits decides which numbers may stand in SQL text as LIMIT, or as OFFSET of the
// root.
//
// PostgreSQL plans a constant LIMIT better, and only once. A LIMIT parameter
// makes it plan every execution, which costs 13 % of a page of 100 rows. But
// each number in the text makes another statement in every cache, and clients
// choose the numbers. So a number is admitted only if it recurs, and at most
// maxInlined are admitted at a time: an application has few page sizes. If
// there is no free place, a new number takes the place of one that was not used
// lately. So a client cannot occupy all places for good.
type limits struct {
	admitted [maxInlined]admittedLimit // filled from the front; read without a lock

	mu   sync.Mutex // guards what follows, and writes to admitted
	seen [256]seenLimit
	hand int // the place to look at next
}

type admittedLimit struct {
	value atomic.Int64 // limit + 1; 0 if the place is free
	used  atomic.Bool
}

// seenLimit counts one of the limits that share its cell.
type seenLimit struct {
	value int64
	times uint8
}

const (
	maxInlined  = 32
	admitAfter  = 8
	largestText = 1 << 32
)

// inline returns limit if it may stand in SQL text, else -1.
func (l *limits) inline(limit int64) int64 {
	if limit < 0 || limit >= largestText {
		return -1
	}
	// Fast path.
	for i := range l.admitted {
		a := &l.admitted[i]
		switch a.value.Load() {
		case limit + 1:
			if !a.used.Load() { // avoid a write to a cache line that all cores read
				a.used.Store(true)
			}
			return limit
		case 0:
			return l.count(limit)
		}
	}
	return l.count(limit)
}

// count counts a limit that is not admitted, and admits it once it has come
// often enough. Of several limits in one cell, the most frequent stays: another
// one lowers its count by 1 instead of resetting it.
func (l *limits) count(limit int64) int64 {
	if !l.mu.TryLock() {
		return -1 // a missed count costs less than waiting
	}
	defer l.mu.Unlock()
	cell := &l.seen[uint64(limit)*0x9E3779B97F4A7C15>>56]
	switch {
	case cell.times == 0:
		*cell = seenLimit{limit, 1}
		return -1
	case cell.value != limit:
		cell.times--
		return -1
	case cell.times < admitAfter:
		cell.times++
		return -1
	}
	for i := range l.admitted { // another goroutine may have admitted it
		if l.admitted[i].value.Load() == limit+1 {
			return limit
		}
	}
	a := l.place()
	if a == nil {
		return -1
	}
	cell.times = 0
	a.used.Store(true)
	a.value.Store(limit + 1)
	return limit
}

// place returns a place for a new limit: a free one, or that of a limit which
// was not used since the hand last passed. Otherwise it returns nil. Each call
// moves the hand by at most one place. So limits in use keep their places
// unless new limits come faster than uses.
func (l *limits) place() *admittedLimit {
	for i := range l.admitted {
		if a := &l.admitted[i]; a.value.Load() == 0 {
			return a
		}
	}
	a := &l.admitted[l.hand]
	l.hand = (l.hand + 1) % maxInlined
	if a.used.Swap(false) {
		return nil
	}
	return a
}
