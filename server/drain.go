package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

// The end of the process, in this order:
//
//  1. Nothing new is accepted, but what clients have already been told is
//     accepted (they may have connected, and be in the socket's queue) is
//     taken: closing a socket resets those. See stopAccepting.
//  2. Requests under way finish, and their answers say Connection: close. For
//     a moment idle connections stay open, so that a busy client is told by an
//     answer, rather than by a reset of the request it was just sending.
//  3. Idle connections are closed.
//  4. What still runs after server-drain-timeout is cancelled, writes too, and
//     its clients are told.
//
// A second signal skips all that (cmd/fastgrest).

const (
	// idleGrace is how long idle connections stay open. Busy clients come back
	// within milliseconds.
	idleGrace = 500 * time.Millisecond
	// lastAnswers is how long cancelled requests may take: for the database to
	// react (pgwire.Config.CancelWait), and for the answer.
	lastAnswers = 7 * time.Second
	// adminPatience is how long a client of the admin port may take.
	adminPatience = time.Second
)

var errShuttingDown = newProblem(fasthttp.StatusServiceUnavailable, "PGRSTX05", "The server is shutting down")

func (s *Server) shutdown(http *fasthttp.Server, l *clientListener) {
	s.live.Store(false)
	s.draining.Store(true)
	l.stopAccepting()
	begun := time.Now()
	wait(time.After(idleGrace), func() bool { return l.clients.count() == 0 })
	l.clients.lot.close()
	// For fasthttp they are busy with their first request.
	l.clients.close(func(c *clientConn) bool { return !c.spoke.Load() && !readable(c.Conn) })

	ctx, cancel := context.WithDeadline(context.Background(), begun.Add(s.config().ServerDrainTimeout))
	defer cancel()
	if err := http.ShutdownWithContext(ctx); err != nil &&
		!errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, net.ErrClosed) { // the listener is closed already
		s.log.ShutdownFailed(err)
	}
	wait(time.After(lastAnswers), func() bool { return l.clients.abandon(errShuttingDown) == 0 })
	l.clients.close(func(*clientConn) bool { return true })
}

// wait polls until something is so or the time is up.
func wait(over <-chan time.Time, so func() bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-over:
			return
		case <-tick.C:
		}
	}
}

// abandon stops all requests, whatever they do. It returns the number of
// connections there are still.
func (s *clients) abandon(why error) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		c.mu.Lock()
		if c.running != nil {
			c.running.execution.Abandon(why, true)
		}
		c.mu.Unlock()
	}
	return len(s.all)
}

// close closes connections.
func (s *clients) close(which func(*clientConn) bool) {
	s.mu.Lock()
	all := append([]*clientConn(nil), s.all...)
	s.mu.Unlock()
	for _, c := range all {
		if which(c) {
			_ = c.Close()
		}
	}
}

// readable reports whether something waits to be read, or accepted.
func readable(l any) (is bool) {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds[:], 0)
		is = err == nil && n == 1 && fds[0].Revents&unix.POLLIN != 0
	})
	return is
}

// acceptor is what a listener has to be to stop without losing anybody.
type acceptor interface {
	net.Listener
	SetDeadline(time.Time) error
}

// Of the end of accepting.
const (
	// quietTime without a new connection means that the queue is empty.
	quietTime = 20 * time.Millisecond
	// handshakeTime is quietTime where nothing begins any more, but clients that
	// have begun to connect may take that long to be done with it.
	handshakeTime = 200 * time.Millisecond
	// stopTime bounds all of it where clients go on connecting. It is less than
	// the second after which a client repeats an attempt that had no answer.
	stopTime = 700 * time.Millisecond
	// mostLate is how many are taken after that: what may be in the queue.
	mostLate = 4096
)

// stopping is a listener's way to its end.
type stopping struct {
	mu    sync.Mutex
	quiet time.Duration // 0: not stopping
	until time.Time
	late  int           // taken after until
	done  chan struct{} // closed when the listener is
	once  sync.Once
}

// stopAccepting takes all that clients have been told is accepted, then closes
// the socket, and returns when that is done.
//
// With server-reuseport another process may already listen on the port, and
// the kernel chooses between us for every client. So it is first told to drop
// what would begin a connection with us: the client repeats it after a second,
// when there is nobody to choose but the other. Where that cannot be done
// (Linux only), a client that connects in the very moment of the closing is
// reset; so is one whose handshake takes longer than handshakeTime. With the
// sysctl net.ipv4.tcp_migrate_req Linux (from 5.14 on) hands over even those.
func (l *clientListener) stopAccepting() {
	a, ok := l.Listener.(acceptor)
	if !ok {
		_ = l.Listener.Close()
		return
	}
	quiet := quietTime
	if l.shared && refuseNew(l.Listener) {
		quiet = handshakeTime
	}
	if u, ok := l.Listener.(*unixListener); ok {
		u.unlink()
	}
	l.end.mu.Lock()
	l.end.quiet, l.end.until = quiet, time.Now().Add(stopTime)
	_ = a.SetDeadline(time.Unix(1, 0)) // wakes Accept
	l.end.mu.Unlock()
	<-l.end.done
}

// accept is Accept that ends when it has been stopped.
func (l *clientListener) accept() (net.Conn, error) {
	a, ok := l.Listener.(acceptor)
	if !ok {
		return acceptPatiently(l.Listener)
	}
	for {
		l.end.mu.Lock()
		quiet := l.end.quiet
		if quiet > 0 {
			now := time.Now()
			if now.After(l.end.until) {
				quiet = quietTime
				l.end.late++
			}
			_ = a.SetDeadline(now.Add(quiet))
		}
		late := l.end.late > mostLate
		l.end.mu.Unlock()
		if late {
			break
		}
		conn, err := acceptPatiently(a)
		if err == nil {
			return conn, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			l.closed()
			return nil, err
		}
		// A process that gets little time may have waited without looking.
		if quiet > 0 && !readable(a) {
			break
		}
	}
	_ = l.Listener.Close()
	l.closed()
	return nil, io.EOF // for fasthttp the orderly end
}

func (l *clientListener) closed() { l.end.once.Do(func() { close(l.end.done) }) }

// closePool waits for the pool's connections to be given back, which those are
// whose flights have been stopped.
func (s *Server) closePool() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.pool.Close()
	}()
	select {
	case <-done:
	case <-time.After(lastAnswers):
		s.log.ConnectionsLeft()
	}
}
