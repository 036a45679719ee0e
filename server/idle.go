package server

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
// open. Browsers and pools keep thousands. So a connection that has been idle
// for a second is parked: its Read tells fasthttp the end of the stream, which
// gives everything back, and then Close does not close but hands the socket to
// the lot, where it is a map entry and a descriptor in one epoll set. With the
// client's next byte a new clientConn is served on it.
//
// A busy connection pays nothing: that it is idle or not is noted under its own
// lock, and whether it has been for long is seen by the watcher of clientwatch.go.
//
// Other systems than Linux park nobody.

const (
	// parkLooks is after how many looks of the watcher a connection is parked.
	parkLooks = int(time.Second / watchInterval)
	// parkAtOnce bounds how many are sent off at one look: each wakes a goroutine.
	parkAtOnce = 500
	// sweepLooks is the number of looks between two sweeps of the lot.
	sweepLooks = int(time.Second / watchInterval)
	// collectFrom parked connections are worth two garbage collections, which is
	// how long sync.Pool holds on to what they gave back. A server whose requests
	// allocate nothing would not collect for minutes.
	collectFrom = 1000
	// collectEvery is the least time between those.
	collectEvery = 30 * time.Second
	// collectQuiet is the time without anybody being parked before them, in which
	// fasthttp's goroutines without a connection end, too.
	collectQuiet = 2 * idleWorker
	idleWorker   = time.Second
)

// idleness is what a clientConn knows of its being idle, under its mu.
type idleness struct {
	idle    bool // between two requests
	looks   int  // of the watcher, while idle
	leaving bool // its Read has been woken
	left    bool // and has said that nothing comes any more
	gone    bool // the socket is somebody else's
}

// noteState is fasthttp's ConnState.
func noteState(conn net.Conn, state fasthttp.ConnState) {
	c, ok := conn.(*clientConn)
	if !ok || state != fasthttp.StateIdle && state != fasthttp.StateActive {
		return
	}
	c.mu.Lock()
	c.idleness.idle, c.idleness.looks, c.idleness.leaving = state == fasthttp.StateIdle, 0, false
	c.mu.Unlock()
}

// settle counts a look, and wakes the Read of who has been idle for long. The
// deadline it sets for that is replaced by fasthttp's own when a request
// begins, and it is never set after that.
func (c *clientConn) settle(looks int) (leaving bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.idleness.idle || c.fd < 0 {
		return false
	}
	c.idleness.looks++
	if c.idleness.looks < looks {
		return false
	}
	c.idleness.leaving = true
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	return true
}

// leave reports whether a Read ended because the connection is to be parked.
func (c *clientConn) leave(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idleness.leaving {
		c.idleness = idleness{left: true}
	}
	return c.idleness.left
}

// handOver is the Close of a connection that left. It reports whether there is
// nothing to close any more.
func (c *clientConn) handOver() bool {
	c.mu.Lock()
	left, gone := c.idleness.left, c.idleness.gone
	if left {
		c.idleness = idleness{gone: true}
	}
	c.mu.Unlock()
	if left {
		c.clients.lot.park(parked{conn: c.Conn, raw: c.raw, fd: c.fd})
	}
	return left || gone
}

// parked is an idle connection.
type parked struct {
	conn  net.Conn
	raw   syscall.RawConn
	fd    int
	until time.Time
}

// lot is where idle connections are.
type lot struct {
	serve    func(parked) // in a goroutine of its own
	patience time.Duration
	looks    int // of the watcher, before somebody is parked
	collect  func()

	mu     sync.Mutex
	closed bool
	ready  *readiness
	all    map[int]parked

	since     int // how many were parked since the last collection
	last      time.Time
	collected time.Time
}

// parkIdle has the idle connections of a listener parked.
func (l *clientListener) parkIdle(http *fasthttp.Server) {
	if !canPark {
		return
	}
	// Later there may be no descriptor left for it.
	ready, err := newReadiness()
	if err != nil {
		return
	}
	http.ConnState, http.MaxIdleWorkerDuration = noteState, idleWorker
	l.clients.lot = &lot{
		ready: ready, all: make(map[int]parked), patience: http.IdleTimeout, looks: parkLooks, collect: collectPools,
		serve: func(p parked) {
			c := l.newConn(p.conn)
			c.raw, c.fd = p.raw, p.fd
			l.clients.add(c)
			_ = http.ServeConn(c) // its errors are the client's
		},
	}
	go l.clients.lot.watch(ready)
}

func collectPools() {
	runtime.GC()
	debug.FreeOSMemory() // begins with a collection
}

// park takes a connection in. One that cannot be watched is served on as before.
func (l *lot) park(p parked) {
	_ = p.conn.SetDeadline(time.Time{})
	p.until = time.Now().Add(l.patience)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = p.conn.Close()
		return
	}
	l.all[p.fd] = p
	if l.ready.add(p.fd) != nil {
		delete(l.all, p.fd)
		go l.serve(p)
		return
	}
	l.since++
	l.last = time.Now()
}

// watch serves whose client has something to say, until the lot is closed.
func (l *lot) watch(ready *readiness) {
	var fds []int
	for {
		var err error
		if fds, err = ready.wait(fds[:0]); err != nil {
			return
		}
		for _, fd := range fds {
			l.mu.Lock()
			p, ok := l.all[fd]
			delete(l.all, fd)
			l.mu.Unlock()
			if ok {
				go l.serve(p)
			}
		}
	}
}

// sweep closes whose time is up.
func (l *lot) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fd, p := range l.all {
		if now.After(p.until) {
			delete(l.all, fd)
			_ = p.conn.Close()
		}
	}
	if l.since >= collectFrom && now.Sub(l.collected) >= collectEvery && now.Sub(l.last) >= collectQuiet {
		l.since, l.collected = 0, now
		go l.collect()
	}
}

func (l *lot) count() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// close closes all connections, and those that are parked from now on.
func (l *lot) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, p := range l.all {
		_ = p.conn.Close()
	}
	clear(l.all)
	l.ready.close()
}
