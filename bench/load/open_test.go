package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	f := func(rate uint64, sequence uint64, want time.Duration) {
		t.Helper()
		p := plan{rate: rate, count: 10}
		if got := p.due(sequence); got != want {
			t.Errorf("request %d at %d/s: due at %s, want %s", sequence, rate, got, want)
		}
	}
	f(1, 0, 0)
	f(1, 7, 7*time.Second)
	f(1000, 1, time.Millisecond)
	f(3, 1, 333333333)
	f(3, 3_000_000_000, 1e9*time.Second) // no sum of rounded intervals, no overflow

	p := plan{rate: 1000, count: 10}
	for _, c := range []struct {
		elapsed time.Duration
		sent    uint64
		wait    time.Duration
		stop    bool
	}{
		{0, 0, 0, false},
		{0, 3, 3 * time.Millisecond, false},
		{time.Hour, 3, 0, false}, // late requests are sent
		{time.Hour, 10, 0, true},
	} {
		if wait, stop := p.Pace(c.elapsed, c.sent); stop != c.stop || !stop && wait != c.wait {
			t.Errorf("%s, %d sent: got %s, %v", c.elapsed, c.sent, wait, stop)
		}
	}
}

// TestOpen checks that the pause of a server counts for all requests that were due during it, although only one
// connection could have waited.
func TestOpen(t *testing.T) {
	const pause = 300 * time.Millisecond
	var (
		served atomic.Int64
		turn   sync.Mutex
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn.Lock()
		defer turn.Unlock()
		if served.Add(1) == 1 {
			time.Sleep(pause)
		}
		fmt.Fprint(w, "12345")
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Path: "/"}
	const rate, connections = 200, 2
	got, err := RunOpen(t.Context(), target, rate, connections, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got.Requests != rate || served.Load() != rate || got.Failed != 0 || got.Bytes != 5*rate {
		t.Errorf("%+v, %d served, want %d", got, served.Load(), rate)
	}
	// 60 of 200 requests were due during the pause. A tenth of all waited for at least 200 ms less the time in
	// which 20 requests become due. Counted from their sending, two requests would have waited.
	if got.P90 < pause/2 || got.Max < pause {
		t.Errorf("%+v: the pause of %s was left out", got, pause)
	}
	if got.P50 > got.P90 || got.P90 > got.P99 || got.P99 > got.P999 || got.P999 > got.Max {
		t.Errorf("%+v is not in order", got)
	}
	if got.Elapsed < 900*time.Millisecond {
		t.Errorf("a second's requests were sent in %s", got.Elapsed)
	}
}

func TestOpenFailures(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1)%4 == 0 {
			http.Error(w, "too much", http.StatusGatewayTimeout)
			return
		}
		fmt.Fprint(w, "1")
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Path: "/"}
	got, err := RunOpen(t.Context(), target, 400, 4, 100*time.Millisecond)
	if err != nil || got.Requests != 30 || got.Failed != 10 {
		t.Errorf("got %+v, %v, want a quarter of 40 failed", got, err)
	}
	target.Path = "/"
	none := httptest.NewServer(http.NotFoundHandler())
	defer none.Close()
	target.Addr = none.Listener.Addr().String()
	if _, err := RunOpen(t.Context(), target, 100, 4, 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v, want the status of the response", err)
	}
	for _, rate := range []int{0, -1, MaxRate + 1} {
		if _, err := RunOpen(t.Context(), target, rate, 4, time.Second); err == nil || !strings.Contains(err.Error(), "requests per second") {
			t.Errorf("rate %d: got %v", rate, err)
		}
	}
	if _, err := RunOpen(t.Context(), Target{Addr: "192.0.2.1:80"}, 1, 1, time.Second); err == nil || !strings.Contains(err.Error(), "not a loopback") {
		t.Errorf("got %v", err)
	}
}
