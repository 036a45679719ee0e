package pgwire

import (
	"errors"
	"slices"
	"sync"
)

// Sharing sends flights of several goroutines on one connection as one batch, each
// with its own Sync. This saves both sides system calls. The pool decides which flights
// share (see pool.Pool.Run).
//
// One goroutine appends the flights and flushes them. Then each flight is received by
// its own goroutine, one after the other, in the order of Append. The goroutine that has
// received a flight, and before the next one receives, may append more and flush them.
//
// The connection must have parsed all statements of a flight that is appended, because
// parsing changes the statement cache when the response arrives. The flight must be an
// implicit transaction, so that it cannot run inside the failed transaction block of
// another flight.
type Sharing struct {
	conn *Conn
	mu   sync.Mutex // guards conn.stmts and the fields below

	// Counts of flights, see abandon.
	flights  int  // appended, not received
	lost     int  // of them abandoned
	replaced int  // of them replaced
	bytes    int  // size of the flights that were appended and not received
	begun    bool // some have been sent
	sent     bool // all that were appended have been sent
	asking   bool // a cancel request is on its way
	asked    chan struct{}
}

// maxSharedBytes bounds the arguments of a flight that is appended, and the flights before
// it. All have to fit into the send buffer of any socket, because no goroutine reads
// while they are written.
const maxSharedBytes = 8 << 10

// Share begins to share the connection. Until Unshare it must not be used in another
// way. s must not be in use.
func (c *Conn) Share(s *Sharing) {
	s.conn = c
	s.mu.Lock() // a late Abandon may still read the state of the last batch
	s.flights, s.lost, s.replaced, s.bytes = 0, 0, 0, 0
	s.begun, s.sent, s.asking = false, false, false
	s.mu.Unlock()
	c.guard = &s.mu
	c.in.progress.await(0)
	c.out.reset()
}

// Unshare ends sharing. All flights must have been received.
func (c *Conn) Unshare() {
	c.guard = nil
	c.in.progress.rest()
	_ = c.settle(&c.own, nil)
}

// Append adds a flight to the batch and reports whether it did. It does not if the
// connection has not parsed a statement of the flight, or if the flight is too large. Once
// a part of the batch has been sent, it does not if the connection is broken or a cancel
// request may be sent, which could meet the flight.
func (s *Sharing) Append(f *Flight) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes > maxSharedBytes || !s.conn.knows(f) || s.begun && (s.conn.broken || s.asking || s.lost+s.replaced > 0) {
		return false
	}
	out := &s.conn.out
	n := len(out.buf)
	f.err, f.failed = nil, -1
	whole := false
	defer func() {
		if !whole {
			out.buf = out.buf[:n] // a part of a flight must not be sent
		}
	}()
	if whole = s.conn.encode(f) == nil; !whole {
		return false
	}
	f.size = len(out.buf) - n
	s.flights++
	s.bytes += f.size
	s.sent = false
	f.interruption.share(s)
	return true
}

// knows reports whether the flight is small, its statements are parsed, and no statement
// has to be closed first.
func (c *Conn) knows(f *Flight) bool {
	if c.stmts.off() || len(c.stmts.toClose) > 0 || f.simple != "" || c.session == DirtyStatements || c.retired != nil {
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

// Flush sends what was appended. It reports no error: if it fails, the connection is
// closed, and Receive finds that out.
func (s *Sharing) Flush() {
	if err := s.conn.write(s.conn.out.buf); err != nil {
		_ = s.conn.net.Close()
	}
	s.conn.out.reset()
	s.mu.Lock()
	s.begun, s.sent = true, true
	s.cancelIfLost()
	s.mu.Unlock()
}

// Receive reads the response to the next flight, which has to be f. If a Sink
// panics, the connection is broken off, and the flights behind fail.
func (s *Sharing) Receive(f *Flight) error {
	c := s.conn
	var err error
	if c.broken { // a retired connection still has responses
		err = &ConnError{Kind: Lost, Sent: true}
	} else {
		c.begun = false
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

// received records that a response has been read.
func (s *Sharing) received(f *Flight) (abandoned, asking bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights--
	s.bytes -= f.size
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

// Replace takes a flight out of the batch so that it can be run on another connection.
// The server runs it on this connection too, so the flight must only read. The
// replacement has to be received in its place. It discards the response, and can be
// abandoned.
func (s *Sharing) Replace(f *Flight) (replacement *Flight) {
	r := &Flight{
		steps: slices.Clone(f.steps), leaves: f.leaves, resets: f.resets, number: f.number, closes: f.closes, limit: f.limit,
		size: f.size, failed: -1,
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
	s.cancelIfLost() // the flight being received may have been abandoned before
	return r
}

var errReplaced = errors.New("sent again on another connection")

// abandon records that the response to a flight is not needed. A cancel request may
// meet any flight of the connection, so it is sent when none of the responses is needed.
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

// cancelIfLost sends a cancel request if all flights have been abandoned or replaced.
// Until the batch has been sent, more flights may follow.
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
		s.asked <- struct{}{} // Receive waits for this
	}()
	return true
}

// afterAbandon returns the error of an abandoned flight. asking reports that a cancel
// request was sent for it. For one request PostgreSQL sends its process two signals (one
// to the process, one to its group). The second may meet the next flight, which is
// abandoned as well.
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
		return &ConnError{Kind: Canceled, Sent: true, Begun: true, Err: f.interruption.cause}
	}
	return err
}
