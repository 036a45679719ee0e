package compare

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const stamp = `[29/Nov/2026:04:50:27 +0000]`

// lines are lines of each format, and what they are read as.
var lines = []struct {
	line string
	want *request
}{
	// PostgREST
	{`127.0.0.1 - editor ` + stamp + ` "GET /book?id=eq.1 HTTP/1.1" 200 56 "" "curl/8.7.1"`,
		&request{Method: "GET", Target: "/book?id=eq.1", Role: "editor", Logged: true}},
	{`127.0.0.1 - - ` + stamp + ` "GET /book HTTP/1.1" 401 - "" "curl/8.7.1"`, &request{Method: "GET", Target: "/book", Role: "-", Logged: true}},
	{`::1 - web anon ` + stamp + ` "DELETE /book?id=eq.1 HTTP/1.0" 204 0 "" ""`, &request{Method: "DELETE", Target: "/book?id=eq.1", Role: "web anon", Logged: true}},
	{`1.2.3.4 - a ` + stamp + ` "GET /a?b=like.*\d HTTP/1.1" 200 1 "" ""`, &request{Method: "GET", Target: `/a?b=like.*\d`, Role: "a", Logged: true}},
	{`1.2.3.4 - a ` + stamp + ` "GET /a?b="\\" HTTP/1.1" 200 1 "" ""`, &request{Method: "GET", Target: `/a?b="\\"`, Role: "a", Logged: true}},
	// a container's name before it, and nginx's log
	{`rest-1  | 1.2.3.4 - a ` + stamp + ` "GET /b HTTP/1.1" 200 1 "" ""`, &request{Method: "GET", Target: "/b", Role: "a", Logged: true}},
	{`1.2.3.4 - - ` + stamp + ` "HEAD /b HTTP/2.0" 200 1 "http://x/" "-"`, &request{Method: "HEAD", Target: "/b", Role: "-", Logged: true}},
	// fastgrest's text log
	{`1.2.3.4 - two\x20words ` + stamp + ` "GET /a?b=\"\\\" HTTP/1.1" 200 1 "" ""`, &request{Method: "GET", Target: `/a?b="\"`, Role: "two words", Logged: true}},
	{`1.2.3.4 - a ` + stamp + ` "GET /\xe4\u202e HTTP/1.1" 200 1 "" ""`, &request{Method: "GET", Target: "/\xe4\u202e", Role: "a", Logged: true}},
	// and its JSON log
	{`{"time":"2026-11-29T04:50:27.000Z","level":"info","request_id":"1","client":null,"role":"editor","method":"GET","route":"book","target":"/book","status":200}`,
		&request{Method: "GET", Target: "/book", Header: http.Header{}, Role: "editor", Logged: true}},
	{`{"level":"warn","role":null,"method":"GET","target":"/book","status":401}`, &request{Method: "GET", Target: "/book", Header: http.Header{}, Role: "-", Logged: true}},
	// lists of requests
	{"GET /book", &request{Method: "GET", Target: "/book"}},
	{"\tHEAD /book?a=b HTTP/1.1\r\n", &request{Method: "HEAD", Target: "/book?a=b"}},
	{`{"method":"POST","url":"/book?a=b","headers":{"prefer":["a","b"],"Host":"x","Content-Length":"7"},"body":{"id": 1},"role":"editor"}`,
		&request{Method: "POST", Target: "/book?a=b", Header: http.Header{"Prefer": {"a", "b"}, "Content-Type": {"application/json"}}, Body: []byte(`{"id": 1}`), Role: "editor"}},
	{`{"method":"POST","url":"https://api.example/rest/v1/book?a=b#c","headers":{"Content-Type":"text/csv"},"body":"id\n1"}`,
		&request{Method: "POST", Target: "/rest/v1/book?a=b", Header: http.Header{"Content-Type": {"text/csv"}}, Body: []byte("id\n1")}},
	{`{"method":"GET","url":"https://api.example","body":null}`, &request{Method: "GET", Target: "/", Header: http.Header{}}},
	{`{"method":"GET","url":"HTTP://[::1]:3000?a=\"{b}"}`, &request{Method: "GET", Target: `/?a="{b}`, Header: http.Header{}}},

	// not requests
	{"", nil},
	{"29/Nov/2026:04:50:27 +0000: Attempting to connect to the database...", nil},
	{`{"time":"2026-11-29T04:50:27.000Z","level":"info","message":"Listening"}`, nil},
	{`{"method":"GET","target":1}`, nil},
	{`{"method":"GET","url":"/a","headers":{"A b":"c"}}`, nil},
	{`{"method":"GET","url":"/a","headers":{"A":"c\r\nB: d"}}`, nil},
	{`{"method":"GET","url":"/a","headers":{"A":1}}`, nil},
	{`{"method":"GET","url":"/a b"}`, nil},
	{`{"method":"GET","url":"/a\r\nHost: b"}`, nil},
	{`{"method":"GET","url":"//` + strings.Repeat("x", maxTarget) + `"}`, nil},
	{`{"method":"GET","url":"http://[::1"}`, nil},
	{`{"method":"GET /x","url":"/a"}`, nil},
	{`{"method":"GET"}`, nil},
	{`[{"method":"GET","url":"/a"}]`, nil},
	{"GET book", nil},
	{"get /book", nil},
	{"GET /book HTTP/1.1 and more", nil},
	{`1.2.3.4 - a ` + stamp + ` "GET http://x/ HTTP/1.1" 200 1 "" ""`, nil},
	{`1.2.3.4 - a ` + stamp + ` "GET /a\x0d\x0aHost:x HTTP/1.1" 200 1 "" ""`, nil},
	{`1.2.3.4 - a ` + stamp + ` "OPTIONS * HTTP/1.1" 200 1 "" ""`, nil},
	// a client chooses its User-Agent, which PostgREST logs as it is
	{`1.2.3.4 - - ` + stamp + ` "get /a HTTP/1.1" 405 - "" "x - admin ` + stamp + ` "GET /b HTTP/1.1" 200 1 "`, nil},
	{`1.2.3.4 - a [yesterday] "GET /a HTTP/1.1" 200 1 "" ""`, nil},
	{`1.2.3.4 - a ` + stamp + ` "GET /a HTTP/1.1"`, nil},
}

