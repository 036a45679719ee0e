package clients

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// idleGrace is how long idle connections stay open. Busy clients come back
	// within milliseconds.
	idleGrace = 500 * time.Millisecond
	// CancelGrace is how long stopped requests may take: for the database to react
	// (pgwire.Config.CancelWait), and for the response.
	CancelGrace = 7 * time.Second
	// sendGrace is how long the sending of a response may take after the timeout. It
	// is enough for a response that was complete at that moment.
	sendGrace = 500 * time.Millisecond
)

// Shutdown ends a server, in this order:
//
//  1. It accepts no new connections, except for those that the kernel has already
//     confirmed to clients: closing the socket would reset them. See stopAccepting.
//  2. Requests under way finish, for up to timeout. Their responses should say
//     Connection: close. Idle connections stay open for idleGrace, so that a busy
//     client learns from a response that it should reconnect, rather than from a
//     reset of the request it is sending.
//  3. Idle connections are closed.
//  4. Requests that still run are told by Watched.ServerStopping, and get
//     CancelGrace to respond. If none runs, responses that are being sent get
//     sendGrace. Then all connections are closed.
func (s *Server) Shutdown(timeout time.Duration) error {
	l := s.listener
	l.stopAccepting()
	begun := time.Now()
	poll(idleGrace, func() bool { return l.conns.count() == 0 })
	l.conns.idle.close()
	// fasthttp takes a connection without a request for a busy one.
	l.conns.close(func(c *conn) bool { return !c.heardOf.Load() && !readable(c.Conn) })

	ctx, cancel := context.WithDeadline(context.Background(), begun.Add(timeout))
	defer cancel()
	err := s.HTTP.ShutdownWithContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) { // of the listener, which is closed already
		err = nil
	}
	stopped := time.Now()
	poll(CancelGrace, func() bool {
		open, told := l.conns.stopRequests()
		return open == 0 || told == 0 && time.Since(stopped) > sendGrace
	})
	l.conns.close(func(*conn) bool { return true })
	return err
}

// poll waits until done returns true or the timeout is over.
func poll(timeout time.Duration, done func() bool) {
	over := time.After(timeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-over:
			return
		case <-tick.C:
		}
	}
}

// stopRequests tells all requests that the server stops. It returns the number of
// connections that are still open, and how many of them had a request that was told,
// now or before.
func (s *connections) stopRequests() (open, told int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		c.mu.Lock()
		if c.running != nil {
			c.running.ServerStopping()
			c.told = true
		}
		if c.told {
			told++
		}
		c.mu.Unlock()
	}
	return len(s.all), told
}

// close closes connections.
func (s *connections) close(which func(*conn) bool) {
	s.mu.Lock()
	all := append([]*conn(nil), s.all...)
	s.mu.Unlock()
	for _, c := range all {
		if which(c) {
			_ = c.Close()
		}
	}
}

// readable reports whether a socket has bytes to read or a connection to accept.
// It is false for anything without a socket.
func readable(v any) (is bool) {
	sc, ok := v.(syscall.Conn)
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
