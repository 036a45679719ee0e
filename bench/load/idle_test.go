package load

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHold(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Path: "/"}
	h, err := Hold(t.Context(), target, 100)
	if err != nil {
		t.Fatal(err)
	}
	if n := h.Open(); n != 100 {
		t.Errorf("%d open of 100", n)
	}
	server.CloseClientConnections()
	for deadline := time.Now().Add(time.Minute); h.Open() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d open after the server closed all", h.Open())
		}
	}
	h.Close()

	bad := func(want string, target Target, n int) {
		t.Helper()
		if _, err := Hold(t.Context(), target, n); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	bad("404", Target{Addr: target.Addr, Path: "/no"}, 50)
	bad("idle connections, want", target, 0)
	bad("idle connections, want", target, maxIdle+1)
	bad("not a loopback", Target{Addr: "192.0.2.1:80"}, 1)
}

// TestAside checks that aside requests are sent and are not part of the
// figures.
func TestAside(t *testing.T) {
	const slow = 20 * time.Millisecond
	var asked, aside = make(chan struct{}, 1<<20), make(chan struct{}, 1<<20)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(slow)
			aside <- struct{}{}
			return
		}
		asked <- struct{}{}
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Path: "/", Others: []Other{{Percent: 50, Path: "/slow"}}}
	for name, run := range map[string]func() (Result, error){
		"closed": func() (Result, error) { return Run(t.Context(), target, 4, 300*time.Millisecond) },
		"open":   func() (Result, error) { return RunOpen(t.Context(), target, 200, 64, 300*time.Millisecond) },
	} {
		r, err := run()
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests != len(asked) || r.Aside != len(aside) || r.Requests == 0 || r.Aside == 0 || r.Failed != 0 {
			t.Errorf("%s: %+v, but the server received %d requests and %d aside", name, r, len(asked), len(aside))
		}
		for len(asked) > 0 {
			<-asked
		}
		for len(aside) > 0 {
			<-aside
		}
	}
	target.Others[0].Percent = 101
	if _, err := Run(t.Context(), target, 1, time.Second); err == nil || !strings.Contains(err.Error(), "percent") {
		t.Errorf("got %v", err)
	}
}
