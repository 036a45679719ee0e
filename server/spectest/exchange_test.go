package spectest

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWire(t *testing.T) {
	text := func(s string) *string { return &s }
	f := func(r Request, want string) {
		t.Helper()
		if got := string(r.wire(time.Unix(1000, 0))); got != want {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
	f(Request{Method: "GET", Path: "/a?b=ü c"}, "GET /a?b=ü c HTTP/1.1\r\nHost: festival.test\r\n\r\n")
	f(Request{Method: "GET", Path: "/", Headers: [][2]string{{"host", "x"}, {"A", " b\xff"}}}, "GET / HTTP/1.1\r\nhost: x\r\nA:  b\xff\r\n\r\n")
	f(Request{Method: "POST", Path: "/"}, "POST / HTTP/1.1\r\nHost: festival.test\r\nContent-Length: 0\r\n\r\n")
	f(Request{Method: "DELETE", Path: "/", Body: text("")}, "DELETE / HTTP/1.1\r\nHost: festival.test\r\nContent-Length: 0\r\n\r\n")
	f(Request{Method: "POST", Path: "/", Body: text("ü")}, "POST / HTTP/1.1\r\nHost: festival.test\r\nContent-Length: 2\r\n\r\nü")
	f(Request{Method: "POST", Path: "/", BodyBase64: text("/wA=")}, "POST / HTTP/1.1\r\nHost: festival.test\r\nContent-Length: 2\r\n\r\n\xff\x00")
	f(Request{Method: "POST", Path: "/", Body: text("abc"), Headers: [][2]string{{"Content-Length", "9"}}},
		"POST / HTTP/1.1\r\nHost: festival.test\r\nContent-Length: 9\r\n\r\nabc")
	f(Request{Method: "POST", Path: "/", Body: text("1\r\na\r\n0\r\n\r\n"), Headers: [][2]string{{"Transfer-Encoding", "chunked"}}},
		"POST / HTTP/1.1\r\nHost: festival.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
}

func TestTokens(t *testing.T) {
	now := time.Unix(1000, 0)
	f := func(value, secret, claims string) {
		t.Helper()
		got := withTokens(value, now)
		scheme, token, _ := strings.Cut(got, " ")
		parts := strings.Split(token, ".")
		if scheme != "Bearer" || len(parts) != 3 {
			t.Fatalf("%s became %s", value, got)
		}
		enc := base64.RawURLEncoding
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(parts[0] + "." + parts[1]))
		if parts[2] != enc.EncodeToString(mac.Sum(nil)) {
			t.Errorf("%s is not signed with %s", value, secret)
		}
		if raw, _ := enc.DecodeString(parts[1]); string(raw) != claims {
			t.Errorf("%s: claims %s, want %s", value, raw, claims)
		}
	}
	f(`Bearer {{jwt s3cret {"role": "a b"}}}`, "s3cret", `{"role": "a b"}`)
	f(`Bearer {{jwt s {"exp": "@now+20", "iat": "@now", "nbf": "@now-5"}}}`, "s", `{"exp": 1020, "iat": 1000, "nbf": 995}`)
	f(`Bearer {{jwt s {"a": {"b": {}}}}}`, "s", `{"a": {"b": {}}}`)
	if got := withTokens("Bearer x.{y}", now); got != "Bearer x.{y}" {
		t.Errorf("a header without a token became %q", got)
	}
}

func TestReadAnswer(t *testing.T) {
	f := func(method, wire string, want Response) {
		t.Helper()
		got, err := readResponse(bufio.NewReader(strings.NewReader(wire)), method)
		if err != nil {
			t.Errorf("%q: %v", wire, err)
			return
		}
		if want.Header == nil {
			want.Header = map[string][]string{}
		}
		if d := cmp.Diff(&want, got); d != "" {
			t.Errorf("%q (-want +got)\n%s", wire, d)
		}
	}
	f("GET", "HTTP/1.1 200 OK\r\n\r\nto the end", Response{Status: 200, Body: []byte("to the end")})
	f("GET", "HTTP/1.0 404\n\nx", Response{Status: 404, Body: []byte("x")})
	f("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA:  b \r\na: c\r\n: d\r\n\r\nxyz",
		Response{Status: 200, Body: []byte("xy"), Header: map[string][]string{"Content-Length": {"2"}, "A": {"b", "c"}, "": {"d"}}})
	f("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nTrailer: x\r\n\r\nmore",
		Response{Status: 200, Body: []byte("abc"), Header: map[string][]string{"Transfer-Encoding": {"chunked"}}})
	f("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", Response{Status: 200, Header: map[string][]string{"Content-Length": {"2"}}})
	f("PATCH", "HTTP/1.1 204 No Content\r\n\r\n", Response{Status: 204})

	for _, wire := range []string{
		"", "HTTP/1.1", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "hello\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n",
		"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	} {
		if a, err := readResponse(bufio.NewReader(strings.NewReader(wire)), "GET"); err == nil {
			t.Errorf("%q was taken for %+v", wire, a)
		}
	}
}

// fakeServer responds to every request with the next of the given texts and closes
// the connection.
func fakeServer(t *testing.T, responses ...string) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			for line := "x"; line != "" && err == nil; {
				line, err = readLine(in)
			}
			if len(responses) > 0 {
				_, _ = io.WriteString(conn, responses[0])
				if len(responses) > 1 {
					responses = responses[1:]
				}
			}
			conn.Close()
		}
	}()
	address := ln.Addr().String()
	return &server{
		api:  func() (net.Conn, error) { return net.Dial("tcp", address) },
		mask: masker{address},
	}
}

func TestExchange(t *testing.T) {
	r := &Request{Method: "GET", Path: "/"}
	a, err := fakeServer(t, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx\r\n").request(r)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != 200 || string(a.Body) != "x" || a.Rest != 2 {
		t.Errorf("got %+v", a)
	}
	if _, err := fakeServer(t).request(r); err == nil {
		t.Error("no error for an empty response")
	}
	if _, err := fakeServer(t, "").request(&Request{Port: "admin"}); err == nil {
		t.Error("no error without an admin port")
	}
}

const ok, no = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"

func TestAsk(t *testing.T) {
	c := parseCase(t, `{"name": "x", "request": {"method": "GET", "path": "/"}, "expect": {"status": 200, "headers": {"Content-Length": "present"}}}`)
	s := &session{t: t, server: fakeServer(t, no, no, ok, ok, no)}
	if _, p := s.ask(c); len(p) != 1 {
		t.Errorf("a failure gave %q", p)
	}
	c.Retry = 10
	if _, p := s.ask(c); len(p) != 0 {
		t.Errorf("patience gave %q", p)
	}
	c.Retry = 0
	if _, p := s.askTwice(c); len(p) != 1 || !strings.HasPrefix(p[0], "when asked again: status") {
		t.Errorf("a different second response gave %q", p)
	}
}

func TestSilence(t *testing.T) {
	c := parseCase(t, `{"name": "x", "request": {"method": "GET", "path": "/"}}`)
	s := &session{t: t, server: fakeServer(t)}
	for range silence {
		if _, p := s.ask(c); len(p) != 1 || !strings.HasPrefix(p[0], "no response") {
			t.Fatalf("got %q", p)
		}
	}
	if _, p := s.ask(c); len(p) != 1 || !strings.HasPrefix(p[0], "not sent") {
		t.Errorf("got %q", p)
	}
}
