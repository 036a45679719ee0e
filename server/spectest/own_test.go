package spectest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someOwn = `# Pages, and what lies beyond them.
: group aggregates
: conf db-max-rows = 5
: env A=b
: sql select 1

### beyond the end
: differs it is said so
: retry 2
GET /genre?offset=99
Prefer: count=exact

---
416
!Content-Location
Content-Range: */4

{"code": "PGRST103"}

### insert, no headers
POST /genre

{"id": 1,

"name": "x"}
---
201

### rows
: ignore json:/*/id
: unordered /
: admin
GET /genre
---
200

[{"id": 1},
 {"id": 2}]
`

func mustOwn(t *testing.T, text string) *ownFile {
	t.Helper()
	f, err := parseOwn("pages", text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParseOwn(t *testing.T) {
	f := mustOwn(t, someOwn)
	if f.group != "aggregates" || f.extra.conf != "db-max-rows = 5\n" || f.extra.env[0] != "A=b" || f.extra.sql[0] != "select 1" || !f.changed || f.ordered {
		t.Errorf("got %+v", f)
	}
	if len(f.cases) != 3 {
		t.Fatalf("%d cases", len(f.cases))
	}
	a, b, c := f.cases[0], f.cases[1], f.cases[2]
	if a.Name != "own/pages: beyond the end" || a.Retry != 2 || a.differs != "it is said so" || !a.hasResponse || a.Group != "aggregates" || !a.Loose {
		t.Errorf("got %+v", a)
	}
	if d := cmp.Diff(&Request{Method: "GET", Path: "/genre?offset=99", Headers: [][2]string{{"Prefer", "count=exact"}}}, a.Request); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]HeaderText{"Content-Location": nil, "Content-Range": {"*/4"}}, a.Expect.Headers); d != "" {
		t.Error(d)
	}
	if a.Expect.Status != 416 || string(a.Expect.JSON) != `{"code": "PGRST103"}` {
		t.Errorf("got %+v", a.Expect)
	}
	if *b.Request.Body != "{\"id\": 1,\n\n\"name\": \"x\"}" || b.Expect.Status != 201 || b.Expect.Body != "" || b.Expect.JSON != nil {
		t.Errorf("got %+v", b)
	}
	if c.Request.Port != "admin" || !c.ignores("json:/*/id") || len(c.Options.Unordered) != 1 {
		t.Errorf("got %+v", c)
	}
	g := &group{conf: "x = 1", env: []string{"Z=z"}}
	f.configure(g)
	if g.conf != "x = 1\ndb-max-rows = 5\n" || len(g.env) != 2 || len(g.sql) != 1 {
		t.Errorf("configured %+v", g)
	}
}

func TestParseOwnRefuses(t *testing.T) {
	f := func(text, problem string) {
		t.Helper()
		if _, err := parseOwn("x", text); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: got %v, want %s", text, err, problem)
		}
	}
	f("hello\n", "neither a comment nor a setting")
	f(": hello\n", "unknown setting")
	f(": env x\n", "no value")
	f("### a\nGET\n", "not a request line")
	f("### a\n: hello\nGET /\n", "unknown directive")
	f("### a\n: before hello\nGET /\n", "unknown directive")
	f("### a\n: differs\nGET /\n", "the reason is missing")
	f("### a\n: match body\nGET /\n", "the expression is missing")
	f("### a\n: retry x\nGET /\n", "invalid syntax")
	f("### a\n: before sql select 1\nGET /\n", "outside of a scenario")
	f("### a\nGET /\nhello\n", "not a header")
	f("### a\nGET /\n\n---\nok\n", "not a status")
	f("### a\nGET /\n\n### a\nGET /\n", "another case of this name")
}

func TestScenarioFile(t *testing.T) {
	f := mustOwn(t, ": group commit\n: scenario\n\n### a\n: before sql select 1\n: before sql select 2\n: before signal SIGUSR1\nGET /\n")
	c := f.cases[0]
	if !f.ordered || c.Scenario != "pages" || c.Before.SQL != "select 1\nselect 2\n" || c.Before.Signal != "SIGUSR1" || c.hasResponse {
		t.Errorf("got %+v", c)
	}
}

// TestWriteOwn compares the written file with the original. Only the order of
// headers and a blank line in the third case differ.
func TestWriteOwn(t *testing.T) {
	want := strings.Replace(someOwn, "GET /genre\n---", "GET /genre\n\n---", 1)
	got := mustOwn(t, someOwn).String()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if again := mustOwn(t, got).String(); again != got {
		t.Errorf("the written file:\n%s", again)
	}
}

func TestLearn(t *testing.T) {
	f := mustOwn(t, "### new\nGET /a\n\n### excepted\n: match body 1\n: ignore header:a\n: ignore header:Location\nGET /\n\n### old\nGET /b\n\n---\n500\nA: x\nB: y\n!C\n\nold\n")
	header := http.Header{"A": {"1", "2"}, "C": {"3"}, "Date": {"now"}, "Content-Length": {"12"}, "Location": {"http://127.0.0.1:3000/"}}
	for _, c := range f.cases {
		c.learn(&Response{Status: 200, Header: header, Body: []byte("[{\"id\":1.50}, \n {\"id\":2}]")}, masker{"127.0.0.1:3000"})
	}
	const want = `### new
GET /a

---
200
A: 1
A: 2
C: 3
Content-Length: present
Location: http://127.0.0.1:{port}/

[{"id": 1.50},
 {"id": 2}]

### excepted
: match body 1
: ignore header:a
: ignore header:Location
GET /

---
200
C: 3
Content-Length: present

### old
GET /b

---
200
A: 1
A: 2
!B
C: 3

[{"id": 1.50},
 {"id": 2}]
`
	if d := cmp.Diff(want, f.String()); d != "" {
		t.Error(d)
	}
	again := mustOwn(t, f.String())
	for _, c := range again.cases {
		a := &Response{Status: 200, Header: header, Body: []byte(`[{"id":1.50},{"id":2}]`)}
		if p := compare(&c.Case, a, masker{"127.0.0.1:3000"}); len(p) > 0 {
			t.Errorf("%s: what was learnt is not expected: %q", c.Name, p)
		}
	}
	f.cases[0].learn(&Response{Status: 200, Header: http.Header{}, Body: []byte("text\n")}, masker{})
	if p := compare(&f.cases[0].Case, &Response{Status: 200, Header: http.Header{}, Body: []byte("text\n")}, masker{}); len(p) > 0 {
		t.Errorf("text: %q", p)
	}
}
