package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/config"
)

const wireSchema = `
create schema api;
create table api.note (id int generated always as identity, body text);
create table api.keyed (k text primary key, "odd name" text);
create function api.headers(h text) returns void language plpgsql as $$ begin perform set_config('response.headers', h, true); end $$;
create function api.framed(h text) returns text language plpgsql as $$ begin perform set_config('response.headers', h, true); return 'framed'; end $$;
create function api.raised(h text) returns void language plpgsql as $$ begin
  raise sqlstate 'PGRST' using message = '{"code":"1","message":"m"}', detail = h;
end $$;
create function api.status(s text) returns void language plpgsql as $$ begin perform set_config('response.status', s, true); end $$;
create function api.sent(name text) returns text language sql as $$ select current_setting('request.headers')::json->>name $$;
create function api.me() returns text language sql as 'select current_user::text';
grant usage on schema api to test_anon, test_user;
grant all on all tables in schema api to test_anon;
`

// wire is a running server, seen as bytes on a socket.
type wire struct {
	tb     testing.TB
	socket string
	db     func(sql string) string
}

func startWire(tb testing.TB, flags map[string]string) *wire {
	tb.Helper()
	w := startWriter(tb, wireSchema, map[string]string{direct: "yes", login: pgtest.Superuser, "db-anon-role": "test_anon"})
	dir, err := os.MkdirTemp("", "wire")
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]string{
		"db-uri": w.uri, "db-schemas": "api", "db-anon-role": "test_anon", "db-pool": "4", "db-channel-enabled": "false",
		"server-unix-socket": filepath.Join(dir, "api"), "log-level": "crit", "jwt-secret": testSecret, "db-pool-acquisition-timeout": "60",
	}
	for k, v := range flags {
		all[k] = v
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Source: config.LoadOptions{Flags: all}, Version: "test", Stdout: io.Discard, Stderr: io.Discard, Ready: func() { close(ready) }})
	}()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("the server ended: %v", err)
		}
		os.RemoveAll(dir)
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		tb.Fatalf("the server did not start: %v", err)
	}
	return &wire{tb: tb, socket: all["server-unix-socket"], db: w.sql}
}

