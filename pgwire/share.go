package pgwire

import (
	"errors"
	"sync"
)

// Sharing lets flights of several goroutines follow each other on one
// connection, each with its own Sync, so that a busy connection costs neither
// side a system call per flight. The pool decides who may share with whom
// (see pool.Pool.Run); what is here is how.
//
// Sending and receiving are two things then. Any of the goroutines may append
// its flight to what goes out, under Sharing's lock; one of them at a time
// hands the bytes to the network. Receiving has an order: that of the flights.
// Whoever is first reads, and passes the turn on.
//
// Only flights that need nothing parsed can be appended, because parsing
// changes what the connection knows when the answer arrives. And only implicit
// transactions: another's failed transaction block must not be ours.
type Sharing struct {
	conn  *Conn
	mu    sync.Mutex // over conn.out and conn.stmts
	write sync.Mutex // over the network, in that direction
	spare []byte     // the other buffer

	// What follows is about flights nobody waits for any more; see abandon.
	flights int  // appended, not received
	lost    int  // of them abandoned
	closed  bool // nothing is appended any more
	asking  bool // a cancel request is on its way
	asked   chan struct{}
}

// maxSharedBytes bounds the arguments of a flight that is appended: what goes
// out together has to fit into any socket's buffer, so that nobody who is
// still to read is kept writing.
const maxSharedBytes = 8 << 10

// Share begins to share the connection, which nobody may use otherwise until
// Unshare. s is any Sharing that is not in use.
func (c *Conn) Share(s *Sharing) {
	s.conn = c
	s.mu.Lock() // somebody may still be asking to be added to what was shared before
	s.flights, s.lost, s.closed, s.asking = 0, 0, false, false
	s.mu.Unlock()
	c.guard = &s.mu
	c.out.reset() // what was sent before is still in there
}

// Unshare ends sharing. Everything appended must have been received.
func (c *Conn) Unshare() { c.guard = nil }

// Append adds a flight to what goes out, if it can be shared at all. open is
// asked first, under the lock, whether flights are still taken; added is
// called, under the lock, when f is in. It reports whether it is.
func (s *Sharing) Append(f *Flight, open func() bool, added func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Once it is closed the connection may belong to somebody else.
	if !open() || s.closed || !s.conn.knows(f) {
		return false
	}
	f.err, f.failed = nil, -1
	n := len(s.conn.out.buf)
	if s.conn.encode(f) != nil {
		s.conn.out.buf = s.conn.out.buf[:n] // half a flight must not go out
		return false
	}
	s.flights++
	f.interruption.share(s)
	added()
	return true
}

// knows reports whether the flight is small and needs nothing parsed here, and
// whether there is nothing left to tidy up.
func (c *Conn) knows(f *Flight) bool {
	if c.stmts.off() || len(c.stmts.doomed) > 0 || f.simple != "" || c.soil == SoiledStatements {
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

// Flush hands what has been appended to the network. A failure is not
// reported: whoever reads next finds the connection closed.
//
// taken is called, under the lock, when the bytes have been taken: what is
// appended after that needs another Flush.
func (s *Sharing) Flush(taken func()) {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	taken()
	b := s.conn.out.buf
	s.conn.out.buf = s.spare[:0]
	s.spare = nil
	s.mu.Unlock()
	if len(b) > 0 {
		if _, err := s.conn.net.Write(b); err != nil {
			_ = s.conn.net.Close()
		}
	}
	if cap(b) > keepOut {
		b = nil
	}
	s.mu.Lock()
	s.spare = b
	s.mu.Unlock()
}

// Locked runs fn under the lock.
func (s *Sharing) Locked(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// Turn is how the flight is told that it is its turn to be received.
func (f *Flight) Turn() chan struct{} {
	if f.turn == nil {
		f.turn = make(chan struct{}, 1)
	}
	return f.turn
}

// Receive reads the answer to the flight whose turn it is.
func (s *Sharing) Receive(f *Flight) error {
	c := s.conn
	var err error
	if c.broken {
		err = &ConnError{Kind: Lost, Sent: true}
	} else {
		c.answered = false
		err = c.read(f)
	}
	s.mu.Lock()
	s.flights--
	f.interruption.sharing.Store(nil)
	abandoned, asking := f.interruption.abandoned, s.asking
	if abandoned {
		s.lost--
	}
	s.mu.Unlock()
	if !abandoned {
		return err
	}
	return s.afterAbandon(f, err, asking)
}

// abandon notes that nobody waits for the answer to a flight that has been
// appended. A cancel request might meet any flight of the connection, so it is
// sent when nobody waits for any of them, and nobody may be added then.
func (s *Sharing) abandon(f *Flight, cause error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &f.interruption
	if in.sharing.Load() != s {
		return false // received meanwhile
	}
	if !in.abandoned {
		in.abandoned, in.cause = true, cause
		s.lost++
	}
	if s.asking || s.lost < s.flights {
		return false
	}
	if s.asked == nil {
		s.asked = make(chan struct{}, 1)
	}
	s.closed, s.asking = true, true
	go func() {
		s.conn.cancel()
		s.asked <- struct{}{} // Receive waits for it
	}()
	return true
}

// afterAbandon is how an abandoned flight ended. asking: a cancel request was
// meant for it. For one request PostgreSQL sends its process two signals (one
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
	var said *Error
	if errors.As(err, &said) && said.Code == queryCanceled {
		return &ConnError{Kind: Canceled, Sent: true, Answered: true, Err: f.interruption.cause}
	}
	return err
}
