package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestTakeover: one process after the other takes over while clients send requests
// without pause, on kept and on new connections. No request fails.
func TestTakeover(t *testing.T) {
	port := pgtest.FreePort(t, "127.0.0.1")
	dir, err := os.MkdirTemp("", "take") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "api")
	for _, test := range []struct {
		network, address string
		args             []string
	}{
		{"tcp", "127.0.0.1:" + port, []string{"--server-reuseport", "true", "--server-port", port}},
		{"unix", socket, []string{"--server-unix-socket", socket}},
	} {
		t.Run(test.network, func(t *testing.T) {
			d := newDatabase(t)
			load := &load{network: test.network, address: test.address, stop: make(chan struct{})}
			current := d.start(test.args...)
			for i := range 12 {
				load.all.Go(func() { load.run(i%2 == 0) })
			}
			for range 3 {
				eventually(t, "requests", load.more(200))
				next := d.start(test.args...)
				eventually(t, "requests of both", load.more(200))
				current.signal(syscall.SIGTERM)
				current.endsWell()
				current = next
				eventually(t, "requests of the next", load.more(200))
			}
			close(load.stop)
			load.all.Wait()
			t.Logf("%d requests, %d connections, %d requests repeated, %d clients late", load.requests.Load(), load.connections.Load(), load.repeated.Load(), load.late.Load())
			load.mu.Lock()
			for i, failure := range load.failures {
				// Without filters a connection made at the very moment of closing is lost,
				// before it has been used.
				text := fmt.Sprint(failure)
				fresh := strings.Contains(text, "used before false") || strings.HasPrefix(text, "connecting:")
				if test.network == "tcp" && fresh && i < 20 && !takesFilters() {
					t.Log("the kernel takes no filters from us: ", failure)
					continue
				}
				t.Error(failure)
			}
			load.mu.Unlock()
			current.signal(syscall.SIGTERM)
			current.endsWell()
			if _, err := os.Lstat(socket); err == nil {
				t.Error("the socket's file is still there")
			}
		})
	}
}

// load is clients that send one request after the other.
type load struct {
	network, address string
	stop             chan struct{}
	all              sync.WaitGroup

	requests, connections, repeated, late atomic.Int64
	mu                                    sync.Mutex
	failures                              []string
}

// more says when n more requests have been answered.
func (l *load) more(n int64) func() bool {
	until := l.requests.Load() + n
	return func() bool { return l.requests.Load() >= until }
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) < 10 {
		l.failures = append(l.failures, fmt.Sprintf(format, args...))
	}
}

// run sends requests, on one connection while the server keeps it, or each on a new
// one. If the server closes a kept connection before the first byte of the
// response, the request may be repeated on a new one (RFC 9112, 9.3.1), where it
// must succeed.
func (l *load) run(keep bool) {
	var c *client
	drop := func() {
		if c != nil {
			c.Close()
			c = nil
		}
	}
	defer drop()
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		reused, began := c != nil, time.Now()
		if !reused {
			conn, err := net.DialTimeout(l.network, l.address, time.Minute)
			if err != nil {
				l.fail("connecting: %v", err)
				return
			}
			l.connections.Add(1)
			conn.SetDeadline(time.Now().Add(2 * time.Minute))
			c = &client{conn, bufio.NewReader(conn)}
		}
		err := c.ask("GET /item")
		spoke := time.Now()
		if err == nil {
			_, err = c.r.Peek(1)
		}
		// A server that ends waits half a second for the first byte of a new connection.
		// On a busy machine some clients are later.
		if err != nil && !reused && spoke.Sub(began) > 300*time.Millisecond && l.late.Add(1) <= 20 {
			drop()
			continue
		}
		if err != nil && reused {
			l.repeated.Add(1)
			drop()
			continue
		}
		var resp *http.Response
		var body string
		if err == nil {
			resp, body, err = c.answer()
		}
		if err != nil || resp.StatusCode != 200 || body != `[{"id":1}]` {
			l.fail("answer on a connection used before %t: %v %q %v", reused, resp, body, err)
			return
		}
		l.requests.Add(1)
		if resp.Close || !keep {
			drop()
		}
	}
}
