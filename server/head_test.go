package server

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/auth/authtest"
)

func (w *wire) sign(claims string) string {
	w.tb.Helper()
	return authtest.Sign([]byte(claims), []byte(testSecret))
}

// TestTokenIsOfItsLine: the token is the value of the first Authorization line,
// whatever other lines say.
func TestTokenIsOfItsLine(t *testing.T) {
	w := startWire(t, nil)
	token := w.sign(`{"role":"test_user"}`)
	user, anon := "Authorization: Bearer "+token+"\r\n", `"test_anon"`
	for _, test := range []struct{ head, want string }{
		{user, `"test_user"`},
		{"", anon},
		{"authorization:Bearer " + token + "\r\n", `"test_user"`},
		{"AUTHORIZATION: \t Bearer " + token + "\r\n", `"test_user"`},
		// From another line.
		{"User-Agent: Bearer " + token + "\r\nAuthorization: Bearer\r\n", "PGRST301"},
		{"User-Agent: Bearer " + token + "\r\nAuthorization: Bearer \r\n", "PGRST301"},
		{"X-Authorization: Bearer " + token + "\r\n", anon},
		{"Proxy-Authorization: Bearer " + token + "\r\nAuthorization: Bearer x\r\n", "PGRST301"},
		{"User-Agent: Bearer x " + token + "\r\nAuthorization: Bearer x\r\n", "PGRST301"},
		// Refused because of another line.
		{"User-Agent: Bearer " + token + " more\r\n" + user, `"test_user"`},
		{"X-Old: Bearer " + token + " \r\n" + user, `"test_user"`},
		// Of several the first counts.
		{user + "Authorization: Bearer x\r\n", `"test_user"`},
		{"Authorization: Bearer x\r\n" + user, "PGRST301"},
		{"Authorization:\r\n" + user, anon},
		// Spaces behind a token are part of it, as in PostgREST.
		{"Authorization: Bearer " + token + " \r\n", "PGRST301"},
	} {
		got := w.say("GET /rpc/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + test.head + "\r\n")
		if !strings.Contains(got, test.want) || strings.Contains(test.want, "PGRST") == strings.Contains(got, `"test_`) {
			t.Errorf("%q: %q, want %s", test.head, got, test.want)
		}
	}
}

// TestAbsoluteForm: a target may begin with a scheme and a host (RFC 9112, 3.2.2).
func TestAbsoluteForm(t *testing.T) {
	w := startWire(t, nil)
	w.db("insert into api.note (body) values ('one')")
	for _, test := range []struct{ target, want, status string }{
		{"http://a/note?select=body", `[{"body":"one"}]`, "200"},
		{"http://elsewhere:3000/note?select=body", `[{"body":"one"}]`, "200"},
		{"HTTP://a/note?select=body", "PGRST125", "404"}, // as in PostgREST
		{"https://a/note?select=body", `[{"body":"one"}]`, "200"},
		{"http://[::1]:3000/note?select=body", `[{"body":"one"}]`, "200"},
		{"http://a/rpc/me", `"test_anon"`, "200"},
		{"http://a/note?body=eq.http://b/keyed", `[]`, "200"},
		{"http://a", `"swagger":"2.0"`, "200"},
		{"http://a/", `"swagger":"2.0"`, "200"},
		{"http://a?select=x", `"swagger":"2.0"`, "200"},
		{"http://a/http://a/note", "PGRST125", "404"},
		{"/http://a/note", "PGRST125", "404"},
		{"ftp://a/note", "PGRST125", "404"},
		{"http:/a/note", "Bad Request", "400"},
		{"http:note", "Bad Request", "400"},
		{"note", "Bad Request", "400"},
		{"://a/note", "Bad Request", "400"},
		{"http://[::1/note", "Bad Request", "400"},
	} {
		got := w.say("GET " + test.target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if statuses(got) != test.status || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q", test.target, got)
		}
	}
	const path = "http://a/note?select=body&limit=1"
	if got := w.say("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.Contains(got, "Content-Location: /note?limit=1&select=body\r\n") {
		t.Errorf("%q", got)
	}
}

// FuzzAbsoluteForm: a target with a scheme and a host leads where its path and
// query lead alone, and any other target stays as it is.
func FuzzAbsoluteForm(f *testing.F) {
	for _, s := range []string{
		"/", "/a?b", "http://a/b?c", "https://a:1/b", "HTTP://a", "http://a?b", "http://", "http:///a", "ftp://a/b", "http://a/http://b/c", "*", "a", "",
		"http://[::1]/a", "http://u:p@a/b", "http://a/b#c", "http:/a", "http//a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got := string(originForm([]byte(target)))
		scheme, rest, _ := strings.Cut(target, "://")
		if scheme != "http" && scheme != "https" {
			if got != target {
				t.Fatalf("%q became %q", target, got)
			}
			return
		}
		if scheme == target {
			return
		}
		if !strings.HasPrefix(got, "/") {
			t.Fatalf("%q became %q", target, got)
		}
		u, err := url.Parse(target)
		if err != nil || u.Fragment != "" || strings.ContainsRune(target, '#') {
			return
		}
		want := u.EscapedPath()
		if want == "" {
			want = "/"
		}
		path, query, _ := strings.Cut(got, "?")
		if p, err := url.PathUnescape(path); err != nil || p != u.Path && p != want || query != u.RawQuery {
			t.Fatalf("%q became %q; Go says %q and %q (%q)", target, got, want, u.RawQuery, rest)
		}
	})
}

