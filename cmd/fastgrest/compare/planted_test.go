package compare

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	twoRows   = `[{"id":1,"name":"a"}, ` + "\n" + ` {"id":2,"name":"b"}]`
	notFound  = `{"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'api.book'","message":"no table"}`
	plainText = "text/plain; charset=utf-8"
)

// TestPlanted plants a difference into the response of the new server.
func TestPlanted(t *testing.T) {
	large := strings.Repeat("x", keptBytes)
	for _, c := range []struct {
		name     string
		request  string
		old, new canned
		class    string
		kinds    []string
		where    string
	}{
		{"nothing", "GET /book", canned{body: twoRows}, canned{body: twoRows}, "equal", nil, ""},
		{"status", "GET /book", canned{body: twoRows}, canned{status: 404, body: notFound}, "different", []string{"status 200 -> 404"}, ""},
		{"value of a header", "GET /book", canned{body: twoRows, headers: []string{"Content-Range", "0-1/*"}},
			canned{body: twoRows, headers: []string{"Content-Range", "0-2/*"}}, "different", []string{"header Content-Range"}, ""},
		{"missing header", "GET /book", canned{body: twoRows, headers: []string{"Content-Profile", "api"}},
			canned{body: twoRows}, "different", []string{"header Content-Profile"}, ""},
		{"header of the server", "GET /book", canned{body: twoRows, headers: []string{"Server", "postgrest/16.2", "Server-Timing", "jwt;dur=1"}},
			canned{body: twoRows, headers: []string{"Server", "fastgrest"}}, "equal", nil, ""},
		{"name of a field", "GET /book", canned{body: twoRows}, canned{body: strings.Replace(twoRows, `"id":2`, `"key":2`, 1)},
			"different", []string{"names of fields"}, "/1"},
		{"value", "GET /book", canned{body: twoRows}, canned{body: strings.Replace(twoRows, `"b"`, `"c"`, 1)}, "different", []string{"value"}, "/1/name"},
		{"value that is null", "GET /book", canned{body: twoRows}, canned{body: strings.Replace(twoRows, `"b"`, `null`, 1)}, "different", []string{"value"}, "/1/name"},
		{"type", "GET /book", canned{body: twoRows}, canned{body: strings.Replace(twoRows, `2`, `"2"`, 1)}, "different", []string{"type of a value"}, "/1/id"},
		{"spelling of a number", "GET /book", canned{body: twoRows}, canned{body: strings.Replace(twoRows, `2`, `2.0`, 1)}, "different", []string{"spelling of a number"}, "/1/id"},
		{"number of rows", "GET /book", canned{body: twoRows}, canned{body: `[{"id":1,"name":"a"}]`}, "different", []string{"number of rows"}, "/1"},
		{"number of embedded rows", "GET /book", canned{body: `[{"c":[{"id":1}]}]`}, canned{body: `[{"c":[]}]`}, "different", []string{"number of elements"}, "/0/c/0"},
		{"order of rows", "GET /book?id=gt.0", canned{body: twoRows}, canned{body: `[{"id":2,"name":"b"},{"id":1,"name":"a"}]`}, "order", nil, ""},
		{"order of rows with order=", "GET /book?order=id", canned{body: twoRows}, canned{body: `[{"id":2,"name":"b"},{"id":1,"name":"a"}]`},
			"different", []string{"order of rows"}, ""},
		{"order of rows and a value", "GET /book", canned{body: twoRows}, canned{body: `[{"id":2,"name":"c"},{"id":1,"name":"a"}]`},
			"different", []string{"value"}, "/1/name"},
		{"order of embedded rows", "GET /book?order=id", canned{body: `[{"id":1,"c":[{"n":1},{"n":2}]}]`}, canned{body: `[{"id":1,"c":[{"n":2},{"n":1}]}]`}, "order", nil, ""},
		{"order of an array", "GET /book", canned{body: `[{"id":1,"tags":["a","b"]}]`}, canned{body: `[{"id":1,"tags":["b","a"]}]`},
			"different", []string{"order of elements"}, "/0/tags"},
		{"order of keys", "GET /book", canned{body: `{"a":1,"b":2}`}, canned{body: `{"b":2,"a":1}`}, "order", nil, ""},
		{"repeated key", "GET /book", canned{body: `{"a":1,"a":1}`}, canned{body: `{"a":1}`}, "different", []string{"names of fields"}, ""},
		{"white space", "GET /book", canned{body: twoRows}, canned{body: `[{"id":1,"name":"a"},{"id":2,"name":"b"}]`}, "white space", nil, ""},
		{"white space in a string", "GET /book", canned{body: `["a b"]`}, canned{body: `["ab"]`}, "different", []string{"value"}, "/0"},
		{"white space in a text", "GET /book", canned{headers: []string{"Content-Type", plainText}, body: "a b"},
			canned{headers: []string{"Content-Type", plainText}, body: "a  b"}, "different", []string{"body"}, ""},
		{"escape", "GET /book", canned{body: `["\u00e9"]`}, canned{body: `["é"]`}, "white space", nil, ""},
		{"error code", "GET /nope", canned{status: 404, body: notFound}, canned{status: 404, body: strings.Replace(notFound, "205", "200", 1)},
			"different", []string{"error code"}, "/code"},
		{"error message", "GET /nope", canned{status: 404, body: notFound}, canned{status: 404, body: strings.Replace(notFound, "no table", "none", 1)},
			"different", []string{"error message"}, "/message"},
		{"hint among likely names", "GET /nope", canned{status: 404, body: notFound}, canned{status: 404, body: strings.Replace(notFound, "book", "look", 1)},
			"intended", []string{"error hint"}, "/hint"},
		{"length of HEAD", "HEAD /nope", canned{status: 404, headers: []string{"Content-Length", "100"}},
			canned{status: 404, headers: []string{"Content-Length", "101"}}, "different", []string{"header Content-Length"}, ""},
		{"truncated body", "GET /book", canned{body: twoRows}, canned{body: twoRows[:20], cut: true}, "different", []string{"truncated body"}, ""},
		{"no response", "GET /book", canned{body: twoRows}, canned{drop: true}, "different", []string{"no response"}, ""},
		{"no response at all", "GET /book", canned{drop: true}, canned{drop: true}, "failed", nil, ""},
		{"invalid JSON", "GET /book", canned{body: twoRows}, canned{body: twoRows[:20]}, "different", []string{"invalid JSON"}, ""},
		{"CSV rows", "GET /book", canned{headers: []string{"Content-Type", "text/csv"}, body: "id\n1\n2"},
			canned{headers: []string{"Content-Type", "text/csv"}, body: "id\n2\n1"}, "order", nil, ""},
		{"CSV header line", "GET /book", canned{headers: []string{"Content-Type", "text/csv"}, body: "id\n1\n2"},
			canned{headers: []string{"Content-Type", "text/csv"}, body: "1\nid\n2"}, "different", []string{"body"}, ""},
		{"execution plan", "GET /book", canned{headers: []string{"Content-Type", "application/vnd.pgrst.plan+text"}, body: "Aggregate"},
			canned{headers: []string{"Content-Type", "application/vnd.pgrst.plan+text"}, body: "Scan"}, "intended", []string{"body"}, ""},
		{"OpenAPI address", "GET /", canned{headers: []string{"Content-Type", "application/openapi+json"}, body: `{"host":"a:1","info":{"version":"1","title":"x"}}`},
			canned{headers: []string{"Content-Type", "application/openapi+json"}, body: `{"host":"b:1","info":{"version":"2","title":"x"}}`}, "intended", []string{"value"}, "/host"},
		{"OpenAPI title", "GET /", canned{headers: []string{"Content-Type", "application/openapi+json"}, body: `{"host":"a:1","info":{"version":"1","title":"x"}}`},
			canned{headers: []string{"Content-Type", "application/openapi+json"}, body: `{"host":"a:1","info":{"version":"1","title":"y"}}`}, "different", []string{"value"}, "/info/title"},
		{"OpenAPI references", "GET /", canned{headers: []string{"Content-Type", "application/openapi+json"}, body: `{"$ref":"#/definitions/a/b"}`},
			canned{headers: []string{"Content-Type", "application/openapi+json"}, body: `{"$ref":"#/definitions/a~1b"}`}, "intended", []string{"value"}, "/$ref"},
		{"agent of a warning", "GET /book", canned{headers: []string{"Warning", `299 PostgRESTv16.2 "old"`}},
			canned{headers: []string{"Warning", `299 PostgRESTv16.4 "old"`}}, "intended", []string{"header Warning"}, ""},
		{"text of a warning", "GET /book", canned{headers: []string{"Warning", `299 PostgRESTv16.2 "old"`}},
			canned{headers: []string{"Warning", `299 PostgRESTv16.4 "new"`}}, "different", []string{"header Warning"}, ""},
		{"json with NUL", "GET /rpc/f", canned{status: 400, body: `{"code":"22P05"}`}, canned{body: `"\u0000"`}, "intended", []string{"status 400 -> 200"}, ""},
		{"white space in a large body", "GET /book", canned{body: `["` + large + `", 1]`}, canned{body: `["` + large + `",1]`}, "white space", nil, ""},
		{"order in a large body", "GET /book", canned{body: `["` + large + `", 1]`}, canned{body: `[1,"` + large + `"]`}, "order", nil, ""},
		{"order= in a large body", "GET /book?order=a", canned{body: `["` + large + `", 1]`}, canned{body: `[1,"` + large + `"]`}, "different", []string{"order of rows"}, ""},
		{"rows of a large body", "GET /book", canned{body: `["` + large + `", 1]`}, canned{body: `["` + large + `"]`}, "different", []string{"number of rows"}, ""},
		{"value in a large body", "GET /book", canned{body: `["` + large + `", 1]`}, canned{body: `["` + large + `", 2]`}, "different", []string{"body"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := compareURLs(t, serve(t, c.old.handler), serve(t, c.new.handler), c.request+"\n")
			if r.class() != c.class || !slices.Equal(r.kinds(), c.kinds) {
				t.Fatalf("%s %q, want %s %q\n%s", r.class(), r.kinds(), c.class, c.kinds, r.text)
			}
			if c.kinds != nil && r.Groups[0].Example.Where != c.where {
				t.Errorf("at %q, want %q", r.Groups[0].Example.Where, c.where)
			}
			want := map[string]int{"different": 1, "failed": 2}[c.class]
			if r.code != want {
				t.Errorf("exit code %d, want %d", r.code, want)
			}
		})
	}
}

