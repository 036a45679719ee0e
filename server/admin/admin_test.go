package admin

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

type fake struct {
	live, ready bool
	notice      string
	cache       string
	metrics     string
	err         error
}

func (f *fake) Live() bool            { return f.live }
func (f *fake) Ready() (bool, string) { return f.ready, f.notice }
func (f *fake) SchemaCache() []byte   { return []byte(f.cache) }
func (f *fake) Status(after int64) *Status {
	return &Status{Version: "1", Moment: Moment{Now: after}}
}
func (f *fake) WriteMetrics(w io.Writer) error {
	_, _ = io.WriteString(w, f.metrics)
	return f.err
}

// serve runs the handler on an in-memory listener.
func serve(t *testing.T, s Server) (dial func() net.Conn) {
	t.Helper()
	ln := fasthttputil.NewInmemoryListener()
	srv := &fasthttp.Server{Handler: Handler(s, book{}), Name: "test"}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = ln.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func() net.Conn {
		c, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

func TestEndpoints(t *testing.T) {
	up := &fake{live: true, ready: true, cache: `{"a":1}`, metrics: "a 1\n"}
	f := func(s *fake, method, target string, status int, body string, headers http.Header) {
		t.Helper()
		conn := serve(t, s)()
		// Send two requests, so that bytes left over from the first response
		// show.
		for range 2 {
			fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nOrigin: https://a.example\r\n\r\n", method, target)
		}
		r := bufio.NewReader(conn)
		for range 2 {
			res, err := http.ReadResponse(r, &http.Request{Method: method})
			if err != nil {
				t.Fatalf("%s %s: %v", method, target, err)
			}
			got, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != status || string(got) != body {
				t.Errorf("%s %s: %d %q, want %d %q", method, target, res.StatusCode, got, status, body)
			}
			for _, h := range []string{"Date", "Server"} {
				res.Header.Del(h)
			}
			if d := cmp.Diff(headers, res.Header); d != "" {
				t.Errorf("%s %s: headers (-want +got)\n%s", method, target, d)
			}
		}
	}
	none := http.Header{}
	f(up, "GET", "/live", 200, "", none)
	f(up, "HEAD", "/live", 200, "", none)
	f(up, "POST", "/live", 200, "", none)
	f(up, "OPTIONS", "/ready", 200, "", none)
	f(up, "DELETE", "/ready", 200, "", none)
	f(up, "GET", "/ready?x=1", 200, "", none)
	f(&fake{}, "GET", "/live", 500, "", none)
	f(&fake{live: true}, "GET", "/ready", 503, "", none)
	f(&fake{}, "GET", "/ready", 503, "", none)
	f(&fake{ready: true}, "GET", "/ready", 500, "", none)

	f(up, "GET", "/schema_cache", 200, `{"a":1}`, http.Header{"Content-Length": {"7"}})
	f(up, "HEAD", "/schema_cache", 200, "", none)
	f(&fake{}, "GET", "/schema_cache", 200, "", none)

	text := http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	f(up, "HEAD", "/metrics", 200, "", text)
	text = http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {"4"}}
	f(up, "GET", "/metrics", 200, "a 1\n", text)
	f(&fake{err: errors.New("x"), metrics: "half"}, "GET", "/metrics", 500, "", none)

	for _, target := range []string{"/ui.html", "/ui.jsonx", "/nope", "/LIVE", "/live/", "//live", "/genre", "/live/x", "/ui/x", "/ui//", "//", "*", "/config", "/%2Flive"} {
		f(up, "GET", target, 404, "", none)
	}
}

// TestHTTP10 checks that a HTTP/1.0 response has no chunks.
func TestHTTP10(t *testing.T) {
	conn := serve(t, &fake{live: true})()
	fmt.Fprint(conn, "OPTIONS /live HTTP/1.0\r\n\r\n")
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(string(got), "\r\n\r\n") || strings.Contains(string(got), "chunked") {
		t.Errorf("got %q", got)
	}
}

func TestEndpoint(t *testing.T) {
	f := func(target, want string) {
		t.Helper()
		if got := string(endpoint([]byte(target))); got != want {
			t.Errorf("endpoint(%q) = %q, want %q", target, got, want)
		}
	}
	f("/live", "live")
	f("/live?a=/b", "live")
	f("/%6cive", "live")
	f("/%6Cive", "live")
	f("/live%", "live%")
	f("/live%4", "live%4")
	f("/live%zz", "live%zz")
	f("/a%2Fb", "a/b")
	f("http://host:1/live", "live")
	f("http://host", "")
	f("http://", "")
	f("", "")
	f("/", "")
	f("?", "")
	f("live", "")
	f("/live/", "")
	f("//live", "")
}

func FuzzEndpoint(f *testing.F) {
	for _, s := range []string{"/live", "http://h/live", "/%6", "?", "://", "/a://b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, target []byte) {
		if got := endpoint(target); len(got) > len(target) {
			t.Fatalf("%q grew to %q", target, got)
		}
	})
}