// TestHTTP10: an HTTP/1.0 client gets HTTP/1.0 responses without chunks, and keeps
// the connection only on request.
func TestHTTP10(t *testing.T) {
	w := startWire(t, nil)
	get := func(path, head string) string { return "GET " + path + " HTTP/1.0\r\n" + head + "\r\n" }
	post := func(path, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.0\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	for _, test := range []struct {
		raw, statuses string
		kept          bool
	}{
		{get("/note", ""), "200", false},
		{get("/note", "") + get("/note", ""), "200", false},
		{get("/note", "Connection: keep-alive\r\n") + get("/nowhere", ""), "200 404", true},
		{get("/nowhere", ""), "404", false},
		{get("/note?limit=x", "Authorization: Bearer x\r\n"), "401", false},
		{get("/%ff?select=%ff", ""), "500", false}, // without an error object
		{get("/note", "Content-Length: a\r\n"), "400", false},
		{get("/note", "X: a\nB: c\r\n"), "400", false},
		{get("/note", "Transfer-Encoding: chunked\r\n"), "400", false},
		{post("/note", `{"body":"a"}`), "201", false},
		{"DELETE /note?id=eq.0 HTTP/1.0\r\n\r\n", "204", false},
		{"PATCH /note?id=eq.0 HTTP/1.0\r\nContent-Length: 12\r\n\r\n{\"body\":\"a\"}", "204", false},
		{"OPTIONS /note HTTP/1.0\r\n\r\n", "200", false},
		{"OPTIONS /note HTTP/1.0\r\nOrigin: a\r\nAccess-Control-Request-Method: GET\r\n\r\n", "200", false},
		{"HEAD /note HTTP/1.0\r\n\r\n", "200", false},
	} {
		got := w.say(test.raw)
		if strings.Contains(got, "HTTP/1.1") || strings.Contains(got, "chunked") || strings.Contains(got, " 100 ") {
			t.Errorf("%q: %q", test.raw, got)
		}
		if kept := strings.Contains(got, "Connection: keep-alive"); kept != test.kept {
			t.Errorf("%q: kept: %t", test.raw, kept)
		}
		if s := statuses(got); s != test.statuses {
			t.Errorf("%q: %s: %q", test.raw, s, got)
		}
	}
}

// TestRefusedHeads: a malformed head gets the text of PostgREST's HTTP server, but
// not its length.
func TestRefusedHeads(t *testing.T) {
	w := startWire(t, nil)
	for _, raw := range []string{
		"GET /rpc/me?v={\"a\": 1} HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /rpc/me HTTP/1.1\r\nHost: a\r\nX: b\n\r\n",
		"GET /rpc/me HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			got := w.say(method + strings.TrimPrefix(raw, "GET"))
			r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), &http.Request{Method: method})
			if err != nil {
				t.Errorf("%q: %v in %q", raw, err, got)
				continue
			}
			body, err := io.ReadAll(r.Body)
			want := map[string]string{"GET": "Bad Request", "HEAD": ""}[method]
			if err != nil || r.StatusCode != 400 || string(body) != want || r.Header.Get("Content-Length") != "" ||
				r.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !r.Close {
				t.Errorf("%s %q: %q, %v", method, raw, got, err)
			}
		}
	}
}
