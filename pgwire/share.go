package pgwire

import (
	"errors"
	"slices"
	"sync"
)

// Sharing sends flights of several goroutines on one connection as one batch,
// each with its own Sync. A busy connection then costs neither side a system
// call per flight. The pool decides which flights share (see pool.Pool.Run);
// Sharing knows how.
//
// One goroutine appends the flights and flushes them. Each flight is received by
// the goroutine it belongs to, one after the other, in the order in which they
// were appended.
//
// Only flights of which the connection has parsed all statements can be
// appended, because parsing changes what the connection knows when the response
// arrives. And only implicit transactions: a flight must not run inside the
// failed transaction block of another one.
type Sharing struct {
	conn *Conn
	mu   sync.Mutex // over conn.stmts, and over what follows

	// The flights that no client waits for; see abandon.
	flights  int  // appended, not received
	lost     int  // of them abandoned
	replaced int  // of them replaced
	sent     bool // all have been appended and sent
	asking   bool // a cancel request is on its way
	asked    chan struct{}
}

// maxSharedBytes bounds the arguments of a flight that is appended, and how much
// is in the batch before it. A batch has to fit into the buffer of any socket:
// while it is written, no goroutine reads.
const maxSharedBytes = 8 << 10

// Share begins to share the connection. Until Unshare it must not be used in
// another way. s is a Sharing that is not in use.
func (c *Conn) Share(s *Sharing) {
	s.conn = c
	s.mu.Lock() // a late Abandon may still look at the last batch
	s.flights, s.lost, s.replaced, s.sent, s.asking = 0, 0, 0, false, false
	s.mu.Unlock()
	c.guard = &s.mu
	c.in.progress.await(0)
	c.out.reset() // it still has what was sent before
}

// Unshare ends sharing. All flights must have been received.
func (c *Conn) Unshare() {
	c.guard = nil
	c.in.progress.rest()
	_ = c.settle(&c.own, nil)
}

// Append adds a flight to the batch. It reports whether it has: the connection
// may not have parsed its statements yet, or it may be too large.
func (s *Sharing) Append(f *Flight) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &s.conn.out
	n := len(out.buf)
	if n > maxSharedBytes || !s.conn.knows(f) {
		return false
	}
	f.err, f.failed = nil, -1
	whole := false
	defer func() {
		if !whole {
			out.buf = out.buf[:n] // half a flight must not go out
		}
	}()
	if whole = s.conn.encode(f) == nil; !whole {
		return false
	}
	s.flights++
	f.interruption.share(s)
	return true
}

// knows reports whether the flight is small and needs nothing parsed here, and
// whether there is nothing left to tidy up.
func (c *Conn) knows(f *Flight) bool {
	if c.stmts.off() || len(c.stmts.doomed) > 0 || f.simple != "" || c.session == DirtyStatements || c.retired != nil {
		return false
	}
	n := 0
	for i := range f.args {
		n += len(f.args[i].bytes)
	}
	return n <= maxSharedBytes && c.knowsStatements(f)
}

func (c *Conn) knowsStatements(f *Flight) bool {
	for i := range f.steps {
		s := &f.steps[i]
		if s.desc != nil || s.unnamed || c.stmts.index[s.stmt] == nil {
			return false
		}
	}
	return true
}

// Flush sends the batch. It reports no error: if it fails, the connection is
// closed, and Receive finds that out.
func (s *Sharing) Flush() {
	if _, err := s.conn.net.Write(s.conn.out.buf); err != nil {
		_ = s.conn.net.Close()
	}
	s.mu.Lock()
	s.sent = true
	s.cancelIfLost()
	s.mu.Unlock()
}

