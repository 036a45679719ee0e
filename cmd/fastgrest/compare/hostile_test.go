package compare

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// raw starts a server that sends a text to each client, and then keeps the connection open.
func raw(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if n, _ := c.Read(make([]byte, 1)); n == 0 {
					return // a connection that is only opened
				}
				_, _ = io.WriteString(c, text)
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestHostileServers: no server makes the comparison hang, or follow it elsewhere.
func TestHostileServers(t *testing.T) {
	good := serve(t, canned{body: "[]"}.handler)
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect is followed") })
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct{ text, class, says string }{
		"silent":           {"", "failed", "deadline exceeded"},
		"switches":         {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "different", "101"},
		"switches to none": {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "different", "101"},
		"many 1xx":         {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 500000), "different", "no response"},
		"endless headers":  {head + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 20000), "different", "no response"},
		"invalid chunk":    {head + "Transfer-Encoding: chunked\r\n\r\nx\r\n[]\r\n", "different", "invalid byte in chunk length"},
		"no end":           {head + "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n", "failed", "deadline exceeded"},
		"not HTTP":         {"SSH-2.0-x\x1b[31m\r\n", "different", "no response"},
		"redirect":         {"HTTP/1.1 302 Found\r\nLocation: " + elsewhere + "/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "different", "status 200 -> 302"},
		"compressed":       {head + "Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 2\r\n\r\n\x1f\x8b", "different", "header Content-Encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := "1m" // on a busy machine a long response takes seconds
			if test.class == "failed" {
				timeout = "2s"
			}
			r := compareURLs(t, good, raw(t, test.text), "GET /a\n", "--timeout", timeout)
			if r.class() != test.class || !strings.Contains(r.text, test.says) {
				t.Errorf("%s: %s", r.class(), r.text)
			}
			if strings.Contains(r.text, "\x1b") {
				t.Errorf("%q", r.text)
			}
		})
	}
}

// TestInterruptedSwitch: a signal ends the exchange with a server that has switched protocols.
func TestInterruptedSwitch(t *testing.T) {
	url := raw(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	over := make(chan error, 1)
	go func() {
		over <- Run(ctx, []string{"--old", url, "--new", url, "--log", "-"}, strings.NewReader("GET /a\n"), io.Discard, io.Discard)
	}()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Error("it hangs")
	}
}

// TestDeepBodies: documents that are nested very deeply are compared as texts. Value by value it would
// take minutes.
func TestDeepBodies(t *testing.T) {
	deep := func(open, value, end string) string {
		const depth = 9000
		return strings.Repeat(open, depth) + `"` + strings.Repeat(value, 900<<10) + `"` + strings.Repeat(end, depth)
	}
	for _, brackets := range [][2]string{{"[", "]"}, {`{"a":`, "}"}, {`[{"a":`, "}]"}} {
		old := serve(t, canned{body: deep(brackets[0], "x", brackets[1])}.handler)
		new := serve(t, canned{body: deep(brackets[0], "y", brackets[1])}.handler)
		if r := compareURLs(t, old, new, "GET /a\n"); r.class() != "different" || !slices.Equal(r.kinds(), []string{"body"}) {
			t.Errorf("%s: %s", brackets[0], r.text)
		}
	}
}

// TestResponseSecrets: secrets in headers of responses, and in headers of requests whose names say so,
// are not in the report.
func TestResponseSecrets(t *testing.T) {
	old := serve(t, canned{headers: []string{"Set-Cookie", "sid=very-secret-1", "X-Auth-Token", "very-secret-2"}, body: "[1]"}.handler)
	new := serve(t, func(w http.ResponseWriter, r *http.Request) {
		canned{headers: []string{"Set-Cookie", "sid=very-secret-3", "X-Auth-Token", "very-secret-4"},
			body: fmt.Sprintf("[%q, %q]", r.Header.Get("X-Access-Token"), r.Header.Get("X-Client-Secret"))}.handler(w, r)
	})
	input := `{"method":"GET","url":"/a","headers":{"X-Client-Secret":"very-secret-5"}}` + "\n"
	r := compareURLs(t, old, new, input, "--header", "X-Access-Token: very-secret-6")
	report := fmt.Sprintf("%+v %s", r.report, r.text)
	if strings.Contains(report, "very-secret") {
		t.Errorf("%s", r.text)
	}
	if !strings.Contains(r.text, `"X-Access-Token: $X_ACCESS_TOKEN"`) || !strings.Contains(r.text, "header Set-Cookie") {
		t.Errorf("%s", r.text)
	}
}

// TestSpaceInBrokenJSON: white space counts where it is not between the tokens of one document.
func TestSpaceInBrokenJSON(t *testing.T) {
	for _, c := range []struct{ old, new, class string }{
		{"[1, 2]", "[1,2]", "white space"}, {"[1 2]", "[12]", "different"}, {"1\n2", "12", "different"}, {"{}\n{}", "{}{}", "different"},
	} {
		old, new := serve(t, canned{body: c.old}.handler), serve(t, canned{body: c.new}.handler)
		if r := compareURLs(t, old, new, "GET /a\n"); r.class() != c.class {
			t.Errorf("%q and %q: %s", c.old, c.new, r.class())
		}
	}
}

// TestInvisibleBody: a command does not show characters that change how a terminal shows it.
func TestInvisibleBody(t *testing.T) {
	r := &request{Method: "POST", Target: "/a", Header: http.Header{}, Body: []byte("{\"a\":\"\u202e\"}")}
	if shown := curl(&server{base: mustParse("http://new")}, r, nil); strings.Contains(shown, "\u202e") {
		t.Error(shown)
	}
}

// TestReportIsBounded: long requests and responses do not fill the memory.
func TestReportIsBounded(t *testing.T) {
	tally := newTally(&server{base: mustParse("http://new")})
	long := strings.Repeat("\u202e", 100<<10)
	r := &request{Method: "GET", Target: "/" + long[:60<<10] + "?" + long[:3<<10], Header: http.Header{}}
	for i := range 20 {
		r.Header.Set("X-"+strconv.Itoa(i), long)
	}
	tally.add(r, verdict{Class: different, Found: []difference{{Kind: "header " + long, Where: "/" + long, Old: long, New: long}}}, false, 1)
	tally.add(r, verdict{Class: failed, Why: long}, false, 1)
	var b bytes.Buffer
	report := &report{Groups: tally.sortedGroups(), Failures: tally.sortedFailures()}
	if err := report.encode(&b); err != nil || b.Len() > 64<<10 {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}
