package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestClientGone: the database stops a read soon after its client disconnects.
func TestClientGone(t *testing.T) {
	g := startGone(t, "db-pool", "3")
	goroutines := runtime.NumGoroutine()
	for _, line := range []string{
		"GET /slow", "HEAD /slow", "GET /slow?select=n,slept&limit=1",
		"GET /rpc/nap?seconds=600", `POST /rpc/nap {"seconds":600}`,
	} {
		for _, way := range ways {
			t.Run(line+"/"+way.name, func(t *testing.T) {
				c := g.send(way.network, line)
				g.eventuallyRunning("1")
				way.leave(c)
				g.eventuallyRunning("0")
				g.eventuallyFree()
			})
		}
	}
	g.works()
	if s := g.pool.Stats(); s.Closed > 3 { // those of before the catalog, and a cancel request that came late
		t.Logf("connections were given up: %+v", s)
	}
	http.DefaultClient.CloseIdleConnections()
	for _, api := range g.apis {
		g.eventually("no connections", func() bool { return api.Open() == 0 })
	}
	g.eventually("no watcher is left", func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "clients.(*connections).watch")
	})
	// fasthttp keeps workers for a while, and as many as there were at once.
	g.eventually("no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+8 })
}

// TestHalfClosed: a client that has shut down its sending side gets its response
// byte for byte, however the server detects that it is still there.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	g := startGone(t)
	const quick = "GET /item?id=eq.1&select=id"
	held := "GET /rpc/held?lock=1"
	for _, network := range []string{"tcp", "unix"} {
		for _, test := range []struct {
			name  string
			lines []string
			first bool // the first byte comes early
		}{
			{"one", []string{held}, true},
			{"one behind another", []string{quick, held}, true},
			{"one before another", []string{held, quick}, true},
			{"two", []string{held, held}, true},
		} {
			t.Run(network+"/"+test.name, func(t *testing.T) {
				g.value("select pg_advisory_lock(1)")
				c := g.dial(network)
				var all strings.Builder // in one write: the next request must be there when the first gets its response
				for _, line := range test.lines {
					all.WriteString(rawLine(line))
				}
				io.WriteString(c, all.String())
				c.(interface{ CloseWrite() error }).CloseWrite()
				g.eventually("it waits", func() bool { return g.held() == "1" })
				r := bufio.NewReader(c)
				if network == "tcp" && test.first {
					if b, err := r.Peek(1); err != nil || b[0] != 'H' || r.Buffered() != 1 {
						t.Fatalf("while the database is busy: %q, %d bytes, %v", b, r.Buffered(), err)
					}
				}
				g.looks()
				if g.held() != "1" {
					t.Error("was cancelled")
				}
				g.value("select pg_advisory_unlock(1)")
				for _, line := range test.lines {
					want := `[{"id":1}]`
					if line == held {
						want = "1"
					}
					resp, err := http.ReadResponse(r, nil)
					if err != nil {
						t.Fatal(err)
					}
					b, err := io.ReadAll(resp.Body)
					if err != nil || resp.StatusCode != 200 || string(b) != want {
						t.Errorf("%s: %d %s, %v", line, resp.StatusCode, b, err)
					}
				}
				if b, err := io.ReadAll(r); len(b) > 0 || err != nil {
					t.Errorf("more: %q, %v", b, err)
				}
			})
		}
	}
	g.eventuallyFree()
}

