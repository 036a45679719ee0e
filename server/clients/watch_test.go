package clients

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// pending is a request that runs until its client has gone, or a test ends it.
type pending struct {
	gone     atomic.Int32
	stopping atomic.Int32
	end      chan struct{}
}

func (p *pending) ClientGone()     { p.gone.Add(1) }
func (p *pending) ServerStopping() { p.stopping.Add(1) }

// watchTest is a server whose handler answers /short and /long at once, and /wait
// when the test says so.
type watchTest struct {
	*Server
	t       *testing.T
	address net.Addr
	running chan *pending
}

// longBody is sent in two writes, of which fasthttp keeps the second back while it
// has another request.
const longBody = 6000

// hugeBody does not fit into the buffers of a connection.
const hugeBody = 64 << 20

func startWatch(t *testing.T, network string) *watchTest {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "api")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	w := &watchTest{t: t, address: l.Addr(), running: make(chan *pending, 1)}
	var shared Bodies
	w.Server = NewServer(l, Options{ReadBufferSize: 4096, Handler: func(ctx *fasthttp.RequestCtx) {
		if _, ok := ReadHead(ctx); !ok {
			return
		}
		var b Body
		b.Begin(ctx, &shared, Limits{Body: 1 << 20, Bodies: 1 << 30})
		if _, err := b.Read(func() error { return nil }); err != nil {
			ctx.SetStatusCode(400)
		}
		switch string(ctx.Path()) {
		case "/long":
			ctx.SetBodyString(strings.Repeat("l", longBody))
		case "/huge":
			ctx.SetBody(make([]byte, hugeBody))
		case "/wait":
			p := &pending{end: make(chan struct{})}
			Watch(ctx, p)
			w.running <- p
			<-p.end
			Unwatch(ctx)
			ctx.SetBodyString("waited")
		}
		b.Skip()
		b.Release()
		Finish(ctx)
	}})
	start(t, w.Server)
	return w
}

func (w *watchTest) dial() net.Conn {
	w.t.Helper()
	c, err := net.Dial(w.address.Network(), w.address.String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	return c
}

// TestClientGone: the request is told however the client leaves.
func TestClientGone(t *testing.T) {
	for name, leave := range map[string]func(net.Conn){
		"closed": func(c net.Conn) { c.Close() },
		"reset": func(c net.Conn) {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			c.Close()
		},
		"closed with a request unread": func(c net.Conn) {
			_, _ = io.WriteString(c, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
			c.Close()
		},
	} {
		for _, network := range []string{"tcp", "unix"} {
			for _, body := range []string{"", "expected "} {
				w := startWatch(t, network)
				c := w.dial()
				head := "GET /wait HTTP/1.1\r\nHost: a\r\n"
				if body != "" { // a response has been sent before the body: 100
					head += "Expect: 100-continue\r\nContent-Length: 9\r\n"
				}
				_, _ = io.WriteString(c, head+"\r\n")
				if body != "" {
					if line, err := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, " 100 ") {
						t.Fatalf("%q, %v", line, err)
					}
					_, _ = io.WriteString(c, body)
				}
				p := <-w.running
				leave(c)
				if !pgtest.Until(time.Minute, func() bool { return p.gone.Load() > 1 }) {
					t.Errorf("%s, %s, body %q: was not told", network, name, body)
				}
				close(p.end)
			}
		}
	}
}

// TestHalfClosed: a client that has announced that it sends no more, and still
// reads, gets its responses byte for byte, and its request is not told anything.
func TestHalfClosed(t *testing.T) {
	const (
		short = "GET /short HTTP/1.1\r\nHost: a\r\n\r\n"
		long  = "GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
		wait  = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"
	)
	posted := "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("p", 20000)
	for _, network := range []string{"tcp", "unix"} {
		for i, raw := range []string{wait, short + wait, long + wait, wait + short, wait + long, posted, short + posted, long + posted, long + long + posted} {
			w := startWatch(t, network)
			c := w.dial()
			go func() {
				// In two pieces, the last of which fits into fasthttp's buffer.
				split := max(0, len(raw)-1000)
				_, _ = io.WriteString(c, raw[:split])
				time.Sleep(watchInterval / 2)
				_, _ = io.WriteString(c, raw[split:])
				_ = c.(interface{ CloseWrite() error }).CloseWrite()
			}()
			p := <-w.running
			time.Sleep(4 * watchInterval) // long enough for a probe, and for a reset to be seen
			close(p.end)
			r := bufio.NewReader(c)
			for _, path := range paths(raw) {
				want := map[string]string{"/short": "", "/long": strings.Repeat("l", longBody), "/wait": "waited"}[path]
				response, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatalf("%s, %d: %s: %v", network, i, path, err)
				}
				if body, err := io.ReadAll(response.Body); err != nil || string(body) != want {
					t.Errorf("%s, %d: %s: %.20q, %v", network, i, path, body, err)
				}
			}
			if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
				t.Errorf("%s, %d: then %.20q, %v", network, i, rest, err)
			}
			if n := p.gone.Load(); n > 0 {
				t.Errorf("%s, %d: the request was told %d times that its client has gone", network, i, n)
			}
		}
	}
}

