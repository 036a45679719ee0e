package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/clients"
)

const panicSchema = `
create schema api;
create table api.film (id int primary key, title text);
insert into api.film select i, 'film ' || i from generate_series(1, 20) i;
grant usage on schema api to test_anon;
grant select, insert, update on api.film to test_anon;
`

func startPanic(t *testing.T) *writer {
	return startWriter(t, panicSchema, map[string]string{
		direct: "yes", login: "postgres", "log-level": "error", "db-anon-role": "test_anon", "db-pool": "3",
	})
}

// plant makes a request whose plan is kept, and has the plan panic at its rows
// from then on.
func plant(t *testing.T, w *writer, method, target, body string, head ...string) {
	t.Helper()
	raw := method + " " + target + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + strings.Join(append(head, ""), "\r\n") +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	ctx := newRequestCtx()
	if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(raw))); err != nil {
		t.Fatal(err)
	}
	rq := w.newRequest().(*request)
	h, _ := clients.ReadHead(ctx)
	rq.begin(ctx, w.snapshot.Load(), h)
	if err := rq.serve(); err != nil {
		t.Fatal(err)
	}
	for range 30 { // until it is known to be quick, a plan does not share
		w.ask(method, target, body, head...)
	}
	rq.call.Plan.Form().Columns[0].Codec.Append = func([]byte, []byte) ([]byte, bool) { panic("planted") }
}

// TestPanickingRequests: among concurrent requests those that panic get a 500. The
// others get their response, or an error if they shared a connection with one
// that panicked. Nothing leaks, and the process goes on.
func TestPanickingRequests(t *testing.T) {
	w := startPanic(t)
	representation := "Prefer: return=representation"
	plant(t, w, "GET", "/film?select=id&id=eq.1", "")
	plant(t, w, "PATCH", "/film?select=id&id=eq.1", `{"title":"film 1"}`, representation)
	for range 40 {
		w.ask("GET", "/film?select=title&id=eq.2", "")
		w.ask("PATCH", "/film?select=title&id=eq.2", `{"title":"film 2"}`, representation)
	}
	var panics, answers, errs atomic.Int64
	var all sync.WaitGroup
	for client := range 64 {
		all.Go(func() {
			for i := range 12 {
				bad := (client+i)%8 == 0
				field := "title"
				if bad {
					field = "id"
				}
				var r *reply
				if write := i%3 == 0; write {
					r = w.ask("PATCH", fmt.Sprintf("/film?select=%s&id=eq.%d", field, 1+client%20), fmt.Sprintf(`{"title":"film %d"}`, 1+client%20), representation)
				} else {
					r = w.ask("GET", fmt.Sprintf("/film?select=%s&id=eq.%d", field, 1+client%20), "")
				}
				switch {
				case bad && r.status == 500 && r.code == "PGRSTX10" && r.header.ConnectionClose():
					panics.Add(1)
				case !bad && r.status == 200 && r.body == fmt.Sprintf(`[{"title":"film %d"}]`, 1+client%20):
					answers.Add(1)
				case r.status == 503 && r.code == "PGRST001":
					errs.Add(1)
				default:
					t.Errorf("panics: %t, got %v", bad, r)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(3 * time.Minute):
		t.Fatal("a request waits for ever")
	}
	t.Logf("%d panics, %d answers, %d errors", panics.Load(), answers.Load(), errs.Load())
	if panics.Load() < 20 || answers.Load() < 100 {
		t.Error("the test proves nothing")
	}
	if !pgtest.Until(time.Minute, func() bool { s := w.pool.Stats(); return s.InUse == 0 && s.Waiting == 0 }) {
		t.Fatalf("leaked: %+v", w.pool.Stats())
	}
	w.log.Flush()
	text := w.said.String()
	if n := int64(strings.Count(text, "planted")); n < panics.Load() || strings.Contains(text, "PGRSTX10") || !strings.Contains(text, "panic_test.go") {
		t.Errorf("%d of %d panics were logged:\n%.3000s", n, panics.Load(), text)
	}
	if r := w.ask("GET", "/film?select=title&id=eq.3", ""); r.body != `[{"title":"film 3"}]` {
		t.Errorf("afterwards: %v", r)
	}
}

// TestPanicOverHTTP: what a client sees of a panic.
func TestPanicOverHTTP(t *testing.T) {
	w := startPanic(t)
	plant(t, w, "GET", "/film?select=id", "")
	plant(t, w, "POST", "/film?select=id", `{"id":100}`, "Prefer: return=representation")
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	api := w.apiServer(w.config(), l)
	serveAPI(t, api)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", l.Addr().String())
	}}}
	for _, test := range []struct{ method, body, details string }{
		{"GET", "", "null"},
		{"POST", `{"id":101}`, `"It is unknown whether the transaction was committed."`},
	} {
		request, _ := http.NewRequestWithContext(t.Context(), test.method, "http://x/film?select=id", strings.NewReader(test.body))
		request.Header.Set("Prefer", "return=representation")
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(test.method, err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		want := `{"code":"PGRSTX10","details":` + test.details + `,"hint":null,"message":"Internal server error"}`
		if response.StatusCode != 500 || string(body) != want || !response.Close || response.Header.Get("Proxy-Status") != "PostgREST; error=PGRSTX10" {
			t.Errorf("%s: %d %s, closed: %t", test.method, response.StatusCode, body, response.Close)
		}
	}
	if !pgtest.Until(time.Minute, func() bool { return api.Open() == 0 }) {
		t.Errorf("%d connections are left", api.Open())
	}
	w.log.Flush()
	if n := strings.Count(w.said.String(), "A request panicked"); n != 2 {
		t.Errorf("logged %d times:\n%s", n, w.said.String())
	}
}

// TestPanicTwice: building the response to a panic may panic as well.
func TestPanicTwice(t *testing.T) {
	w := startPanic(t)
	ctx := newRequestCtx()
	w.panicked(ctx, &request{server: w.Server}, "first") // it has nothing an answer needs
	want := `{"code":"PGRSTX10","details":null,"hint":null,"message":"Internal server error"}`
	if got := string(ctx.Response.Body()); ctx.Response.StatusCode() != 500 || got != want || !ctx.Response.ConnectionClose() {
		t.Errorf("%d %s", ctx.Response.StatusCode(), got)
	}
	w.log.Flush()
	if !strings.Contains(w.said.String(), `"first"`) {
		t.Error(w.said.String())
	}
}
