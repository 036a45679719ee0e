package server

import (
	"net"

	"github.com/valyala/fasthttp"
)

// clientConn is a client's connection that knows whether answers to earlier
// requests are certain to have left. fasthttp keeps an answer back while it
// has bytes of a further request, and only then: a read into the whole of its
// buffer says that it has none, and so nothing to keep back.
//
// Only the goroutine that serves the connection uses it.
type clientConn struct {
	net.Conn
	buffer  int  // length of fasthttp's buffer
	flushed bool // as of the last read before the request
}

func (c *clientConn) Read(p []byte) (int, error) {
	if len(p) == c.buffer {
		c.flushed = true
	}
	return c.Conn.Read(p)
}

// clientListener makes clientConns.
type clientListener struct {
	net.Listener
	buffer int
}

func (l *clientListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &clientConn{Conn: conn, buffer: l.buffer}, nil
}

// mayOvertake reports whether an answer sent past fasthttp may overtake others.
func mayOvertake(ctx *fasthttp.RequestCtx) bool {
	c, ok := ctx.Conn().(*clientConn)
	return !ok || !c.flushed
}

// answered notes that fasthttp now has an answer to send.
func answered(ctx *fasthttp.RequestCtx) {
	if c, ok := ctx.Conn().(*clientConn); ok {
		c.flushed = false
	}
}
