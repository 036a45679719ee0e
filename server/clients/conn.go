package clients

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire/socket"
)

// conn is a client's connection as fasthttp sees it. It notes where request lines
// begin (requestline.go), joins writes (coalesce.go), and is watched while a
// request runs (watch.go) and while it is idle (idle.go).
//
// Only the goroutine that serves the connection uses it, except for the fields
// that mu guards and the atomic ones.
type conn struct {
	net.Conn
	coalesce coalescer
	buffer   int // length of fasthttp's buffer, in bytes
	line     requestLine

	between bool // no request is under way
	// nothingKept: the request under way began when fasthttp had sent all
	// responses before it (fact 4 of fasthttp.go).
	nothingKept bool

	// midResponse: what was sent may end within a response. It is set under mu.
	midResponse atomic.Bool
	heardOf     atomic.Bool // the client has sent something

	conns *connections
	place int // in conns.all, -1: removed
	raw   syscall.RawConn
	fd    int // of raw; -1: cannot be watched

	socket *socket.Socket // of Conn; nil: only Conn can be used

	mu        sync.Mutex
	running   Watched // the request whose client is watched, nil: none
	number    uint64  // of watched requests
	seen      uint64  // number at the last check
	firstSent bool    // the response's first byte has been sent
	told      bool    // a request was told that the server stops
	idle      idleState
}

// newConn makes a conn of a connection that is not watched yet.
func (l *listener) newConn(c net.Conn) *conn {
	return &conn{Conn: c, buffer: l.buffer, conns: l.conns, fd: -1, socket: socket.New(c), nothingKept: true}
}

// findSocket looks for the socket below the connection. TLS, for example, has
// none that can be watched.
func (c *conn) findSocket() {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err == nil && raw.Control(func(fd uintptr) { c.fd = int(fd) }) == nil {
		c.raw = raw
	}
}

func (c *conn) Read(p []byte) (int, error) {
	c.flush()
	if emptied(p, c.buffer) {
		c.nothingKept = c.nothingKept || c.between
		if c.nothingKept && c.midResponse.Load() {
			c.midResponse.Store(false)
		}
	}
	n, err := c.receive(p)
	if n > 0 {
		c.line.filled(p, n, c.buffer)
		if !c.heardOf.Load() {
			c.heardOf.Store(true)
		}
	}
	if err != nil && n == 0 && c.becomesIdle(err) {
		return 0, io.EOF
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if w := &c.coalesce; w.kept != nil {
		return c.writeJoined(p)
	} else if w.on {
		w.keep(p)
		return len(p), nil
	}
	if !c.sending(p) {
		return c.send(p, nil) // fast path
	}
	n, err := c.send(p[1:], nil)
	return n + 1, err
}

// receive reads what the client has sent.
func (c *conn) receive(p []byte) (int, error) {
	if c.socket != nil {
		return c.socket.Read(p)
	}
	return c.Conn.Read(p)
}

// send sends a and then b, and returns how much it has sent.
func (c *conn) send(a, b []byte) (int, error) {
	if c.socket != nil {
		return c.socket.WriteBoth(a, b)
	}
	n, err := c.Conn.Write(a)
	if err != nil || len(b) == 0 {
		return n, err
	}
	m, err := c.Conn.Write(b)
	return n + m, err
}

// sending notes that p is about to be sent. It reports whether the first byte of
// p has been sent already, by a probe.
func (c *conn) sending(p []byte) (firstSent bool) {
	c.mu.Lock()
	firstSent = c.firstSent && len(p) > 0
	c.firstSent = c.firstSent && !firstSent
	c.midResponse.Store(true)
	c.mu.Unlock()
	return firstSent
}

// Close may be called by several goroutines.
func (c *conn) Close() error {
	defer c.conns.remove(c) // last: the watcher ends when it sees no connection
	if c.moveToIdle() {
		return nil
	}
	return c.Conn.Close()
}

// noteState is fasthttp's ConnState (fact 6 of fasthttp.go).
func noteState(nc net.Conn, state fasthttp.ConnState) {
	c, ok := nc.(*conn)
	if !ok || state != fasthttp.StateIdle && state != fasthttp.StateActive {
		return
	}
	c.between = state == fasthttp.StateIdle
	if c.between {
		c.nothingKept = false
	}
	c.mu.Lock()
	c.idle.idle, c.idle.checks, c.idle.woken = c.between, 0, false
	c.mu.Unlock()
}

// Socket returns the connection below the one that fasthttp uses. Write deadlines
// may be set there. It is valid until the handler returns or, with a body stream,
// until that is closed.
func Socket(ctx *fasthttp.RequestCtx) net.Conn {
	if c, ok := ctx.Conn().(*conn); ok {
		return c.Conn
	}
	return ctx.Conn()
}
