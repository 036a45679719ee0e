package load

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

func TestAnswers(t *testing.T) {
	f := func(wire string, want ...int) {
		t.Helper()
		for name, from := range map[string]io.Reader{
			"at once":      strings.NewReader(wire),
			"byte by byte": iotest.OneByteReader(strings.NewReader(wire)),
		} {
			r := reader{from: from}
			for i, w := range want {
				if got, err := r.next(); err != nil || got != w {
					t.Errorf("%s, answer %d: got %d, %v, want %d", name, i, got, err, w)
				}
			}
			if _, err := r.next(); err != io.EOF {
				t.Errorf("%s: after the last response got %v, want EOF", name, err)
			}
		}
	}
	f("")
	f("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5)
	f("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\nHTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\n[]", 0, 2)
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"+
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 13, 1)

	f("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 0, 0)

	bad := func(wire, want string) {
		t.Helper()
		r := reader{from: strings.NewReader(wire)}
		if _, err := r.next(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	bad("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", "404 Not Found: nope")
	bad("HTTP/1.1 200 OK\r\n\r\n", "without a length")
	bad("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "invalid syntax")
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk size")
	bad(strings.Repeat("x", maxHead+2), "longer than")
	bad("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "EOF")
}

func TestRun(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("id"))
		body, _ := io.ReadAll(r.Body)
		if err != nil || n < 10 || n > 120 || r.Header.Get("X-Mark") != "yes" || r.Method == "POST" && string(body) != fmt.Sprintf(`[{"a":%d},{"a":%d}]`, n, n) {
			http.Error(w, "unexpected "+r.URL.String(), http.StatusBadRequest)
			return
		}
		served.Add(1)
		fmt.Fprint(w, "12345")
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Path: "/?id={n}", Low: 10, High: 20, Headers: []string{"X-Mark: yes"}}
	got, err := Run(t.Context(), target, 4, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if int64(got.Requests) != served.Load() || got.Bytes != 5*served.Load() || got.Requests == 0 || got.P50 <= 0 || got.P99 < got.P50 {
		t.Errorf("%+v after %d responses", got, served.Load())
	}
	target.Method, target.Body, target.High = "POST", `[{"a":{n}},{"a":{n}}]`, 120
	if _, err := Run(t.Context(), target, 4, 100*time.Millisecond); err != nil {
		t.Error(err)
	}
	if body, err := Ask(t.Context(), target, 105); err != nil || string(body) != "12345" {
		t.Errorf("one request: %q, %v", body, err)
	}
	target.Headers = nil
	if _, err := Run(t.Context(), target, 2, 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("got %v, want the status of the refusal", err)
	}
}

func TestTokensInTurn(t *testing.T) {
	seen := make(map[string]int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen[r.Header.Get("Authorization")]++
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Path: "/", Headers: []string{"Authorization: Bearer {token}"},
		Tokens: &Tokens{List: []string{"a", "b", "c"}}}
	for range 6 {
		if _, err := Ask(t.Context(), target, 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 3 || seen["Bearer a"] != 2 || seen["Bearer b"] != 2 {
		t.Errorf("got %v, want each token twice", seen)
	}
}

func TestRefuses(t *testing.T) {
	f := func(target Target, connections int, d time.Duration, want string) {
		t.Helper()
		if _, err := Run(t.Context(), target, connections, d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(Target{Addr: "192.0.2.1:80"}, 1, time.Second, "not a loopback")
	f(Target{Addr: "example.org:80"}, 1, time.Second, "address")
	f(Target{Addr: "127.0.0.1:80"}, 20_000, time.Second, "connections")
	f(Target{Addr: "127.0.0.1:80"}, 1, time.Hour, "duration")
	f(Target{Addr: "127.0.0.1:80", Low: 2, High: 1}, 1, time.Second, "numbers")
}

// TestKinds checks that kinds are sent in their shares and have figures of their own, in both kinds of loops.
func TestKinds(t *testing.T) {
	var a, b atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.RawQuery == "from=5&to=45":
			a.Add(1)
		case r.Method == "POST" && r.Header.Get("X-Kind") == "b":
			b.Add(1)
		default:
			http.Error(w, "unexpected "+r.URL.String(), http.StatusBadRequest)
		}
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Name: "a", Path: "/?from={n}&to={n+40}", Low: 5, High: 5,
		Others: []Other{{Name: "b", Percent: 50, Method: "POST", Path: "/b", Headers: []string{"X-Kind: b"}, Body: "{n}"}}}
	for name, run := range map[string]func() (Result, error){
		"closed": func() (Result, error) { return Run(t.Context(), target, 4, 200*time.Millisecond) },
		"open":   func() (Result, error) { return RunOpen(t.Context(), target, 1000, 16, 200*time.Millisecond) },
	} {
		r, err := run()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(r.Kinds) != 2 || r.Kinds[0].Name != "a" || r.Kinds[0].Requests != int(a.Swap(0)) || r.Kinds[1].Requests != int(b.Swap(0)) ||
			r.Kinds[0].Requests+r.Kinds[1].Requests != r.Requests || r.Kinds[0].P50 <= 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if share := float64(r.Kinds[1].Requests) / float64(r.Requests); share < 0.2 || share > 0.8 {
			t.Errorf("%s: the share of b is %g", name, share)
		}
	}
	if got := len(target.Kinds()); got != 2 {
		t.Errorf("%d kinds", got)
	}
	target.Others = make([]Other, maxOthers+1)
	if _, err := Run(t.Context(), target, 1, time.Second); err == nil || !strings.Contains(err.Error(), "kinds of requests") {
		t.Errorf("got %v", err)
	}
}
