package manual_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// planted has examples that are right, wrong, and without a response.
const planted = `# Planted
<!-- settings: db-schemas=api,archive -->

~~~http
GET /genre?id=eq.5&select=id,name

~~~

~~~http response
200 OK
Content-Range: 0-0/*

[ {"id": 5,
   "name": "Essay"} ]
~~~

~~~http
GET /genre?id=eq.5&select=name
~~~
~~~http response
200 OK

[{"name":"Essays"}]
~~~

~~~http
GET /member
Accept-Profile: api
Authorization: Bearer $ada
~~~
~~~http response
201 Created
Content-Type: application/json; ...

[{"id":1,...
~~~

~~~sql
create table api.shelf (id int primary key);
grant all on api.shelf to librarian;
~~~

~~~http
POST /shelf
Authorization: Bearer $librarian

{"id": 1}
~~~
~~~http response
201 Created
Location: /shelf?id=eq.1
~~~

~~~http
GET /shelf
Authorization: Bearer $librarian
~~~

~~~http
GET /nothing
Authorization: Bearer $stranger
~~~

~~~sql
create table api.genre ();
~~~

~~~sh
echo localhost:3000; fastgrest --version | cut -c1-9; echo "$ada" | cut -c1-5
~~~
~~~output
localhost:3000
fastgrest
token
~~~

~~~conf
db-pool = 3
db-poool = 3
~~~
`

// testRunner checks that the runner finds what is wrong, and nothing else.
func testRunner(t *testing.T, shared *fixture) {
	p, err := parsePage("planted.md", strings.ReplaceAll(planted, "~~~", "```"))
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{page: p}
	r.run(t, shared)
	want := []string{
		"planted.md:18: the body differs",
		"planted.md:27: the status differs",
		"planted.md:44: the header Location is missing",
		"planted.md:55: the request has no response. This came:",
		"planted.md:60: there is no token $stranger",
		`planted.md:65: ERROR: relation "genre" already exists (SQLSTATE 42P07)`,
		"planted.md:69: the output differs",
		"planted.md:78: the program does not like the configuration: <nil>",
	}
	var got []string
	for _, f := range r.failures {
		first, _, _ := strings.Cut(f, "\n")
		got = append(got, first)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	all := strings.Join(r.failures, "\n")
	for _, part := range []string{
		"GET /genre?id=eq.5&select=name\n", "200 OK\n\n[{\"name\":\"Essays\"}]\n", "200 OK\n\n[{\"name\":\"Essay\"}]\n",
		"200 OK\nContent-Type: application/json; ...\n\n[{\"id\":1,...\n", // what is right stays
		"201 Created\n```", "[{\"id\":1}]\n```", "localhost:3000\nfastgrest\neyJhb\n", `"db-poool"`,
	} {
		if !strings.Contains(all, part) {
			t.Errorf("the failures do not have %q:\n%s", part, all)
		}
	}
}

// TestUpdate checks that a page gets the text that a failure shows.
func TestUpdate(t *testing.T) {
	p, err := parsePage("a.md", "# A\n\n```sh\ntrue\n```\n```output\nold\n```\nend\n")
	if err != nil {
		t.Fatal(err)
	}
	b := p.blocks[1]
	got := p.edited([]edit{{b.start, b.end + 1, fenced(b.info, "new\nlines")}})
	if want := "# A\n\n```sh\ntrue\n```\n```output\nnew\nlines\n```\nend\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestParsePage checks the errors of pages that the runner would misunderstand.
func TestParsePage(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := parsePage("a.md", text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	const fence = "a.md:1: a fence is three backticks at the start of a line"
	f("```httpx\n```", `a.md:1: unknown info string "httpx"`)
	f("```\n```", `a.md:1: unknown info string ""`)
	f("```http\nGET /\n", "a.md:1: the block has no end")
	f("  ```http\n  ```", fence)
	f("````http\n````", fence)
	f("```sh\n```\n```http response\n```", `a.md:3: nothing comes before the block "http response" that it could belong to`)
	f("```http\n```\n```output\n```", `a.md:3: nothing comes before the block "output" that it could belong to`)
	f("<!-- settings: db-max-rows -->", `a.md: "db-max-rows" is not KEY=VALUE`)
	f("<!-- token a: {] -->", "a.md: the claims of $a are not JSON")
	f("<!-- database: none -->", `a.md: unknown database "none"`)
}

// TestLayout checks how JSON comes into a page.
func TestLayout(t *testing.T) {
	long := strings.Repeat("x", 70)
	f := func(body, want string) {
		t.Helper()
		if got := layout(body); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	f("[]", "[]")
	f(`[{"a": 1}, {"a": "<2>"}]`, `[{"a":1},{"a":"<2>"}]`)
	f(`plain, text`, `plain, text`)
	f(`[{"a":"`+long+`"},{"b":{"c":"`+long+`","d":1.0}}]`, "[{\"a\":\""+long+"\"},\n {\"b\":{\"c\":\""+long+"\",\"d\":1.0}}]")
	f(`{"a":"`+long+`","b":[1,"`+long+`"],"c":null}`, "{\"a\":\""+long+"\",\n \"b\":[1,\""+long+"\"],\"c\":null}")
}

// TestMatches checks what "..." stands for.
func TestMatches(t *testing.T) {
	f := func(pattern, text string, want bool) {
		t.Helper()
		if got := matches(pattern, text); got != want {
			t.Errorf("%q, %q: got %v", pattern, text, got)
		}
	}
	f("ab", "ab", true)
	f("ab", "abc", false)
	f("a...", "abc", true)
	f("...c", "abc", true)
	f("a...c...e", "abcde", true)
	f("a...x...e", "abcde", false)
	f("a...d", "abcde", false)
	f("abc...c", "abc", false)
}
