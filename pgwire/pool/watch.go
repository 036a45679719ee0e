package pool

import (
	"sync"
	"sync/atomic"
	"time"
)

// The pool looks at its callers and connections from time to time:
//
//   - Callers that have waited for too long are refused (expire, wait.go).
//   - Reads that are stuck behind a blocked read are sent again (resend.go).
//   - Flights that get no response in time are given up (pgwire.Conn.CheckDeadline).
//
// While callers wait or flights share connections, a look follows every
// watchInterval. Otherwise looks are rare: they are for the deadlines of flights.

const (
	watchInterval = 5 * time.Millisecond
	// While there are only deadlines, the time between two looks is a tenth of the
	// usual limit, within these bounds.
	shortestDeadlineInterval = 10 * time.Millisecond
	longestDeadlineInterval  = 5 * time.Second
)

// watch looks at the pool while there is something to look at.
type watch struct {
	due   atomic.Bool // the timer has been set to watchInterval
	timer *time.Timer
	mu    sync.Mutex // held during a look
	conns []*Conn    // of the look
}

func (w *watch) init(p *Pool) {
	w.timer = time.AfterFunc(time.Hour, p.look)
	w.timer.Stop()
}

// start makes sure that a look follows within watchInterval.
func (w *watch) start() {
	if !w.due.Load() && w.due.CompareAndSwap(false, true) {
		w.timer.Reset(watchInterval)
	}
}

// startLater makes sure that a look follows, within d at the latest.
func (w *watch) startLater(d time.Duration) {
	w.timer.Reset(d)
	if w.due.Load() { // start has set the timer in the meantime
		w.timer.Reset(watchInterval)
	}
}

func (p *Pool) look() {
	w := &p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due.Store(false) // first: what happens during the look starts the next one
	at := now()
	waiting := p.expire(at)
	p.mu.Lock()
	w.conns = append(w.conns[:0], p.all...)
	free := len(p.idle) > 0 || p.places < p.o.MaxConns
	p.mu.Unlock()
	shared := p.resendBlocked(w.conns, at, free)
	clock, limit := time.Now(), p.usualLimit()
	for _, c := range w.conns {
		c.CheckDeadline(&c.deadline, clock, limit)
	}
	open := len(w.conns) > 0
	clear(w.conns)
	switch {
	case waiting || shared:
		w.start()
	case open && limit > 0:
		w.startLater(min(max(limit/10, shortestDeadlineInterval), longestDeadlineInterval))
	}
}

// usualLimit is the FlightTimeout in force.
func (p *Pool) usualLimit() time.Duration { return time.Duration(p.flightTimeout.Load()) }

// SetFlightTimeout changes Options.FlightTimeout of a pool in use.
func (p *Pool) SetFlightTimeout(d time.Duration) {
	if p.flightTimeout.Swap(int64(d)) != int64(d) {
		p.watch.start()
	}
}
