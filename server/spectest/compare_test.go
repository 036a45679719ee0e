package spectest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// parseCase reads a case in the form of a case file.
func parseCase(t *testing.T, s string) *Case {
	t.Helper()
	c := &Case{Request: &Request{}}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return c
}

// response reads "STATUS | Name: value | ... => body".
func response(s string) *Response {
	head, body, _ := strings.Cut(s, " =>")
	parts := strings.Split(head, " |")
	a := &Response{Header: http.Header{}, Body: []byte(strings.TrimPrefix(body, " "))}
	for _, c := range strings.TrimSpace(parts[0]) {
		a.Status = a.Status*10 + int(c-'0')
	}
	for _, h := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimPrefix(h, " "), ": ")
		a.Header.Add(name, value)
	}
	return a
}

func TestCompare(t *testing.T) {
	f := func(expect, got string, problems ...string) {
		t.Helper()
		c := parseCase(t, expect)
		found := compare(c, response(got), masker{"127.0.0.1:3000"})
		if strings.Join(found, "\n") != strings.Join(problems, "\n") {
			t.Errorf("%s\nagainst %s\n got %q\nwant %q", expect, got, found, problems)
		}
	}
	// status
	f(`{"expect": {"status": 200}}`, "200")
	f(`{"expect": {"status": 200}}`, "201", "status: expected 200, got 201")
	f(`{"expect": {"status": 200}, "ignore": [{"part": "status", "why": "x"}]}`, "500")

	// headers
	f(`{"expect": {"status": 200, "headers": {"Vary": "Accept"}}}`, "200 | vary: Accept | Date: x | Server: y | Connection: close | Keep-Alive: z | Transfer-Encoding: chunked")
	f(`{"expect": {"status": 200, "headers": {"Vary": "Accept"}}}`, "200", `header Vary: missing (expected ["Accept"])`)
	f(`{"expect": {"status": 200}}`, "200 | Vary: a", `header Vary: unexpected (got ["a"])`)
	f(`{"expect": {"status": 200, "headers": {"Vary": "a"}}}`, "200 | Vary: A", `header Vary: expected ["a"], got ["A"]`)
	f(`{"expect": {"status": 200, "headers": {"Set-Cookie": ["a", "b"]}}}`, "200 | Set-Cookie: a | Set-Cookie: b")
	f(`{"expect": {"status": 200, "headers": {"Set-Cookie": ["a", "b"]}}}`, "200 | Set-Cookie: b | Set-Cookie: a", `header Set-Cookie: expected ["a" "b"], got ["b" "a"]`)
	f(`{"expect": {"status": 200, "headers": {"Set-Cookie": "a"}}}`, "200 | Set-Cookie: a | Set-Cookie: a", `header Set-Cookie: expected ["a"], got ["a" "a"]`)
	f(`{"expect": {"status": 200, "headers": {"Content-Length": "present"}}}`, "200 | Content-Length: 7")
	f(`{"expect": {"status": 200}}`, "200 | Content-Length: 7", `header Content-Length: unexpected (got ["present"])`)
	f(`{"expect": {"status": 200, "headers": {"Content-Length": "present"}}}`, "200 | Content-Length: 7 | Content-Length: 7", `header Content-Length: expected ["present"], got ["present" "present"]`)
	f(`{"expect": {"status": 200, "headers": {"Location": "http://127.0.0.1:{port}/a"}}}`, "200 | Location: http://127.0.0.1:3000/a")
	f(`{"expect": {"status": 200, "headers": {"Warning": "299 {agent} \"x\""}}}`, `200 | Warning: 299 fastgrest/1.0 "x"`)
	f(`{"expect": {"status": 200, "headers": {"Server-Timing": "jwt;dur={ms}, plan;dur={ms}"}}}`, `200 | Server-Timing: jwt;dur=0.1, plan;dur=14`)
	f(`{"expect": {"status": 200, "headers": {"": "x"}}}`, "200 | : x")
	f(`{"expect": {"status": 200}, "ignore": [{"part": "header:retry-after"}]}`, "200 | Retry-After: 1")
	f(`{"expect": {"status": 200}, "match": [{"part": "header:Retry-After", "regex": "^\\d+$"}]}`, "200 | Retry-After: 1")
	f(`{"expect": {"status": 200}, "match": [{"part": "header:Retry-After", "regex": "^\\d+$"}]}`, "200", `header:Retry-After: "" does not match "^\\d+$"`)

	// bodies
	f(`{"expect": {"status": 200, "body": "a,b\n1,2"}}`, "200 => a,b\n1,2")
	f(`{"expect": {"status": 200, "body": "a,b"}}`, "200 => a,b\n", `body: expected "a,b", got "a,b\n"`)
	f(`{"expect": {"status": 200}}`, "200 => x", `body: expected "", got "x"`)
	f(`{"expect": {"status": 200, "body": "at 127.0.0.1:{port}"}}`, "200 => at 127.0.0.1:3000")
	f(`{"expect": {"status": 200, "base64": "/wA="}}`, "200 => \xff\x00")
	f(`{"expect": {"status": 200, "base64": "/wA="}}`, "200 => \xff\x01", "body: expected 2 bytes ff00, got 2 bytes ff01")
	f(`{"expect": {"status": 200, "body": "x"}, "ignore": [{"part": "body"}]}`, "200 => y")
	f(`{"expect": {"status": 200}, "match": [{"part": "body", "regex": "a.b"}, {"part": "body", "regex": "c"}]}`, "200 => a\nb", `body: "a\nb" does not match "c"`)

	// JSON bodies
	f(`{"expect": {"status": 200, "json": [{"id": 1}]}}`, "200 => [ {\"id\":1}\n ]")
	f(`{"expect": {"status": 200, "json": null}}`, "200 => null")
	f(`{"expect": {"status": 200, "json": null}}`, "200", `body: not JSON: ""`)
	f(`{"expect": {"status": 200, "json": "at 127.0.0.1:{port}"}}`, `200 => "at 127.0.0.1:3000"`)
	f(`{"expect": {"status": 200, "json": {"a": 1}}}`, `200 => {"a": 1`, `body: not JSON: "{\"a\": 1"`)
	f(`{"expect": {"status": 200, "json": {"a": 1.0}}}`, `200 => {"a": 1}`, "body /a: expected 1.0, got 1")
	f(`{"expect": {"status": 200, "json": [{"id": 1, "n": 2}]}, "ignore": [{"part": "json:/*/id"}]}`, `200 => [{"id": 9, "n": 2}]`)
	f(`{"expect": {"status": 200, "json": [{"id": 1, "n": 2}]}, "ignore": [{"part": "json:/*/id"}]}`, `200 => [{"n": 2}]`, `body /0: keys missing ["id"], unexpected []`)
	f(`{"expect": {"status": 200, "json": {"v": "1"}}, "match": [{"part": "json:/v", "regex": "^[0-9]+$"}]}`, `200 => {"v": "77"}`)
	f(`{"expect": {"status": 200, "json": {"v": "1"}}, "match": [{"part": "json:/v", "regex": "^[0-9]+$"}]}`, `200 => {"v": "x"}`, `json:/v: "x" does not match "^[0-9]+$"`)
	f(`{"expect": {"status": 200, "json": [1, 2]}, "options": {"unordered": ["/"]}}`, "200 => [2, 1]")
	f(`{"expect": {"status": 200, "json": [1, 2]}, "options": {"unordered": ["/"]}}`, "200 => [2, 2]", "body /0: expected 1, got 2")
	f(`{"expect": {"status": 200, "json": {"a": 1, "b": {"c": 1, "d": 2}}}, "options": {"key_order": false}}`, `200 => {"b": {"d": 2, "c": 1}, "a": 1}`)

	// errors in a case file
	f(`{"expect": {"status": 200}, "match": [{"part": "body", "regex": "("}]}`, "200", "the expectation is broken: error parsing regexp: missing closing ): `(?s)(`")
}

