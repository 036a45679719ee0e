package clients

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/valyala/fasthttp"
)

// piecesConn is a client that says something in pieces.
type piecesConn struct {
	net.Conn
	io.Reader
}

func (c *piecesConn) Read(p []byte) (int, error)      { return c.Reader.Read(p) }
func (c *piecesConn) Write(p []byte) (int, error)     { return len(p), nil }
func (c *piecesConn) Close() error                    { return nil }
func (c *piecesConn) SetDeadline(time.Time) error     { return nil }
func (c *piecesConn) SetReadDeadline(time.Time) error { return nil }
func (c *piecesConn) SetWriteDeadline(time.Time) error {
	return nil
}
func (c *piecesConn) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (c *piecesConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// TestRequestLineAfterDrain: what drain reads does not confuse the search for the
// next request, with part of the body still in fasthttp's buffer.
func TestRequestLineAfterDrain(t *testing.T) {
	for _, size := range []int{4 << 10, 16 << 10, 64 << 10} { // below, at and above what drain reads at once
		for what, source := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r },
			"bytes": iotest.OneByteReader,
		} {
			head := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
			first := strings.NewReader(head + strings.Repeat("a", 1000))
			rest := source(strings.NewReader(strings.Repeat("b", 20000)))
			l := newListener(nil, size, false)
			conn := l.newConn(&piecesConn{Reader: io.MultiReader(first, rest)})
			l.conns.add(conn)
			served := false
			h := &fasthttp.Server{ReadBufferSize: size, StreamRequestBody: true, Handler: func(ctx *fasthttp.RequestCtx) {
				served = true
				if _, err := io.ReadFull(ctx.RequestBodyStream(), make([]byte, 10)); err != nil {
					t.Errorf("%s, %d: %v", what, size, err)
				}
				ctx.SetConnectionClose()
				drain(ctx)
				nextLine(ctx)
			}}
			_ = h.ServeConn(conn)
			if !served {
				t.Errorf("%s, %d: not served", what, size)
			}
		}
	}
}

// FuzzRequestLine: the request line that is looked at is the one that fasthttp
// has read, of every request of a connection.
func FuzzRequestLine(f *testing.F) {
	for _, s := range []string{
		"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a HTTP/1.1\nHost: a\r\n\r\n", "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\nHost: a\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab\ncdGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /c HTTP/1.1\nHost: b\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n0\r\nX: y\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("\n", 5000) + "GET /b HTTP/1.0\r\n\r\n",
		"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nDELETE /b HTTP/1.0\n\r\n",
	} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(1))
		f.Add(s, uint8(2))
	}
	f.Add("\n0 * HTTP/0.0\n0000:0\r\n\r\n0", uint8(0))
	f.Fuzz(func(t *testing.T, raw string, manner uint8) {
		var source io.Reader = strings.NewReader(raw)
		switch manner % 3 {
		case 1:
			source = iotest.OneByteReader(source)
		case 2:
			source = iotest.HalfReader(source)
		}
		const size = 4096
		l := newListener(nil, size, false)
		conn := l.newConn(&piecesConn{Reader: source})
		l.conns.add(conn)
		h := &fasthttp.Server{ReadBufferSize: size, StreamRequestBody: true, DisablePreParseMultipartForm: true, Handler: func(ctx *fasthttp.RequestCtx) {
			line := lineOf(ctx)
			if line == nil {
				t.Fatal("there is no line")
			}
			h := &ctx.Request.Header
			want := fmt.Sprintf("%s %s %s", h.Method(), h.RequestURI(), h.Protocol())
			stream := ctx.RequestBodyStream()
			if stream == nil { // or fasthttp may have used the buffer for the body
				got := string(line.buffer[line.start : line.start+line.length])
				if text := strings.TrimLeft(got, "\r\n"); text != "" && strings.TrimRight(text, "\r\n") != want || strings.HasSuffix(text, "\r\n") == line.bare {
					t.Fatalf("%q is taken for the line of %q (bare: %t) in %q", got, want, line.bare, raw)
				}
			}
			if bare := !strings.Contains(raw, want+"\r\n"); bare && !line.bare {
				t.Fatalf("the line of %q is bare in %q", want, raw)
			}
			if stream != nil {
				var in io.Reader = stream
				if h.ContentLength() == chunkedLength {
					in = &chunks{r: readerOf(stream)}
				}
				if _, err := io.Copy(io.Discard, in); err != nil {
					ctx.SetConnectionClose()
				}
			}
			nextLine(ctx)
		}}
		_ = h.ServeConn(conn)
	})
}