// Receive reads the response to the next flight, which has to be f. If a Sink
// panics, the connection is broken off, and the flights behind fail.
func (s *Sharing) Receive(f *Flight) error {
	c := s.conn
	var err error
	if c.broken { // one that is retired still answers
		err = &ConnError{Kind: Lost, Sent: true}
	} else {
		c.answered = false
		c.in.progress.await(f.limit)
		err = c.settle(f, s.read(f))
	}
	abandoned, asking := s.received(f)
	if !abandoned {
		return err
	}
	return s.afterAbandon(f, err, asking)
}

func (s *Sharing) read(f *Flight) error {
	done := false
	defer func() {
		if !done {
			s.conn.breakOff()
			if _, asking := s.received(f); asking {
				<-s.asked
			}
		}
	}()
	err := s.conn.read(f)
	done = true
	return err
}

// received takes the flight out of those under way.
func (s *Sharing) received(f *Flight) (abandoned, asking bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights--
	f.interruption.sharing.Store(nil)
	switch {
	case !f.interruption.abandoned:
	case f.interruption.cause == errReplaced:
		s.replaced--
	default:
		s.lost--
	}
	return f.interruption.abandoned, s.asking
}

// Replace takes a flight out of the batch so that it can be run on another
// connection. The server runs it here nevertheless, so it must be one that only
// reads. The replacement has to be received instead: it discards the response, and
// can be abandoned.
func (s *Sharing) Replace(f *Flight) (replacement *Flight) {
	r := &Flight{
		steps: slices.Clone(f.steps), leaves: f.leaves, resets: f.resets, number: f.number, closes: f.closes, limit: f.limit, failed: -1,
	}
	for i := range r.steps {
		r.steps[i].sink = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.interruption.share(s)
	r.interruption.abandoned, r.interruption.cause = true, errReplaced
	s.replaced++
	if f.interruption.abandoned {
		s.lost--
	}
	f.interruption.abandoned = false
	f.interruption.sharing.Store(nil)
	s.cancelIfLost() // the client of the flight being received may have gone before
	return r
}

var errReplaced = errors.New("sent again on another connection")

// abandon notes that no client waits for the response to a flight. A cancel
// request may meet any flight of the connection, so it is sent when no client
// waits for any of them.
func (s *Sharing) abandon(f *Flight, cause error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &f.interruption
	if in.sharing.Load() != s {
		return false // received meanwhile
	}
	switch {
	case !in.abandoned:
		in.abandoned, in.cause = true, cause
		s.lost++
	case in.cause == errReplaced:
		in.cause = cause
		s.replaced--
		s.lost++
	}
	return s.cancelIfLost()
}

// cancelIfLost sends a cancel request if no client waits for any flight. Before the
// batch has been sent, flights that are waited for may follow.
func (s *Sharing) cancelIfLost() bool {
	if !s.sent || s.asking || s.lost == 0 || s.lost+s.replaced < s.flights {
		return false
	}
	if s.asked == nil {
		s.asked = make(chan struct{}, 1)
	}
	s.asking = true
	go func() {
		s.conn.cancel()
		s.asked <- struct{}{} // Receive waits for it
	}()
	return true
}

// afterAbandon returns the error of an abandoned flight. asking: a cancel request
// was meant for it. For one request PostgreSQL sends its process two signals (one
// to the process, one to its group), and the second may meet the next flight:
// that one is abandoned as well.
func (s *Sharing) afterAbandon(f *Flight, err error, asking bool) error {
	c := s.conn
	if asking {
		<-s.asked
		s.mu.Lock()
		s.asking = false
		s.mu.Unlock()
		return c.afterInterrupt(f, err)
	}
	if c.broken {
		return &ConnError{Kind: Canceled, Sent: true, Err: f.interruption.cause}
	}
	var local *ConnError
	if errors.As(err, &local) && local.Kind == ResetFailed {
		return &ConnError{Kind: Canceled, Err: f.interruption.cause}
	}
	var said *Error
	if errors.As(err, &said) && said.Code == QueryCanceled {
		return &ConnError{Kind: Canceled, Sent: true, Answered: true, Err: f.interruption.cause}
	}
	return err
}
