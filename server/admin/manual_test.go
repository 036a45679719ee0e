package admin

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
)

// book is a manual of three pages.
type book struct{}

var chapters = [][2]string{{"index", "The manual"}, {"reads", "Reads & more"}, {"decisions/001-x", "1. X"}}

func (book) Contents() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, c := range chapters {
			if !yield(c[0], c[1]) {
				return
			}
		}
	}
}

func (book) HTML(topic string) ([]byte, bool) {
	for _, c := range chapters {
		if c[0] == topic {
			return []byte("<p>text of " + topic + "</p>\n"), true
		}
	}
	return nil, false
}

// ask sends one request and returns the response and its body.
func ask(t *testing.T, method, target string) (*http.Response, string) {
	t.Helper()
	conn := serve(t, &fake{})()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", method, target)
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestManual(t *testing.T) {
	page := func(target string, parts ...string) {
		t.Helper()
		res, body := ask(t, "GET", target)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", target, res.StatusCode, res.Header.Get("Content-Type"))
		}
		for _, kv := range pageHeaders {
			if got := res.Header.Get(kv[0]); got != kv[1] {
				t.Errorf("%s: %s is %q", target, kv[0], got)
			}
		}
		if strings.Contains(body, "style=") || strings.Contains(body, "<script") {
			t.Errorf("%s: the policy of the page forbids styles and scripts in\n%s", target, body)
		}
		for _, part := range parts {
			if !strings.Contains(body, part) {
				t.Errorf("%s: no %s in\n%s", target, part, body)
			}
		}
	}
	page("/manual/index", "<title>The manual - fastgrest</title>", `<a href="index" aria-current="page">The manual</a>`,
		`<a href="decisions/001-x">1. X</a>`, `href="../manual.css"`, `href="../ui"`)
	page("/manual/reads?x=1", "<title>Reads &amp; more - fastgrest</title>", "<p>text of reads</p>", `<a href="reads" aria-current="page">Reads &amp; more</a>`)
	page("/manual/decisions/001-x", `<a href="../reads">Reads &amp; more</a>`, `href="../../manual.css"`, `href="../../ui"`)

	if res, body := ask(t, "HEAD", "/manual/reads"); res.StatusCode != 200 || body != "" || res.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("HEAD: %d %q", res.StatusCode, body)
	}
	if res, body := ask(t, "GET", "/manual.css"); res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") ||
		!strings.Contains(body, "--ground:") || !strings.Contains(body, "nav a") {
		t.Errorf("manual.css: %d %s", res.StatusCode, body)
	}
	for target, want := range map[string]string{"/manual": "manual/index", "/manual?a": "manual/index", "/manual/": "index"} {
		if res, _ := ask(t, "GET", target); res.StatusCode != 302 || res.Header.Get("Location") != want {
			t.Errorf("%s: %d %s", target, res.StatusCode, res.Header.Get("Location"))
		}
	}
	for _, method := range []string{"POST", "OPTIONS", "DELETE"} {
		if res, body := ask(t, method, "/manual/reads"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" || body != "" {
			t.Errorf("%s: %d %v %q", method, res.StatusCode, res.Header, body)
		}
	}
	for _, target := range []string{"/manual/nothing", "/manual/reads/", "/manual/reads.md", "/manual//reads", "/manual/../reads", "/manuals", "/Manual/reads", "/manual/index/x", "/manual/%72eads", "/x/manual/reads"} {
		if res, body := ask(t, "GET", target); res.StatusCode != 404 || body != "" {
			t.Errorf("%s: %d %q", target, res.StatusCode, body)
		}
	}
}
