package server

import (
	"fmt"
	"strings"
	"testing"
)

// TestTrailersAreDropped: trailers behind a chunked body change no header, and the
// next request on the connection is read as usual.
func TestTrailersAreDropped(t *testing.T) {
	w := startWire(t, nil)
	token := w.sign(`{"role":"test_user"}`)
	const next = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" // 404
	call := func(function, body, head, trailers string) string {
		return "POST /rpc/" + function + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n" + head +
			fmt.Sprintf("\r\n%x\r\n%s\r\n0\r\n%s\r\n", len(body), body, trailers)
	}
	sent := func(name, head, trailers string) string { return call("sent", `{"name":"`+name+`"}`, head, trailers) }
	for what, test := range map[string]struct{ raw, want string }{
		"a header that is there": {sent("x-user-id", "X-User-Id: 7\r\n", "X-User-Id: 1-admin\r\n"), `"7"`},
		"a header that is not":   {sent("x-user-id", "", "X-User-Id: 1-admin\r\n"), `null`},
		"an announced trailer":   {sent("x-user-id", "Trailer: X-User-Id\r\nX-User-Id: 7\r\n", "X-User-Id: 1-admin\r\n"), `"7"`},
		"in lower case":          {sent("x-user-id", "X-User-Id: 7\r\n", "x-user-id: 1-admin\r\n"), `"7"`},
		"several":                {sent("a", "A: 7\r\n", "A: 1\r\nA: 2\r\nB: 3\r\n"), `"7"`},
		"none":                   {sent("a", "A: 7\r\n", ""), `"7"`},
		"Accept":                 {call("me", `{}`, "", "Accept: text/csv\r\n"), `"test_anon"`},
		"Prefer":                 {call("me", `{}`, "", "Prefer: tx=rollback, handling=strict, nonsense\r\n"), `"test_anon"`},
		"Authorization":          {call("me", `{}`, "", "Authorization: Bearer "+token+"\r\n"), `"test_anon"`},
		"Content-Profile":        {call("me", `{}`, "", "Content-Profile: nowhere\r\n"), `"test_anon"`},
		"Content-Type":           {call("me", `{}`, "", "Content-Type: text/xml\r\n"), `"test_anon"`},
		"Content-Length":         {call("me", `{}`, "", "Content-Length: 1\r\n"), `"test_anon"`},
		"Transfer-Encoding":      {call("me", `{}`, "", "Transfer-Encoding: gzip\r\n"), `"test_anon"`},
		"Origin":                 {call("me", `{}`, "", "Origin: evil\r\n"), `"test_anon"`},
		"Connection":             {call("me", `{}`, "", "Connection: close\r\n"), `"test_anon"`},
		"Cookie":                 {call("me", `{}`, "", "Cookie: a=b\r\n"), `"test_anon"`},
		"as many as may be":      {call("me", `{}`, "", strings.Repeat("A: b\r\n", 64)), `"test_anon"`},
		"behind a GET":           {strings.Replace(call("me", `{}`, "", "Accept: text/csv\r\n"), "POST", "GET", 1), `"test_anon"`},
	} {
		got := w.say(test.raw + next)
		if statuses(got) != "200 404" || !strings.Contains(got, "\r\n\r\n"+test.want) || strings.Contains(got, "Access-Control") {
			t.Errorf("%s: %q", what, got)
		}
	}
	for what, trailers := range map[string]string{
		"too many":          strings.Repeat("A: b\r\n", 65),
		"too long":          "A: " + strings.Repeat("b", 8<<10) + "\r\n",
		"far too long":      "A: " + strings.Repeat("b", 1<<20) + "\r\n",
		"a bare line feed":  "A: b\n",
		"a bare return":     "A: b\rC: d\r\n",
		"a folded line":     "A: b\r\n c\r\n",
		"no field":          "GET /nowhere HTTP/1.1\r\n",
		"no name":           ": b\r\n",
		"a space in a name": "A : b\r\n",
	} {
		before := w.db("select count(*) from api.note")
		got := w.say("POST /note HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"body\":\"a\"}\r\n0\r\n" + trailers + "\r\n" + next)
		if statuses(got) != "400" || w.db("select count(*) from api.note") != before {
			t.Errorf("%s: %q", what, got)
		}
	}
}
