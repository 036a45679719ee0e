package clients

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// listener makes conns, and can stop without losing a connection.
type listener struct {
	net.Listener
	buffer int // length of fasthttp's buffer, in bytes
	conns  *connections
	shared bool // other processes may listen on the port
	end    stopping
}

func newListener(l net.Listener, buffer int, shared bool) *listener {
	return &listener{Listener: l, buffer: buffer, conns: &connections{}, shared: shared, end: stopping{done: make(chan struct{})}}
}

func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.accept()
	if err != nil {
		return nil, err
	}
	c := l.newConn(nc)
	c.findSocket()
	l.conns.add(c)
	return c, nil
}

// deadlineListener is what a listener has to be to stop without losing a
// connection.
type deadlineListener interface {
	net.Listener
	SetDeadline(time.Time) error
}

const (
	// quietTime without a new connection means that the kernel's queue is empty.
	quietTime = 20 * time.Millisecond
	// handshakeTime is quietTime where no connection begins any more: handshakes
	// that have begun may take that long.
	handshakeTime = 200 * time.Millisecond
	// stopTime bounds the whole if clients go on connecting. It is less than the
	// second after which a client repeats an attempt that had no response.
	stopTime = 700 * time.Millisecond
	// maxLate is how many connections are accepted after stopTime: the most that
	// can be in the kernel's queue.
	maxLate = 4096
)

// stopping is the state of a listener that is being stopped.
type stopping struct {
	mu    sync.Mutex
	quiet time.Duration // 0: not stopping
	until time.Time
	late  int           // accepted after until
	done  chan struct{} // closed when the listener is
	once  sync.Once
}

// stopAccepting accepts all connections that the kernel has confirmed to clients,
// then closes the socket. It returns when that is done.
//
// With server-reuseport another process may listen on the same port, and the
// kernel chooses one of both for every client. So the kernel is first told to drop
// segments that would begin a connection with this process: the client sends them
// again after a second, when only the other process listens. Where that cannot be
// done (Linux only), a client that connects at the very moment of closing is reset.
// So is one whose handshake takes longer than handshakeTime. With the sysctl
// net.ipv4.tcp_migrate_req Linux (from 5.14 on) hands over even those.
func (l *listener) stopAccepting() {
	dl, ok := l.Listener.(deadlineListener)
	if !ok {
		_ = l.Listener.Close()
		return
	}
	quiet := quietTime
	if l.shared && dropSYN(l.Listener) {
		quiet = handshakeTime
	}
	if u, ok := l.Listener.(*unixListener); ok {
		u.unlink()
	}
	l.end.mu.Lock()
	l.end.quiet, l.end.until = quiet, time.Now().Add(stopTime)
	_ = dl.SetDeadline(time.Unix(1, 0)) // wakes Accept
	l.end.mu.Unlock()
	<-l.end.done
}

// accept is Accept that ends after stopAccepting.
func (l *listener) accept() (net.Conn, error) {
	dl, ok := l.Listener.(deadlineListener)
	if !ok {
		return retryAccept(l.Listener)
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
			_ = dl.SetDeadline(now.Add(quiet))
		}
		late := l.end.late > maxLate
		l.end.mu.Unlock()
		if late {
			break
		}
		nc, err := retryAccept(dl)
		if err == nil {
			return nc, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			l.closed()
			return nil, err
		}
		// On a busy machine the deadline may pass before the queue was looked at.
		if quiet > 0 && !readable(dl) {
			break
		}
	}
	_ = l.Listener.Close()
	l.closed()
	return nil, io.EOF // for fasthttp the orderly end
}

func (l *listener) closed() { l.end.once.Do(func() { close(l.end.done) }) }