func TestCompareRest(t *testing.T) {
	a := response("200")
	a.Rest = 2
	if p := compare(parseCase(t, `{"expect": {"status": 200}}`), a, masker{}); len(p) != 1 || p[0] != "2 bytes follow the response" {
		t.Errorf("got %q", p)
	}
}

func TestCompareLoosely(t *testing.T) {
	f := func(expect, got string, problems ...string) {
		t.Helper()
		c := parseCase(t, expect)
		c.Loose = true
		c.Expect.Headers["X-Absent"] = nil
		if found := compare(c, response(got), masker{}); strings.Join(found, "\n") != strings.Join(problems, "\n") {
			t.Errorf("%s against %s: got %q, want %q", expect, got, found, problems)
		}
	}
	f(`{"expect": {"status": 200, "headers": {"Vary": "a"}, "body": "x"}}`, "200 | Vary: a | Other: b => x\n")
	f(`{"expect": {"status": 200, "headers": {"Vary": "a"}}}`, "200 | Other: b", `header Vary: missing (expected ["a"])`)
	f(`{"expect": {"status": 200, "headers": {}}}`, "200 | X-Absent: 1", `header X-Absent: unexpected (got ["1"])`)
}

func TestCompareCommand(t *testing.T) {
	f := func(expect string, got Response, problems ...string) {
		t.Helper()
		c := parseCase(t, expect)
		if found := compare(c, &got, masker{}); strings.Join(found, "\n") != strings.Join(problems, "\n") {
			t.Errorf("%s against %+v: got %q, want %q", expect, got, found, problems)
		}
	}
	f(`{"command": {"args": []}, "expect": {"exit": 0, "stdout": "a\nb\n"}}`, Response{Stdout: "a\nb\n", Stderr: "warning"})
	f(`{"command": {"args": []}, "expect": {"exit": 0, "stdout": "a\nb\n"}}`, Response{Stdout: "b\na\n"}, "stdout: lines in another order or number")
	f(`{"command": {"args": []}, "expect": {"exit": 0, "stdout": "a\n"}}`, Response{Stdout: "b\n"}, `stdout: missing ["a"], unexpected ["b"]`)
	f(`{"command": {"args": []}, "expect": {"exit": 0}}`, Response{Stdout: "b\n"}, `stdout: missing [], unexpected ["b"]`)
	f(`{"command": {"args": []}, "expect": {"exit": 1}}`, Response{Exit: 2, Stderr: "no"}, `exit status: expected 1, got 2 (standard error "no")`)
	f(`{"command": {"args": []}, "expect": {"exit": 0}, "ignore": [{"part": "stdout"}]}`, Response{Stdout: "b\n"})
	f(`{"command": {"args": []}, "expect": {"exit": 0}, "match": [{"part": "stdout", "regex": "^b$"}, {"part": "stderr", "regex": "(?i)ERR"}]}`,
		Response{Stdout: "a\nb\n", Stderr: "an err"})
	f(`{"command": {"args": []}, "expect": {"exit": 0}, "match": [{"part": "stderr", "regex": "x"}]}`, Response{}, `stderr: "" does not match "x"`)
}
