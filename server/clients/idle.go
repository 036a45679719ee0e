package clients

import (
	"errors"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// A connection between two requests costs fasthttp a goroutine, its stack, a
// RequestCtx and two buffers, some 17 KB, for as long as the client keeps it
// open. Browsers and connection pools keep thousands. So a connection that has
// been idle for a second is taken from fasthttp: its Read returns io.EOF, which
// makes fasthttp give everything back, and then Close does not close the socket
// but moves it to the idle list, where it is a map entry and a descriptor in one
// epoll set. When the client sends a byte, a new conn is served on the socket.
//
// A busy connection pays nothing: its state is noted under its own lock, and the
// watcher of watch.go finds out for how long it has been idle.
//
// Systems other than Linux have no idle list.

const (
	// idleAfter is the number of checks after which an idle connection is moved.
	idleAfter = int(time.Second / watchInterval)
	// maxWakes bounds how many are moved at one check: each wakes a goroutine.
	maxWakes = 500
	// sweepChecks is the number of checks between two sweeps of the idle list.
	sweepChecks = int(time.Second / watchInterval)
	// collectFrom connections moved are worth two garbage collections, which is
	// how long sync.Pool keeps what they gave back. A server whose requests
	// allocate nothing would not collect for minutes.
	collectFrom = 1000
	// collectEvery is the least time between two collections.
	collectEvery = 30 * time.Second
	// collectQuiet is the time in which no connection was moved before a
	// collection. fasthttp's goroutines without a connection end in it, too.
	collectQuiet = 2 * idleWorker
)

// idleState is what a conn knows of its being idle, under its mu.
type idleState struct {
	idle   bool // between two requests
	checks int  // of the watcher, while idle
	woken  bool // its Read has been woken in order to move it
	ended  bool // its Read has returned io.EOF for that
	moved  bool // the socket belongs to the idle list
}

// wakeIfIdle counts a check, and wakes the Read of a connection that has been idle
// for long enough. It does so by a deadline, which fasthttp replaces when a
// request begins (fact 6 of fasthttp.go); after that none is set here.
func (c *conn) wakeIfIdle(after int) (woken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.idle.idle || c.fd < 0 {
		return false
	}
	c.idle.checks++
	if c.idle.checks < after {
		return false
	}
	c.idle.woken = true
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	return true
}

// becomesIdle reports whether a Read failed because it was woken by wakeIfIdle.
func (c *conn) becomesIdle(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle.woken {
		c.idle = idleState{ended: true}
	}
	return c.idle.ended
}

// moveToIdle is the Close of a connection that becomes idle. It reports whether
// the socket belongs to the idle list and so must not be closed.
func (c *conn) moveToIdle() bool {
	c.mu.Lock()
	ended, moved := c.idle.ended, c.idle.moved
	if ended {
		c.idle = idleState{moved: true}
	}
	c.mu.Unlock()
	if ended {
		c.conns.idle.add(idleConn{conn: c.Conn, raw: c.raw, fd: c.fd})
	}
	return ended || moved
}

// idleConn is a connection of the idle list.
type idleConn struct {
	conn  net.Conn
	raw   syscall.RawConn
	fd    int
	until time.Time
}

// idleList has the idle connections of a listener.
type idleList struct {
	listener *listener
	http     *fasthttp.Server // serves connections again; has the timeout
	after    int              // checks of the watcher before a connection is moved
	collect  func()           // collects garbage

	mu     sync.Mutex
	closed bool
	epoll  *epoll
	all    map[int]idleConn // by descriptor

	added     int // since the last collection
	lastAdded time.Time
	collected time.Time
}

// keepIdle gives the listener an idle list.
func (l *listener) keepIdle(http *fasthttp.Server) {
	// The descriptor is taken now: later there may be none left.
	epoll, err := newEpoll()
	if err != nil {
		return
	}
	http.MaxIdleWorkerDuration = idleWorker
	l.conns.idle = &idleList{listener: l, http: http, after: idleAfter, collect: collectPools, epoll: epoll, all: make(map[int]idleConn)}
	go l.conns.idle.watch()
}

func collectPools() {
	runtime.GC()
	debug.FreeOSMemory() // begins with a collection
}

// add takes over a connection. If epoll refuses it, fasthttp serves it again.
func (l *idleList) add(i idleConn) {
	_ = i.conn.SetDeadline(time.Time{})
	i.until = time.Now().Add(l.http.IdleTimeout)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = i.conn.Close()
		return
	}
	l.all[i.fd] = i
	if l.epoll.add(i.fd) != nil {
		delete(l.all, i.fd)
		go l.serve(i)
		return
	}
	l.added++
	l.lastAdded = time.Now()
}

// serve has fasthttp serve a connection until it is closed, or idle again.
func (l *idleList) serve(i idleConn) {
	c := l.listener.newConn(i.conn)
	c.raw, c.fd = i.raw, i.fd
	l.listener.conns.add(c)
	_ = l.http.ServeConn(c) // errors are the client's
}

// watch serves the connections whose clients send something, until close.
func (l *idleList) watch() {
	var fds []int
	for {
		var err error
		if fds, err = l.epoll.wait(fds[:0]); err != nil {
			return
		}
		for _, fd := range fds {
			l.mu.Lock()
			i, ok := l.all[fd]
			delete(l.all, fd)
			l.mu.Unlock()
			if ok {
				go l.serve(i)
			}
		}
	}
}

// sweep closes the connections that have timed out.
func (l *idleList) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fd, i := range l.all {
		if now.After(i.until) {
			delete(l.all, fd)
			_ = i.conn.Close()
		}
	}
	if l.added >= collectFrom && now.Sub(l.collected) >= collectEvery && now.Sub(l.lastAdded) >= collectQuiet {
		l.added, l.collected = 0, now
		go l.collect()
	}
}

func (l *idleList) count() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// close closes all connections, and those that are added from now on.
func (l *idleList) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, i := range l.all {
		_ = i.conn.Close()
	}
	clear(l.all)
	l.epoll.close()
}