// TestImpatientClients: fifty clients that disconnect early cannot block a pool of
// two. Those that wait leave the queue, and a patient client gets its response.
func TestImpatientClients(t *testing.T) {
	t.Parallel()
	for _, quick := range []bool{false, true} {
		t.Run(fmt.Sprintf("known to be quick %t", quick), func(t *testing.T) {
			g := startGone(t, "db-pool", "2", "db-pool-acquisition-timeout", "600")
			if quick { // so that they may share connections
				for range 40 {
					resp := get(t, "http://"+g.tcp+"/rpc/nap?seconds=0", "application/json")
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
			var all []net.Conn
			for range 50 {
				all = append(all, g.send("tcp", "GET /rpc/nap?seconds=600"))
			}
			g.eventually("the pool is drained", func() bool { return g.running() == "2" })
			patient := g.send("tcp", "GET /item?id=eq.1&select=id")
			for _, c := range all {
				c.Close()
			}
			resp, err := http.ReadResponse(bufio.NewReader(patient), nil)
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("the patient one: %v %v", resp, err)
			}
			g.eventuallyFree()
			g.eventuallyRunning("0")
			if s := g.pool.Stats(); s.AcquireTimeouts != 0 {
				t.Errorf("stats %+v", s)
			}
			g.works()
		})
	}
}

// TestAbandonedWrites: a write that has begun is completed after its client has
// disconnected, unless the setting says otherwise. One that waits is dropped.
func TestAbandonedWrites(t *testing.T) {
	t.Parallel()
	for _, cancel := range []bool{false, true} {
		t.Run(fmt.Sprintf("server-cancel-abandoned-writes %t", cancel), func(t *testing.T) {
			g := startGone(t, "db-pool", "2", "db-pool-acquisition-timeout", "600", "server-cancel-abandoned-writes", fmt.Sprint(cancel))
			g.value("select pg_advisory_lock(1)")
			begun := g.send("tcp", `POST /rpc/write_held {"lock":1,"tag":"begun"}`)
			g.eventually("it waits", func() bool { return g.held() == "1" })
			if cancel {
				begun.Close()
				g.eventuallyFree()
				g.value("select pg_advisory_unlock(1)")
			} else {
				begun.Close()
				g.looks()
				if g.held() != "1" {
					t.Error("was cancelled")
				}
				other := g.send("tcp", "GET /rpc/nap?seconds=600")
				g.eventually("the pool is in use", func() bool { return g.pool.Stats().InUse == 2 })
				waiting := g.send("tcp", `POST /rpc/write_held {"lock":2,"tag":"not begun"}`)
				g.eventually("it waits", func() bool { return g.pool.Stats().Waiting == 1 })
				waiting.Close()
				g.eventually("it has left", func() bool { return g.pool.Stats().Waiting == 0 })
				g.value("select pg_advisory_unlock(1)")
				other.Close()
			}
			g.eventuallyFree()
			want := "begun"
			if cancel {
				want = ""
			}
			if got := g.value("select coalesce(string_agg(tag, ' '), '') from written"); got != want {
				t.Errorf("written: %q, want %q", got, want)
			}
			g.works()
		})
	}
}

// TestNeighbours: clients get their responses while others, on the same database
// connections, disconnect at any moment.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	g := startGone(t, "db-pool", "2", "db-pool-acquisition-timeout", "600")
	const target = "GET /rpc/nap?seconds="
	ask := func(c net.Conn, seconds string) error {
		if _, err := io.WriteString(c, rawLine(target+seconds)); err != nil {
			return err
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(resp.Body)
		if err == nil && (resp.StatusCode != 200 || string(b) != `"rested"`) {
			err = fmt.Errorf("%d %s", resp.StatusCode, b)
		}
		return err
	}
	first := g.dial("tcp")
	for range 40 { // it is known to be quick
		if err := ask(first, "0"); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var leaving, staying sync.WaitGroup
	for i := range 6 {
		leaving.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-stop:
					return
				default:
				}
				c := g.send("tcp", target+[...]string{"0", "0.001", "0.25", "0.4"}[(i+round)%4])
				time.Sleep(time.Duration((i*37+round*61)%200) * time.Millisecond)
				c.Close()
			}
		})
	}
	for range 6 {
		staying.Go(func() {
			c := g.dial("tcp")
			for n := range 40 {
				seconds := "0"
				if n%20 == 19 {
					seconds = "0.3" // long enough to be looked at
				}
				if err := ask(c, seconds); err != nil {
					t.Errorf("request %d: %v", n, err)
					return
				}
			}
		})
	}
	staying.Wait()
	close(stop)
	leaving.Wait()
	g.eventuallyFree()
	g.works()
}

// TestTooManyWaiting: beyond db-pool-max-waiters requests fail at once, with the
// error of a pool timeout.
func TestTooManyWaiting(t *testing.T) {
	g := startGone(t, "db-pool", "1", "db-pool-acquisition-timeout", "600", "db-pool-max-waiters", "2")
	http.ReadResponse(bufio.NewReader(g.send("tcp", `POST /note {"body":"x"}`)), nil) // its plan is known
	g.value("select pg_advisory_lock(1)")
	var patient []net.Conn
	for range 3 {
		patient = append(patient, g.send("tcp", "GET /rpc/held?lock=1"))
	}
	g.eventually("a full house", func() bool { s := g.pool.Stats(); return s.InUse == 1 && s.Waiting == 2 })
	for _, line := range []string{"GET /item", "GET /", "GET /rpc/add?a=1&b=2", `POST /note {"body":"x"}`} {
		resp, err := http.ReadResponse(bufio.NewReader(g.send("tcp", line)), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		want := `{"code":"PGRST003","details":null,"hint":null,"message":"Timed out acquiring connection from connection pool."}`
		if err != nil || resp.StatusCode != 504 || string(b) != want {
			t.Errorf("%s: %d %s %v", line, resp.StatusCode, b, err)
		}
	}
	g.value("select pg_advisory_unlock(1)")
	for _, c := range patient {
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 200 {
			t.Errorf("one of those that waited: %v %v", resp, err)
		}
	}
	g.works()
}

// TestGoneProblem: the log entry of a disconnected client counts neither as our
// error nor as the database's.
func TestGoneProblem(t *testing.T) {
	p := problemOf(fmt.Errorf("x: %w", errClientGone), false)
	if p.status != 499 || !errors.Is(error(p), errClientGone) {
		t.Errorf("%+v", p)
	}
}