// TestStrict: white space and order count as differences with --strict.
func TestStrict(t *testing.T) {
	for kind, bodies := range map[string][2]string{
		"white space":           {`[1, 2]`, `[1,2]`},
		"order of rows or keys": {`[1,2]`, `[2,1]`},
	} {
		r := compareURLs(t, serve(t, canned{body: bodies[0]}.handler), serve(t, canned{body: bodies[1]}.handler), "GET /a\n", "--strict")
		if r.code != 1 || !slices.Equal(r.kinds(), []string{kind}) {
			t.Errorf("%s: exit code %d, %q", kind, r.code, r.kinds())
		}
	}
}

// TestUnstable: a difference that does not occur twice is counted and not reported.
func TestUnstable(t *testing.T) {
	var asked atomic.Int32
	new := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			canned{status: 503}.handler(w, r)
			return
		}
		canned{body: twoRows}.handler(w, r)
	})
	r := compareURLs(t, serve(t, canned{body: twoRows}.handler), new, "GET /a\n")
	if r.class() != "unstable" || r.code != 0 || len(r.Groups) != 0 || asked.Load() != 2 {
		t.Errorf("%s, exit code %d, %d requests\n%s", r.class(), r.code, asked.Load(), r.text)
	}
}

// TestUnstableKinds: of two attempts, only the kinds are reported that both show.
func TestUnstableKinds(t *testing.T) {
	found := func(kinds ...string) (v verdict) {
		v.Class = different
		for _, k := range kinds {
			v.Found = append(v.Found, difference{Kind: k})
		}
		return v
	}
	if v, unstable := agreed(found("a", "b"), found("b", "c")); unstable || len(v.Found) != 1 || v.Found[0].Kind != "b" {
		t.Errorf("%v, %t", v, unstable)
	}
	if _, unstable := agreed(found("a"), found("b")); !unstable {
		t.Error("different kinds are not unstable")
	}
	if v, unstable := agreed(verdict{Class: failed}, found("a")); !unstable {
		t.Errorf("seen once: %v", v)
	}
	if v, unstable := agreed(found("a"), verdict{Class: failed}); unstable || v.Class != failed {
		t.Errorf("%v, %t", v, unstable)
	}
}

// TestIgnoreHeader: headers can be left out, also by the start of their names.
func TestIgnoreHeader(t *testing.T) {
	old := serve(t, canned{body: twoRows}.handler)
	new := serve(t, canned{body: twoRows, headers: []string{"X-Kong-Id", "1", "X-Kong-Time", "2", "Vary", "Accept"}}.handler)
	r := compareURLs(t, old, new, "GET /a\n", "--ignore-header", "x-kong-*")
	if want := []string{"header Vary"}; !slices.Equal(r.kinds(), want) {
		t.Errorf("%q, want %q", r.kinds(), want)
	}
	if r := compareURLs(t, old, new, "GET /a\n", "--ignore-header", "x-kong-*", "--ignore-header", "vary"); r.code != 0 {
		t.Errorf("exit code %d: %q", r.code, r.kinds())
	}
}