func TestParseLine(t *testing.T) {
	for _, c := range lines {
		if got := parseLine([]byte(c.line)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q:\n got %+v\nwant %+v", c.line, got, c.want)
		}
	}
}

// FuzzParseLine: whatever the line, what is read can be sent as one request.
func FuzzParseLine(f *testing.F) {
	for _, c := range lines {
		if len(c.line) < 1000 { // longer seeds slow the fuzzer down
			f.Add([]byte(c.line))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r := parseLine(line)
		if r == nil {
			return
		}
		if !r.valid() || strings.ContainsAny(r.Target, " \r\n\x00") || r.Target[0] != '/' {
			t.Fatalf("%q is not a request: %+v", line, r)
		}
		for name, values := range r.Header {
			for _, v := range values {
				if !validHeader(name, v) || ofConnection[name] {
					t.Fatalf("%q: header %q: %q", line, name, v)
				}
			}
		}
		s := &server{base: mustParse("http://127.0.0.1")}
		if shown := curl(s, r, secretsOf(r)); strings.ContainsAny(shown, "\r\n\x1b\x00") {
			t.Fatalf("%q: the command has control characters: %q", line, shown)
		}
		_ = r.shape()
	})
}

func TestShape(t *testing.T) {
	for target, want := range map[string]string{
		"/book":                                  "GET /book",
		"/book?":                                 "GET /book",
		"/book?select=id&id=eq.7&id=gt.1":        "GET /book?id&select",
		"/rpc/f?password=eq.secret&a":            "GET /rpc/f?a&password",
		"/book?order=id&author.order=name&or=()": "GET /book?author.order&or&order",
	} {
		if got := (&request{Method: "GET", Target: target}).shape(); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}
