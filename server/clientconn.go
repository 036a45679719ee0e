package server

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// clientConn is a client's connection that is watched while the client's
// request runs (clientwatch.go). For that it has to know whether what has been
// sent ends between two answers. fasthttp keeps an answer back while it has
// bytes of a further request, and only then: a read into the whole of its
// buffer says that it has none, and so nothing to keep back.
//
// Only the goroutine that serves the connection uses it, but for what mu guards.
type clientConn struct {
	net.Conn
	gather gather
	buffer int // length of fasthttp's buffer
	line   requestLine

	// within: something was sent since fasthttp had nothing to keep back, and
	// may end within an answer. It is set under mu.
	within atomic.Bool

	spoke atomic.Bool // the client has sent something

	clients *clients
	place   int // in clients.all, -1: not in there any more
	raw     syscall.RawConn
	fd      int // of raw; -1: cannot be watched

	mu       sync.Mutex
	running  *request // whose client is watched, nil: none
	number   uint64   // of watched requests
	seen     uint64   // number at the last look
	begun    bool     // the answer's first byte has been sent
	idleness idleness
}

func (c *clientConn) Read(p []byte) (int, error) {
	c.release()
	if len(p) == c.buffer && c.within.Load() {
		c.within.Store(false)
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.line.came(p, n, c.buffer)
		if !c.spoke.Load() {
			c.spoke.Store(true)
		}
	}
	if err != nil && n == 0 && c.leave(err) {
		return 0, io.EOF
	}
	return n, err
}

func (c *clientConn) Write(p []byte) (int, error) {
	if g := &c.gather; g.kept != nil {
		return c.writeGathered(p)
	} else if g.on {
		g.keep(p)
		return len(p), nil
	}
	if !c.sending(p) {
		return c.Conn.Write(p) // fast path
	}
	n, err := c.Conn.Write(p[1:])
	return n + 1, err
}

// sending notes that p is going to be sent now. It reports whether its first
// byte has been sent before.
func (c *clientConn) sending(p []byte) (begun bool) {
	c.mu.Lock()
	begun = c.begun && len(p) > 0
	c.begun = c.begun && !begun
	c.within.Store(true)
	c.mu.Unlock()
	return begun
}

// Close may be called by several.
func (c *clientConn) Close() error {
	defer c.clients.remove(c) // later, or there might be nobody to watch for a moment
	if c.handOver() {
		return nil
	}
	return c.Conn.Close()
}

// clientListener makes clientConns.
type clientListener struct {
	net.Listener
	buffer  int
	clients *clients
	shared  bool // other processes may listen, too
	end     stopping
}

func newClientListener(l net.Listener, buffer int) *clientListener {
	return &clientListener{Listener: l, buffer: buffer, clients: &clients{}, end: stopping{done: make(chan struct{})}}
}

func (l *clientListener) Accept() (net.Conn, error) {
	conn, err := l.accept()
	if err != nil {
		return nil, err
	}
	c := l.newConn(conn)
	c.findSocket()
	l.clients.add(c)
	return c, nil
}

func (l *clientListener) newConn(conn net.Conn) *clientConn {
	return &clientConn{Conn: conn, buffer: l.buffer, clients: l.clients, fd: -1}
}

// findSocket looks for what is below the connection. Under a proxy of the
// language, or TLS, there is nothing to watch.
func (c *clientConn) findSocket() {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err == nil && raw.Control(func(fd uintptr) { c.fd = int(fd) }) == nil {
		c.raw = raw
	}
}
