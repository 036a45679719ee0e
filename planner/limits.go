package planner

import (
	"sync"
	"sync/atomic"
)

// limits decides which numbers may stand in SQL text as LIMIT.
//
// PostgreSQL plans a LIMIT it knows better and only once; a LIMIT parameter
// keeps it on custom plans for ever (13 % of a page of 100 rows). But each
// number in the text is a statement of its own in every cache, and clients
// choose the numbers. So only a number that keeps coming back is let in, and
// no more than maxInlined at a time: an application has a handful of page
// sizes. Where there is no room a newcomer takes the place of a number nobody
// has asked for lately, so that a client cannot take all places for good.
type limits struct {
	admitted [maxInlined]admittedLimit // filled from the front; read without a lock

	mu   sync.Mutex // guards what follows, and writes to admitted
	seen [256]seenLimit
	hand int // where to look next for a place to take
}

type admittedLimit struct {
	value atomic.Int64 // limit + 1; 0 is a free place
	used  atomic.Bool
}

// seenLimit counts one limit of those that share its cell.
type seenLimit struct {
	value int64
	times uint8
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
	// Fast path.
	for i := range l.admitted {
		a := &l.admitted[i]
		switch a.value.Load() {
		case limit + 1:
			if !a.used.Load() { // do not dirty the line for nothing
				a.used.Store(true)
			}
			return limit
		case 0:
			return l.count(limit)
		}
	}
	return l.count(limit)
}

// count notes a limit that is not admitted, and admits it once it has come
// often enough. Of several limits in one cell the most frequent stays: another
// one takes a step back from its count rather than all of it.
func (l *limits) count(limit int64) int64 {
	if !l.mu.TryLock() {
		return -1 // a miscount costs less than waiting
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
	for i := range l.admitted { // by somebody else, since we looked
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

// place finds a place for a newcomer: a free one, or that of a limit which was
// not used since the hand last passed. Every newcomer may move the hand by one
// place, so that places in use stay so unless newcomers come faster than uses.
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
