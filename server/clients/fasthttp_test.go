package clients

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// TestFasthttpContract checks the facts that fasthttp.go lists, each with nothing
// of this package in between.
func TestFasthttpContract(t *testing.T) {
	const (
		size = 8192 // of the buffer for reading
		get  = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
		post = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	)
	answer := func(n int) fasthttp.RequestHandler {
		return func(ctx *fasthttp.RequestCtx) { ctx.SetBody(bytes.Repeat([]byte("b"), n)) }
	}
	// serve serves a connection on which pieces arrive, and then its end.
	serve := func(handler fasthttp.RequestHandler, pieces ...string) *scriptConn {
		c := &scriptConn{pieces: pieces}
		h := &fasthttp.Server{
			Handler: handler, ReadBufferSize: size, StreamRequestBody: true, DisablePreParseMultipartForm: true, ReadTimeout: time.Minute, IdleTimeout: time.Minute,
			Logger: c,
		}
		ended := make(chan struct{})
		h.ConnState = func(_ net.Conn, state fasthttp.ConnState) {
			c.note(state.String())
			if state == fasthttp.StateClosed {
				close(ended)
			}
		}
		l := fasthttputil.NewInmemoryListener()
		go h.Serve(&oneConn{Listener: l, c: c})
		<-ended
		l.Close()
		return c
	}
	broken := func(fact int, format string, args ...any) {
		t.Helper()
		t.Errorf("fasthttp %s breaks fact %d of server/clients/fasthttp.go: %s", fasthttpVersion(), fact, fmt.Sprintf(format, args...))
	}

	// 1: one buffer, in which an incomplete head stays.
	c := serve(answer(1), get[:10], get[10:]+get[:20], get[20:], get)
	var ends []*byte
	var room []int
	for _, p := range c.reads {
		room = append(room, len(p))
		ends = append(ends, &p[len(p)-1])
	}
	if want := []int{size, size - 10, size - 20, size}; !reflect.DeepEqual(room, want) {
		broken(1, "reads of %v bytes, want %v: a head no longer stays in the buffer until it is complete", room, want)
	}
	for _, end := range ends {
		if end != ends[0] {
			broken(1, "reads go to more than one buffer")
			break
		}
	}

	// 2: the reader of a stream is that of the connection, before the first chunk.
	buffered := -1
	serve(func(ctx *fasthttp.RequestCtx) {
		buffered = readerOf(ctx.RequestBodyStream()).Buffered()
		ctx.SetConnectionClose()
	}, post+"3\r\nabc\r\n0\r\n\r\n")
	if want := len("3\r\nabc\r\n0\r\n\r\n"); buffered != want {
		broken(2, "%d bytes of a body in chunks are unread when the handler is called, want all %d", buffered, want)
	}

	// 3: what is left of a body is taken for the next request.
	var paths []string
	c = serve(func(ctx *fasthttp.RequestCtx) { paths = append(paths, string(ctx.Path())) },
		"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n"+strings.Repeat("x", size/2), strings.Repeat("x", size), strings.Repeat("x", 30000-size*3/2), get)
	if len(paths) != 1 || len(c.pieces) == 0 {
		broken(3, "fasthttp itself skips what the handler leaves of a body: requests %v", paths)
	}

	// 4: responses are kept back only if the reader has more, and then sent later.
	c = serve(answer(1), get, get+get, get+get[:9], get[9:])
	if got, want := c.order("read", "write"), "read write read write read write read write read"; got != want {
		broken(4, "%s, want %s", got, want)
	}

	// 5: a long body makes several writes, the first of which is coalesceFrom long.
	for _, n := range []int{coalesceFrom, coalesceFrom + 1, 2 * coalesceFrom, 200_000} {
		c = serve(answer(n), get)
		if got := c.order("read", "write"); len(c.writes) < 2 || c.writes[0] != coalesceFrom || strings.TrimLeft(got, "read") != strings.Repeat(" write", len(c.writes))+" read" {
			broken(5, "a body of %d bytes: writes of %v bytes, %s", n, c.writes, got)
		}
	}

	// 6: states and deadlines, by one goroutine.
	c = serve(answer(1), get, get)
	if got, want := c.order("idle", "active", "read", "write", "deadline"), "deadline active deadline read write idle deadline read active deadline write idle deadline read"; got != want {
		broken(6, "%s, want %s", got, want)
	}
	if n := len(c.goroutines); n != 1 {
		broken(6, "%d goroutines read and tell the states of a connection", n)
	}

	// 7: the end while idle is silent.
	if got := strings.Join(c.events[len(c.events)-4:], " "); got != "deadline read close closed" || c.logged != "" {
		broken(7, "a connection that ends while idle ends with %s; logged: %q", got, c.logged)
	}

	// 8: keys of headers can be changed in place.
	var resp fasthttp.Response
	resp.Header.DisableNormalizing()
	resp.Header.SetContentType("a/b")
	AddContentType(&resp.Header, "content-type", "c/d")
	if text := resp.Header.String(); !strings.Contains(text, "Content-Type: a/b\r\n") || !strings.Contains(text, "content-type: c/d\r\n") {
		broken(8, "a second Content-Type is not sent: %q", text)
	}

	// 9: a length that is set before the status is sent.
	resp.Reset()
	resp.SetStatusCode(fasthttp.StatusNotModified)
	resp.Header.SetContentLength(7)
	direct := resp.Header.String()
	setLengthDespiteStatus(&resp, 7)
	var out bytes.Buffer
	if _, err := resp.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(direct, "Content-Length: 7") {
		broken(9, "a length can be set although the status is 304: setLengthDespiteStatus is no longer needed")
	}
	if !strings.Contains(out.String(), "HTTP/1.1 304 ") || !strings.Contains(out.String(), "Content-Length: 7\r\n") {
		broken(9, "a length with the status 304 is not sent: %q", out.String())
	}
}