// TestPage checks the type of each file of the page and the headers that restrict the page.
func TestPage(t *testing.T) {
	conn := serve(t, &fake{})()
	r := bufio.NewReader(conn)
	get := func(method, target string) (*http.Response, string) {
		t.Helper()
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, target)
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	for target, want := range map[string][2]string{
		"/ui": {"text/html; charset=utf-8", "<!doctype html>"}, "/ui.css": {"text/css; charset=utf-8", "prefers-color-scheme: dark"},
		"/ui.js": {"text/javascript; charset=utf-8", `"use strict"`}, "/ui.json?x": {"application/json; charset=utf-8", `{"version":"1",`},
	} {
		res, body := get("GET", target)
		policy := res.Header.Get("Content-Security-Policy")
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != want[0] || !strings.Contains(body, want[1]) || res.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
			t.Errorf("%s: %d %v %.100s", target, res.StatusCode, res.Header, body)
		}
		if res, body := get("HEAD", target); res.StatusCode != 200 || body != "" {
			t.Errorf("HEAD %s: %d %s", target, res.StatusCode, body)
		}
	}
	// The page loads nothing from other origins and has nothing inline that its
	// policy forbids.
	html := string(pageHTML)
	for _, bad := range []string{"http://", "https://", "//cdn", " style=", " onclick=", "<style", "<script>"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if js := strings.ReplaceAll(string(pageJS), "http://www.w3.org/2000/svg", ""); strings.Contains(js, "http") || strings.Contains(js, "innerHTML") {
		t.Error("the script loads from other origins, or sets markup")
	}
}

// TestPageIsFound checks that / and /ui/ lead to the page, also below a path
// that a proxy adds.
func TestPageIsFound(t *testing.T) {
	conn := serve(t, &fake{})()
	r := bufio.NewReader(conn)
	for _, target := range []string{"/", "/?x", "/ui/", "/ui/?x=1", "http://x/", "http://x/ui/?x"} {
		for _, prefix := range []string{"", "/admin"} {
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target)
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatal(err)
			}
			asked, err := url.Parse("http://x" + prefix + strings.TrimPrefix(target, "http://x"))
			if err != nil {
				t.Fatal(err)
			}
			to, err := asked.Parse(res.Header.Get("Location"))
			if err != nil || res.StatusCode != 302 || to.Path != prefix+"/ui" {
				t.Errorf("%s below %q: %d to %v, %v", target, prefix, res.StatusCode, to, err)
			}
		}
	}
}

// TestHistoryIsAskedFor checks the parameter that says which moments the page
// has. A value that is not a number counts as 0.
func TestHistoryIsAskedFor(t *testing.T) {
	conn := serve(t, &fake{})()
	r := bufio.NewReader(conn)
	for query, want := range map[string]int64{"": 0, "?after=12": 12, "?after=x": 0, "?after=-3": 0, "?after=99999999999999999999999": 0} {
		fmt.Fprintf(conn, "GET /ui.json%s HTTP/1.1\r\nHost: x\r\n\r\n", query)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		var status Status
		if err := json.NewDecoder(res.Body).Decode(&status); err != nil || status.Now != want {
			t.Errorf("%q asks for moments after %d, %v, want %d", query, status.Now, err, want)
		}
		res.Body.Close()
	}
}

// TestHistory adds more moments than the history keeps.
func TestHistory(t *testing.T) {
	h := &History{}
	numbers := func(after int64) (list []int64) {
		moments, _ := h.Since(after)
		for _, m := range moments {
			if m.Now != m.Number*10 {
				t.Errorf("moment %d has time %d", m.Number, m.Now)
			}
			list = append(list, m.Number)
		}
		return list
	}
	f := func(after int64, want ...int64) {
		t.Helper()
		if got := numbers(after); !slices.Equal(got, want) {
			t.Errorf("after %d: %v, want %v", after, got, want)
		}
	}
	f(0)
	f(5)
	for n := range int64(3) {
		h.Add(Moment{Now: (n + 1) * 10})
	}
	f(0, 1, 2, 3)
	f(2, 3)
	f(3)
	f(4, 1, 2, 3)
	f(-1, 1, 2, 3)
	for n := range int64(Kept) {
		h.Add(Moment{Now: (n + 4) * 10})
	}
	if got := numbers(0); len(got) != Kept || got[0] != 4 || got[Kept-1] != Kept+3 {
		t.Errorf("%d moments are kept: %v", len(got), got)
	}
	f(Kept+2, Kept+3)
}

// TestHistoryUse checks that a moment has the mean and the peak of the samples
// since the previous moment.
func TestHistoryUse(t *testing.T) {
	h := &History{}
	for i := range LooksPerMoment {
		if due := h.Look(i%2, 0); due != (i == LooksPerMoment-1) {
			t.Errorf("look %d: a moment is due: %t", i, due)
		}
	}
	h.Add(Moment{})
	h.Look(1, 4)
	h.Look(8, 0)
	moments, use := h.Since(0)
	if want := (Use{InUse: 0.5, InUsePeak: 1}); moments[0].Use != want {
		t.Errorf("got %v, want %v", moments[0].Use, want)
	}
	if want := (Use{InUse: 4.5, InUsePeak: 8, Waiting: 2, WaitingPeak: 4}); use != want {
		t.Errorf("since then: %v, want %v", use, want)
	}
	h.Add(Moment{})
	if _, after := h.Since(0); after != use {
		t.Errorf("without a look since: %v, want that of the last moment, %v", after, use)
	}
}