// paths lists the targets of requests.
func paths(raw string) (list []string) {
	for _, line := range strings.Split(raw, "\r\n") {
		if f := strings.Fields(line); len(f) == 3 && strings.HasPrefix(f[2], "HTTP/") {
			list = append(list, f[1])
		}
	}
	return list
}

// TestShutdown: requests under way finish if there is time, and are told if there
// is not; connections without a request are closed.
func TestShutdown(t *testing.T) {
	for _, timeout := range []time.Duration{time.Minute, 0} {
		w := startWatch(t, "tcp")
		silent, idle, busy := w.dial(), w.dial(), w.dial()
		_, _ = io.WriteString(idle, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
		p := <-w.running
		ended := make(chan error, 1)
		go func() { ended <- w.Shutdown(timeout) }()
		for _, c := range []net.Conn{silent, idle} {
			if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
				t.Errorf("%v: a connection without a request: %q, %v", timeout, rest, err)
			}
		}
		if timeout == 0 && !pgtest.Until(time.Minute, func() bool { return p.stopping.Load() > 0 }) {
			t.Error("the request was not told")
		}
		close(p.end)
		response, err := http.ReadResponse(bufio.NewReader(busy), nil)
		if err != nil || timeout > 0 && !response.Close {
			t.Errorf("%v: the last response: %v, %v", timeout, response, err)
		}
		if err := <-ended; err != nil {
			t.Errorf("%v: %v", timeout, err)
		}
		if told := p.stopping.Load() > 0; told != (timeout == 0) {
			t.Errorf("%v: told: %t", timeout, told)
		}
		if c, err := net.Dial("tcp", w.address.String()); err == nil {
			c.Close()
			t.Errorf("%v: still accepts", timeout)
		}
	}
}

// TestShutdownWhileSending: a client that does not read its response delays the end by
// less than a request that was told.
func TestShutdownWhileSending(t *testing.T) {
	w := startWatch(t, "tcp")
	c := w.dial()
	_, _ = io.WriteString(c, "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n")
	r := bufio.NewReader(c)
	if _, err := r.Peek(1); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := w.Shutdown(0); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took >= CancelGrace {
		t.Errorf("Shutdown took %v", took)
	}
	if n, _ := io.Copy(io.Discard, r); n == 0 || n >= hugeBody {
		t.Errorf("the client got %d bytes", n)
	}
}

// TestUnreadableBody: the error has no network address.
func TestUnreadableBody(t *testing.T) {
	var b Body
	err := b.unreadable(&net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7)}, Err: io.ErrNoProgress})
	if text := fmt.Sprint(err); strings.Contains(text, "10.0.0.7") || !errors.Is(err, io.ErrNoProgress) || !b.lost {
		t.Errorf("%q", text)
	}
}