// fasthttpVersion is the version in use, if the go command has told.
func fasthttpVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/valyala/fasthttp" {
				return m.Version
			}
		}
	}
	return "(see go.mod)"
}

// oneConn is a listener with one connection.
type oneConn struct {
	net.Listener
	c    net.Conn
	once sync.Once
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	l.once.Do(func() { c = l.c })
	if c != nil {
		return c, nil
	}
	return l.Listener.Accept()
}

// scriptConn is a connection on which pieces arrive. It notes what fasthttp does.
type scriptConn struct {
	net.Conn
	pieces     []string
	events     []string
	reads      [][]byte // arguments
	writes     []int    // lengths
	goroutines map[string]bool
	logged     string
}

func (c *scriptConn) note(event string) {
	c.events = append(c.events, event)
	if event == "idle" || event == "active" || event == "read" {
		stack := make([]byte, 64)
		id, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), "[")
		if c.goroutines == nil {
			c.goroutines = map[string]bool{}
		}
		c.goroutines[id] = true
	}
}

// order lists events of some kinds.
func (c *scriptConn) order(kinds ...string) string {
	var list []string
	for _, event := range c.events {
		for _, kind := range kinds {
			if event == kind {
				list = append(list, event)
			}
		}
	}
	return strings.Join(list, " ")
}

func (c *scriptConn) Read(p []byte) (int, error) {
	c.note("read")
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	c.reads = append(c.reads, p)
	n := copy(p, c.pieces[0])
	c.pieces = c.pieces[1:]
	return n, nil
}

func (c *scriptConn) Write(p []byte) (int, error) {
	c.note("write")
	c.writes = append(c.writes, len(p))
	return len(p), nil
}

func (c *scriptConn) Close() error                    { c.note("close"); return nil }
func (c *scriptConn) SetReadDeadline(time.Time) error { c.note("deadline"); return nil }
func (c *scriptConn) LocalAddr() net.Addr             { return &net.TCPAddr{} }
func (c *scriptConn) RemoteAddr() net.Addr            { return &net.TCPAddr{} }

// Printf implements fasthttp.Logger.
func (c *scriptConn) Printf(format string, args ...any) { c.logged += fmt.Sprintf(format, args...) }