func (w *wire) dial() net.Conn {
	w.tb.Helper()
	c, err := net.Dial("unix", w.socket)
	if err != nil {
		w.tb.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// say sends bytes, then the end, and returns all that comes back.
func (w *wire) say(raw string) string {
	w.tb.Helper()
	c := w.dial()
	defer c.Close()
	go func() {
		_, _ = io.WriteString(c, raw)
		if half, ok := c.(*net.UnixConn); ok {
			_ = half.CloseWrite()
		}
	}()
	all, _ := io.ReadAll(c)
	return string(all)
}

var statusLine = regexp.MustCompile(`HTTP/1\.[01] ([0-9]{3}) `)

// statuses are the status lines of the responses.
func statuses(answers string) string {
	var all []string
	for _, m := range statusLine.FindAllStringSubmatch(answers, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

// TestFraming: the end of a request is unambiguous, or the connection ends. A
// request that a proxy could frame in another way is refused, and the bytes after
// it are not read as a request.
func TestFraming(t *testing.T) {
	w := startWire(t, nil)
	const (
		get  = "GET /note?limit=1 HTTP/1.1\r\nHost: a\r\n"
		next = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" // 404
		post = "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		body = `{"body":"a"}` // of 12 bytes
		te   = "Transfer-Encoding: chunked\r\n"
	)
	for _, test := range []struct{ raw, want string }{
		{get + "\r\n" + next, "200 404"},
		{post + "Content-Length: 12\r\n\r\n" + body + next, "201 404"},
		{post + te + "\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "201 404"},
		{post + te + "\r\n6\r\n" + body[:6] + "\r\n6\r\n" + body[6:] + "\r\n0\r\n\r\n" + next, "201 404"},
		{strings.Repeat(get+"\r\n", 20), strings.Repeat("200 ", 19) + "200"},
		// Several lengths, or an invalid one.
		{post + "Content-Length: 12\r\nContent-Length: 12\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 12\r\nContent-Length: 0\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 0\r\nContent-Length: 12\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 12, 12\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: +12\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: -12\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: -1\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 0x0c\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 1 2\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 12abc\r\n\r\n" + body + next, "400"},
		{post + "Content-Length:\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 9223372036854775808\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 99999999999999999999999\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 9223372036854775807\r\n\r\n" + body, "400"},
		{post + "Content-Length : 12\r\n\r\n" + body + next, "400"},
		{post + "Content-Length:\r\n 12\r\n\r\n" + body + next, "400"},
		// Length together with chunks, and unknown codings.
		{post + te + "Content-Length: 3\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Content-Length: 12\r\n" + te + "\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "content-length: 12\r\n" + te + "\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + "Transfer-Encoding: identity\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + te + "\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding: xchunked\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding: gzip, chunked\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding: chunked, identity\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding : chunked\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding: \x0bchunked\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding:\r\n chunked\r\n\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{strings.Replace(post, "1.1", "1.0", 1) + te + "\r\nc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding: identity\r\nContent-Length: 12\r\n\r\n" + body + next, "400"},
		{post + "Content-Length: 12\r\nTransfer-Encoding: identity\r\n\r\n" + body + next, "400"},
		{post + "Transfer-Encoding: identity\r\n\r\n" + body + next, "400"},
		{get + "Transfer-Encoding: identity\r\n\r\n" + next, "400"},
		{post + "Transfer-Encoding: IDENTITY\r\nContent-Length: 12\r\n\r\n" + body + next, "400"},
		// Chunks.
		{post + te + "\r\nc;name=\"value\"\r\n" + body + "\r\n0\r\n\r\n" + next, "201 404"},
		{post + te + "\r\n0c\r\n" + body + "\r\n00\r\n\r\n" + next, "201 404"},
		{post + te + "\r\nc\n" + body + "\n0\n\n" + next, "400"},
		{post + te + "\r\n-c\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + "\r\n+c\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + "\r\n0xc\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + "\r\n\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + "\r\nffffffffffffffff\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + "\r\n1000000000000000c\r\n" + body + "\r\n0\r\n\r\n" + next, "400"},
		{post + te + "\r\nc\r\n" + body + "XX0\r\n\r\n" + next, "400"},
		{post + te + "\r\nc\r\n" + body + "\r\n", "400"}, // the end is missing
		{post + "Content-Length: 13\r\n\r\n" + body, "400"},
		// Lines.
		{"GET /note?limit=1 HTTP/1.1\nHost: a\n\n" + next, "400"},
		{"GET /note?limit=1 HTTP/1.1\r\nHost: a\nX: b\r\n\r\n" + next, "400"},
		{post + "X: b\nContent-Length: 12\r\n\r\n" + body + next, "400"},
		{get + "X: b\r\n folded\r\n\r\n" + next, "400"},
		{get + "X: b\r\n\tfolded\r\n\r\n" + next, "400"},
		{"GET /note?limit=1 HTTP/1.1\r\n Host: a\r\n\r\n" + next, "400"},
		{get + "X : b\r\n\r\n" + next, "400"},
		{get + "X Y: b\r\n\r\n" + next, "400"},
		{get + "\tX: b\r\n\r\n" + next, "400"},
		{get + "X\t: b\r\n\r\n" + next, "400"},
		{get + "X\r\n\r\n" + next, "400"},
		{get + ": b\r\n\r\n" + next, "400"},
		{get + "X: a\rb\r\n\r\n" + next, "400"},
		{get + "X: a\x00b\r\n\r\n" + next, "400"},
		{get + "X\x00: b\r\n\r\n" + next, "400"},
		{get + "Host: b\r\n\r\n" + next, "400"},
		{"GET /note HTTP/1.1\r\n\r\n" + next, "400"},
		{"GET  /note HTTP/1.1\r\nHost: a\r\n\r\n" + next, "400"},
		{"GET /note HTTP/1.1 x\r\nHost: a\r\n\r\n" + next, "400"},
		{"GET /note HTTP/1.1x\r\nHost: a\r\n\r\n" + next, "400"},
		{"GET /note\x00 HTTP/1.1\r\nHost: a\r\n\r\n" + next, "400"},
		{"GET /no\tte HTTP/1.1\r\nHost: a\r\n\r\n" + next, "400"},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"}, // TLS
		// Bodies of methods without one, and Expect: 100-continue.
		{get + "Content-Length: 5\r\n\r\nabcde" + next, "200 404"},
		{get + te + "\r\n5\r\nabcde\r\n0\r\n\r\n" + next, "200 404"},
		{post + "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n" + body + next, "100 201 404"},
		// Too much.
		{"GET /note?x=" + strings.Repeat("a", 70000) + " HTTP/1.1\r\nHost: a\r\n\r\n", "431"},
		{get + "X: " + strings.Repeat("a", 70000) + "\r\n\r\n", "431"},
		{get + strings.Repeat("a", 70000) + ": b\r\n\r\n", "431"},
		{get + strings.Repeat("X: b\r\n", 254) + "\r\n" + next, "200 404"},
		{get + strings.Repeat("X: b\r\n", 300) + "\r\n" + next, "431"},
	} {
		before := w.db("select count(*) from api.note")
		got := statuses(w.say(test.raw))
		raw := test.raw
		if len(raw) > 300 {
			raw = raw[:150] + " ... " + raw[len(raw)-150:]
		}
		if got != test.want {
			t.Errorf("%q: %s, want %s", raw, got, test.want)
		}
		if inserted := w.db("select count(*) from api.note") != before; inserted != strings.Contains(test.want, "201") {
			t.Errorf("%q: inserted: %t", raw, inserted)
		}
	}
}

// TestHeaderInjection: text that the database or a client puts into a header stays
// the value of that one header.
func TestHeaderInjection(t *testing.T) {
	w := startWire(t, map[string]string{"server-trace-header": "X-Trace", "server-timing-enabled": "true"})
	hostile := []string{"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n", "a\x00b", "a\u2028X-Evil: 1", "\u560d\u560aX-Evil: 1", "a\x7f", "\u010dX-Evil: 1"}
	check := func(what, raw string) {
		t.Helper()
		out := w.say(raw)
		head, _, ok := strings.Cut(out, "\r\n\r\n")
		if !ok || strings.Contains(out, "\r\nHTTP/1.1 ") {
			t.Errorf("%s: not one answer: %q", what, out)
		}
		for line := range strings.SplitSeq(head, "\r\n") {
			if strings.HasPrefix(line, "X-Evil") || strings.ContainsAny(line, "\r\n") {
				t.Errorf("%s: injected: %q", what, head)
			}
		}
	}
	request := func(method, target, body string, head ...string) string {
		raw := method + " " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n"
		for _, h := range head {
			raw += h + "\r\n"
		}
		return raw + "\r\n" + body
	}
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	percent := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
		return b.String()
	}
	tried := 0
	for _, h := range hostile {
		headers := func(v any) string { return text(map[string]string{"h": text(v)}) }
		for what, raw := range map[string]string{
			"value":            request("POST", "/rpc/headers", headers([]any{map[string]string{"X-A": h}})),
			"name":             request("POST", "/rpc/headers", headers([]any{map[string]string{"X-" + h: "b"}})),
			"content type":     request("POST", "/rpc/headers", headers([]any{map[string]string{"Content-Type": h}})),
			"content length":   request("POST", "/rpc/headers", headers([]any{map[string]string{"Content-Length": "0" + h}})),
			"transfer coding":  request("POST", "/rpc/headers", headers([]any{map[string]string{"Transfer-Encoding": h}})),
			"cookie":           request("POST", "/rpc/headers", headers([]any{map[string]string{"Set-Cookie": h}})),
			"server":           request("POST", "/rpc/headers", headers([]any{map[string]string{"Server": h}})),
			"connection":       request("POST", "/rpc/headers", headers([]any{map[string]string{"Connection": h}})),
			"raised":           request("POST", "/rpc/raised", text(map[string]string{"h": text(map[string]any{"status": 418, "status_text": h, "headers": map[string]string{"X-A": h, h: "b"}})})),
			"status":           request("POST", "/rpc/status", text(map[string]string{"s": "200 " + h})),
			"location":         request("POST", "/keyed", text(map[string]string{"k": h + fmt.Sprint(tried)}), "Prefer: return=headers-only"),
			"content location": request("GET", "/keyed?k=eq."+percent(h), ""),
			"alias":            request("GET", "/keyed?select="+percent(`"`+h+`"`)+":k", ""),
			"relation":         request("GET", "/"+percent(h), ""),
			"schema":           request("GET", "/keyed", "", "Accept-Profile: "+strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(h)),
			"preference":       request("GET", "/keyed", "", `Prefer: count="`+strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(h)+`", handling=strict`),
			"token":            request("GET", "/keyed", "", "Authorization: Bearer "+strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(h)),
			"media type":       request("GET", "/keyed", "", "Accept: text/"+strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(h)),
			"trace":            request("GET", "/keyed", "", "X-Trace: "+strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(h)),
		} {
			tried++
			check(fmt.Sprintf("%s %q", what, h), raw)
		}
	}
	t.Logf("%d answers", tried)

	// The database cannot set the length of a response.
	for _, h := range []string{`{"Content-Length":"0"}`, `{"Content-Length":"99"}`, `{"content-length":"1"}`, `{"Transfer-Encoding":"chunked"}`, `{"transfer-encoding":"gzip"}`} {
		set := request("POST", "/rpc/framed", text(map[string]string{"h": "[" + h + "]"}))
		set = strings.Replace(set, "Connection: close\r\n", "", 1)
		got := w.say(set + request("GET", "/nowhere", ""))
		if r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil); err != nil {
			t.Errorf("%s: %v: %q", h, err, got)
		} else if body, err := io.ReadAll(r.Body); err != nil || string(body) != `"framed"` || statuses(got) != "200 404" {
			t.Errorf("%s: body %q, %v: %q", h, body, err, got)
		}
	}

	// Nor can it by a name that only some parsers treat as that header.
	for _, name := range []string{"Content-Length ", "Content-Length\t", " Content-Length", "Transfer-Encoding ", "Transfer-Encoding: chunked\r\nX", "Transfer-Encoding:chunked,", "Transfer-Encoding\x00", "X\x7f", "é"} {
		for what, raw := range map[string]string{
			"PGRST111": request("POST", "/rpc/framed", text(map[string]string{"h": text([]any{map[string]string{name: "chunked"}})})),
			"PGRST121": request("POST", "/rpc/raised", text(map[string]string{"h": text(map[string]any{"status": 418, "headers": map[string]string{name: "chunked"}})})),
		} {
			if got := w.say(raw); statuses(got) != "500" || !strings.Contains(got, `"code":"`+what+`"`) {
				t.Errorf("%q: %q", name, got)
			}
		}
	}

	// A status that ends no request ends the connection.
	for _, status := range []string{"100", "101", "102", "103", "199"} {
		set := request("POST", "/rpc/status", text(map[string]string{"s": status}))
		set = strings.Replace(set, "Connection: close\r\n", "", 1)
		if got := w.say(set + request("GET", "/nowhere", "")); !strings.HasPrefix(got, "HTTP/1.1 "+status+" ") || strings.Count(got, "HTTP/1.1") != 1 || !strings.Contains(got, "Connection: close") {
			t.Errorf("%s: %q", status, got)
		}
	}

	// A status that HTTP does not know is an error, and the connection goes on.
	for _, status := range []string{"99", "1000"} {
		set := request("POST", "/rpc/status", text(map[string]string{"s": status}))
		set = strings.Replace(set, "Connection: close\r\n", "", 1)
		if got := w.say(set + request("GET", "/nowhere", "")); statuses(got) != "500 404" || !strings.Contains(got, `"code":"PGRST112"`) {
			t.Errorf("%s: %q", status, got)
		}
	}
}

// TestSlowClients: a client that sends the head or the body slowly does not keep a
// connection forever, even if bytes trickle in steadily.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	w := startWriter(t, wireSchema, map[string]string{direct: "yes", login: pgtest.Superuser, "db-anon-role": "test_anon"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api := w.apiServer(w.config(), l)
	h := api.HTTP
	if h.ReadTimeout == 0 || h.WriteTimeout == 0 || h.IdleTimeout == 0 {
		t.Fatal("a timeout is off")
	}
	h.ReadTimeout, h.IdleTimeout = 300*time.Millisecond, 300*time.Millisecond
	serveAPI(t, api)
	for name, start := range map[string]string{
		"silence": "", "head": "GET /note HTTP/1.1\r\nHost: a\r\nX: ", "line": "GET /no",
		"body":   "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
		"chunks": "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, start); err != nil {
				t.Fatal(err)
			}
			over := make(chan struct{})
			go func() {
				defer close(over)
				_, _ = io.Copy(io.Discard, c)
			}()
			for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				select {
				case <-over:
					return
				default:
					if start != "" {
						_, _ = io.WriteString(c, "a")
					}
				}
			}
			t.Error("still connected")
		})
	}
	if n := w.count("api.note"); n != 0 {
		t.Errorf("%d rows", n)
	}
}
