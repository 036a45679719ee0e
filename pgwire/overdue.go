package pgwire

import (
	"sync/atomic"
	"time"
)

// An answer that something between us and the server has lost never comes, and
// neither does an error. So a watcher looks at each connection now and then: a
// flight of which nothing has arrived for a time is given up. That costs a flight
// no timer and no look at the clock, only some counting.

// progress counts what happens on a connection. Bit 0 says that an answer is
// awaited; the top bit, that it was given up.
type progress struct {
	count atomic.Uint64
	limit atomic.Int64 // of the flight awaited, in ns; 0: the usual

	canceled chan struct{} // once given up: closed when the server has been asked
}

const (
	awaiting = 1
	event    = 2
	givenUp  = 1 << 63
)

// await begins to wait, or to wait for another flight.
func (p *progress) await(limit time.Duration) {
	if p.limit.Load() != int64(limit) {
		p.limit.Store(int64(limit))
	}
	if p.count.Load()&awaiting == 0 {
		p.count.Add(awaiting)
	} else {
		p.count.Add(event)
	}
}

// arrived notes that bytes have arrived.
func (p *progress) arrived() { p.count.Add(event) }

// rest ends the wait.
func (p *progress) rest() {
	if p.count.Load()&awaiting != 0 {
		p.count.Add(awaiting)
	}
}

// settle turns the error of a flight that was given up into what it is, and
// closes the connection. It returns when the cancel request is over.
func (c *Conn) settle(f *Flight, err error) error {
	if c.in.progress.count.Load()&givenUp == 0 {
		return err // fast path
	}
	c.breakOff()
	<-c.in.progress.canceled
	if err == nil {
		return nil
	}
	f.err, f.failed = &ConnError{Kind: Unanswered, Sent: true, Answered: c.answered}, -1
	return f.err
}

// Limit is how long the server may take to send something while the flight is
// awaited. 0 leaves it to the watcher.
func (f *Flight) Limit(d time.Duration) { f.limit = d }

// Vigil is what a watcher has seen of a connection.
type Vigil struct {
	count uint64
	since time.Time
}

// Overdue gives up the flight that the connection is busy with if nothing has
// arrived for its limit, or else for the usual one, and reports whether it did.
// If usual is 0 no flight has a limit. Overdue may be called from any goroutine,
// always with the same Vigil.
//
// The server is asked to cancel the flight, which fails with an error of kind
// Unanswered: when the server reacts, or after CancelWait.
func (c *Conn) Overdue(v *Vigil, now time.Time, usual time.Duration) bool {
	p := &c.in.progress
	n := p.count.Load()
	if n&givenUp != 0 {
		return false
	}
	if n != v.count || n&awaiting == 0 {
		v.count, v.since = n, now
		return false
	}
	limit := usual
	if own := time.Duration(p.limit.Load()); own > 0 {
		limit = own
	}
	if usual <= 0 || now.Sub(v.since) < limit {
		return false
	}
	canceled := make(chan struct{})
	p.canceled = canceled // read only after the bit is set
	if !p.count.CompareAndSwap(n, n|givenUp) {
		return false // something has arrived
	}
	go func() {
		defer close(canceled)
		c.cancel()
	}()
	return true
}
