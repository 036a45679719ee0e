package clients

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// idleTest is a server with an idle list.
type idleTest struct {
	*Server
	t       *testing.T
	network string
	address string
	conns   *connections
	list    *idleList
}

// startIdle moves idle connections after so many checks of the watcher.
func startIdle(t *testing.T, network string, after int) *idleTest {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "api")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &idleTest{Server: NewServer(l, Options{Handler: echo(t), ReadBufferSize: 64 << 10}), t: t, network: network, address: l.Addr().String()}
	s.conns, s.list = s.listener.conns, s.listener.conns.idle
	if s.list == nil {
		t.Skip("only on Linux")
	}
	s.list.after = after
	start(t, s.Server)
	return s
}

// start serves until the test ends.
func start(t testing.TB, s *Server) {
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	t.Cleanup(func() {
		if err := s.Shutdown(time.Minute); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if n := s.Open(); n > 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// echo answers with the path and the body.
func echo(t testing.TB) fasthttp.RequestHandler {
	var shared Bodies
	return func(ctx *fasthttp.RequestCtx) {
		if _, ok := ReadHead(ctx); !ok {
			return
		}
		var b Body
		b.Begin(ctx, &shared, Limits{Body: 1 << 20, Bodies: 1 << 30})
		body, err := b.Read(func() error { return nil })
		if err != nil {
			t.Error(err)
		}
		ctx.SetBodyString(string(ctx.RequestURI()) + string(body))
		b.Skip()
		b.Release()
		Finish(ctx)
	}
}

func (s *idleTest) eventually(what string, ok func() bool) {
	s.t.Helper()
	if !pgtest.Until(time.Minute, ok) {
		s.t.Fatalf("never: %s; %d of %d are idle", what, s.list.count(), s.Open())
	}
}

// idle waits until n connections are idle, and no others are open.
func (s *idleTest) idle(n int) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%d idle", n), func() bool { return s.list.count() == n && s.Open() == n })
}

// idleClient is a client with long pauses.
type idleClient struct {
	net.Conn
	in *bufio.Reader
}

func (s *idleTest) dial() *idleClient {
	s.t.Helper()
	c, err := net.Dial(s.network, s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	return &idleClient{Conn: c, in: bufio.NewReader(c)}
}

// ask sends a request in the given pieces and expects its echo.
func (c *idleClient) ask(path, body string, between func()) error {
	raw := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	for _, piece := range []string{raw[:1], raw[1 : len(raw)/2], raw[len(raw)/2:]} {
		if _, err := io.WriteString(c, piece); err != nil {
			return err
		}
		if between != nil {
			between()
		}
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(r.Body)
	if err == nil && (r.StatusCode != 200 || string(got) != path+body) {
		err = fmt.Errorf("%d %q instead of %q", r.StatusCode, got, path+body)
	}
	return err
}

// TestIdleConnections: they have no goroutine, serve their client again when it
// sends something, and notice when it leaves.
func TestIdleConnections(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := startIdle(t, network, 2)
			const n = 300
			var all []*idleClient
			for range n {
				all = append(all, s.dial())
			}
			for round := range 3 {
				for i, c := range all {
					if err := c.ask(fmt.Sprintf("/%d/%d", round, i), "body", nil); err != nil {
						t.Fatal(err)
					}
				}
				s.idle(n)
			}
			s.eventually("no goroutines are left of them", func() bool { return s.HTTP.GetOpenConnectionsCount() == 0 })
			for i, c := range all[:n/2] {
				if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && i%2 == 0 {
					_ = half.CloseWrite()
					if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
						t.Fatalf("%q, %v", rest, err)
					}
				}
				_ = c.Close()
			}
			s.idle(n - n/2)
			for i, c := range all[n/2:] {
				if err := c.ask(fmt.Sprintf("/still/%d", i), strings.Repeat("b", i), nil); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestIdleRaces: no request is lost or answered twice because its connection was
// being moved when it came, in pieces or whole.
func TestIdleRaces(t *testing.T) {
	t.Parallel()
	s := startIdle(t, "tcp", 1)
	var wg sync.WaitGroup
	var once sync.Once
	over := make(chan struct{})
	for i := range 100 {
		c := s.dial()
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewPCG(1, uint64(i)))
			pause := func() { time.Sleep(time.Duration(r.IntN(int(watchInterval / 4)))) }
			for n := range 30 {
				between := pause
				if r.IntN(3) > 0 {
					between = nil
				}
				if err := c.ask(fmt.Sprintf("/%d/%d", i, n), strings.Repeat("x", r.IntN(2000)), between); err != nil {
					once.Do(func() { t.Errorf("client %d, request %d: %v", i, n, err); close(over) })
					return
				}
				// Around the checks.
				time.Sleep(watchInterval - 5*time.Millisecond + time.Duration(r.IntN(int(watchInterval/4))))
				select {
				case <-over:
					return
				default:
				}
			}
		}()
	}
	wg.Wait()
	s.idle(100)
	s.list.mu.Lock()
	defer s.list.mu.Unlock()
	if n := s.list.added; n < 300 {
		t.Errorf("moved only %d times", n)
	} else {
		t.Logf("moved %d times", n)
	}
}

// TestIdleEnds: connections that are idle for too long are closed, and all of them
// at shutdown.
func TestIdleEnds(t *testing.T) {
	s := startIdle(t, "tcp", 1)
	list := s.list
	var collections int
	list.mu.Lock()
	list.collect = func() { list.mu.Lock(); collections++; list.mu.Unlock() }
	list.mu.Unlock()
	c, d := s.dial(), s.dial()
	for _, c := range []*idleClient{c, d} {
		if err := c.ask("/", "", nil); err != nil {
			t.Fatal(err)
		}
	}
	s.idle(2)
	list.sweep(time.Now())
	s.idle(2)
	list.mu.Lock()
	for fd, p := range list.all {
		p.until = time.Now().Add(3 * time.Hour)
		list.all[fd] = p
		break
	}
	list.mu.Unlock()
	list.sweep(time.Now().Add(s.HTTP.IdleTimeout + time.Minute))
	s.idle(1)

	// What a thousand gave back is collected, but not all the time. The test uses
	// times in the future, so that the watcher's own sweeps do not collect.
	later := time.Now().Add(time.Hour)
	for range 2 {
		list.mu.Lock()
		list.added, list.lastAdded = collectFrom, later
		list.mu.Unlock()
		list.sweep(later.Add(2 * collectQuiet))
	}
	s.eventually("collected", func() bool { list.mu.Lock(); defer list.mu.Unlock(); return collections == 1 })

	list.close()
	for _, c := range []*idleClient{c, d} {
		if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
			t.Errorf("%q, %v", rest, err)
		}
	}
	e := s.dial() // not moved any more, but served
	if err := e.ask("/", "", nil); err != nil {
		t.Fatal(err)
	}
	s.eventually("closed instead", func() bool { return s.conns.count() == 0 })
	if rest, err := io.ReadAll(e.in); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}
