package pgwire

import (
	"sync/atomic"
	"time"
)

// A response can get lost between the server and us, and then no error arrives
// either. So a watcher looks at each connection from time to time, and gives up a
// flight of which nothing has arrived for its limit. For the flight this costs a few
// atomic counters; it sets no timer and does not read the clock.

// progress counts what happens on a connection. Bit 0 says that a response is
// awaited, the top bit that it was given up.
type progress struct {
	count atomic.Uint64
	limit atomic.Int64 // of the flight awaited, in ns; 0: the usual limit

	canceled chan struct{} // once given up: closed after the cancel request
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

// settle returns the error of a flight. If the flight was given up, settle closes the
// connection, and returns after the cancel request.
func (c *Conn) settle(f *Flight, err error) error {
	if c.in.progress.count.Load()&givenUp == 0 {
		return err // fast path
	}
	c.breakOff()
	<-c.in.progress.canceled
	if err == nil {
		return nil
	}
	f.err, f.failed = &ConnError{Kind: NoResponse, Sent: true, Begun: c.begun}, -1
	return f.err
}

// Limit sets how long the connection waits for the flight while no bytes arrive. 0
// means the usual limit of the watcher.
func (f *Flight) Limit(d time.Duration) { f.limit = d }

// Sever fails the flight that the connection is busy with, or its next one, as if the
// connection had been lost. Any goroutine may call it.
func (c *Conn) Sever() { _ = c.net.SetDeadline(time.Unix(1, 0)) }

// DeadlineWatch is the state of a connection at the last check. Its zero value is ready
// for use.
type DeadlineWatch struct {
	count uint64
	since time.Time
}

// CheckDeadline gives up the flight that the connection is busy with if nothing has
// arrived for its limit, or the usual one, and reports whether it did. If usual is 0,
// no flight has a limit. Any goroutine may call CheckDeadline, one at a time and
// always with the same DeadlineWatch.
//
// The server is asked to cancel the flight. The flight fails with an error of kind
// NoResponse when the server reacts, or after Config.CancelWait.
func (c *Conn) CheckDeadline(w *DeadlineWatch, now time.Time, usual time.Duration) bool {
	p := &c.in.progress
	n := p.count.Load()
	if n&givenUp != 0 {
		return false
	}
	if n != w.count || n&awaiting == 0 {
		w.count, w.since = n, now
		return false
	}
	limit := usual
	if own := time.Duration(p.limit.Load()); own > 0 {
		limit = own
	}
	if usual <= 0 || now.Sub(w.since) < limit {
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
