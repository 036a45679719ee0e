package server

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

// idleTest is a listener whose idle connections are parked.
type idleTest struct {
	t       *testing.T
	network string
	address string
	http    *fasthttp.Server
	l       *clientListener
}

// startIdle parks after so many looks of the watcher.
func startIdle(t *testing.T, network string, looks int) *idleTest {
	t.Helper()
	if !canPark {
		t.Skip("only on Linux")
	}
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "api")
	}
	inner, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	h := &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetBodyString(string(ctx.RequestURI()) + string(ctx.Request.Body()))
		},
		ReadBufferSize: 64 << 10, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
	}
	s := &idleTest{t: t, network: network, address: inner.Addr().String(), http: h, l: newClientListener(inner, 64<<10)}
	s.l.parkIdle(h)
	s.l.clients.lot.looks = looks
	go h.Serve(s.l)
	t.Cleanup(func() {
		s.l.clients.lot.close()
		_ = h.Shutdown()
		s.l.clients.close(func(*clientConn) bool { return true })
	})
	return s
}

func (s *idleTest) eventually(what string, ok func() bool) {
	s.t.Helper()
	if !pgtest.Until(time.Minute, ok) {
		s.t.Fatalf("never: %s; %d parked of %d", what, s.l.clients.lot.count(), s.l.clients.count())
	}
}

func (s *idleTest) parked(n int) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%d parked", n), func() bool { return s.l.clients.lot.count() == n && s.l.clients.count() == n })
}

// idleClient is a client that takes its time.
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

// TestIdleConnectionsAreParked: they have no goroutine, serve their client
// again whenever it comes back, and notice when it leaves.
func TestIdleConnectionsAreParked(t *testing.T) {
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
				s.parked(n)
			}
			s.eventually("no goroutines are left of them", func() bool { return s.http.GetOpenConnectionsCount() == 0 })
			for i, c := range all[:n/2] {
				if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && i%2 == 0 {
					_ = half.CloseWrite()
					if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
						t.Fatalf("%q, %v", rest, err)
					}
				}
				_ = c.Close()
			}
			s.parked(n - n/2)
			for i, c := range all[n/2:] {
				if err := c.ask(fmt.Sprintf("/still/%d", i), strings.Repeat("b", i), nil); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestIdleInTheVeryMoment: no request is lost or answered twice because its
// connection was being parked when it came, in pieces or whole.
func TestIdleInTheVeryMoment(t *testing.T) {
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
				// Around the looks, or just before the byte that ends it.
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
	s.parked(100)
	s.l.clients.lot.mu.Lock()
	defer s.l.clients.lot.mu.Unlock()
	if n := s.l.clients.lot.since; n < 300 {
		t.Errorf("parked only %d times", n)
	} else {
		t.Logf("parked %d times", n)
	}
}

// TestIdleEnds: whoever is parked for too long, or at the end, is told.
func TestIdleEnds(t *testing.T) {
	s := startIdle(t, "tcp", 1)
	lot := s.l.clients.lot
	var collections int
	lot.mu.Lock()
	lot.collect = func() { lot.mu.Lock(); collections++; lot.mu.Unlock() }
	lot.mu.Unlock()
	c, d := s.dial(), s.dial()
	for _, c := range []*idleClient{c, d} {
		if err := c.ask("/", "", nil); err != nil {
			t.Fatal(err)
		}
	}
	s.parked(2)
	lot.sweep(time.Now())
	s.parked(2)
	lot.mu.Lock()
	for fd, p := range lot.all {
		p.until = time.Now().Add(3 * time.Hour)
		lot.all[fd] = p
		break
	}
	lot.mu.Unlock()
	lot.sweep(time.Now().Add(s.http.IdleTimeout + time.Minute))
	s.parked(1)

	// What a thousand gave back is collected, but not all the time. It was given
	// back at a time to come, so that the watcher's own sweeps do not do it.
	later := time.Now().Add(time.Hour)
	for range 2 {
		lot.mu.Lock()
		lot.since, lot.last = collectFrom, later
		lot.mu.Unlock()
		lot.sweep(later.Add(2 * collectQuiet))
	}
	s.eventually("collected", func() bool { lot.mu.Lock(); defer lot.mu.Unlock(); return collections == 1 })

	lot.close()
	for _, c := range []*idleClient{c, d} {
		if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
			t.Errorf("%q, %v", rest, err)
		}
	}
	e := s.dial() // parked no more, but served
	if err := e.ask("/", "", nil); err != nil {
		t.Fatal(err)
	}
	s.eventually("closed instead", func() bool { return s.l.clients.count() == 0 })
	if rest, err := io.ReadAll(e.in); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}
