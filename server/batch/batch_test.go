package batch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// lookup has one document, the response of part 1.
func lookup(id, pointer string) ([]byte, error) {
	if id != "1" {
		return nil, errors.New("no part")
	}
	return At([]byte(` [{"id":7,"name":"a\"b","a/b":{"~":null},"list":[1,"x"],"":0}] `), pointer)
}

func TestAt(t *testing.T) {
	for pointer, want := range map[string]string{
		"/0/id": "7", "/0/name": `"a\"b"`, "/0/a~1b/~0": "null", "/0/list/1": `"x"`, "/0/": "0", "/0/list": `[1,"x"]`,
	} {
		if got, err := lookup("1", pointer); err != nil || string(got) != want {
			t.Errorf("%s: %s %v, want %s", pointer, got, err, want)
		}
	}
	for _, pointer := range []string{"/1", "/-", "/00", "/+0", "/0/none", "/0/id/x", "/0/list/2", "/0/list/1/"} {
		if got, err := lookup("1", pointer); err == nil {
			t.Errorf("%s: %s", pointer, got)
		}
	}
}

// TestAtReadsOnce: the time is not proportional to the length of the document for each
// step of the pointer. Otherwise this test takes minutes.
func TestAtReadsOnce(t *testing.T) {
	const depth = 5000
	document := strings.Repeat("[", depth) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("]", depth)
	got, err := At([]byte(document), strings.Repeat("/0", depth))
	if err != nil || len(got) != 1<<20+2 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := At([]byte(`{"a":1,"a":2}`), "/a"); err != nil || string(got) != "1" {
		t.Errorf("%s %v, want the first of two members", got, err)
	}
}

func TestResolve(t *testing.T) {
	f := func(operand string, list bool, want string) {
		t.Helper()
		got, err := Resolve([]byte(operand), list, lookup)
		if text := string(got); err != nil {
			text = "error: " + err.Error()
			if !strings.HasPrefix(text, want) {
				t.Errorf("%s: %s, want %s", operand, text, want)
			}
		} else if text != want {
			t.Errorf("%s: %s, want %s", operand, text, want)
		}
	}
	f("$ref(1#/0/id)", false, "7")
	f("$ref(1#/0/name)", false, `a"b`)
	f("$ref(1#/0/list)", false, `[1,"x"]`)
	f("$$ref(1#/0/id)", false, "$ref(1#/0/id)")
	f("$$$ref(", false, "$$ref(")
	f("ref(1#/0/id)", false, "ref(1#/0/id)")
	f("a$ref(1#/0/id)", false, "error: a reference must be a whole value")
	f("$ref(1#/0/id", false, "error: a reference must be a whole value; in a list")
	f("$ref(1#/0/a~1b/~0)", false, "error: the reference")
	f("$ref(2#/0/id)", false, "error: the reference")
	f(`{"$ref(1#/0/id)","$ref(1#/0/name)","x","$$ref(1)"}`, true, `{"7","a\"b","x","$ref(1)"}`)
	f(`{"a\"$ref(1#/0/id)"}`, true, "error: a reference must be a whole value")
}

func TestResolveBody(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		parts, err := Parse([]byte(`{"requests":[{"id":"1","method":"GET","url":"/a"},{"id":"2","method":"POST","url":"/b","body":`+body+`}]}`), 2)
		if err == nil {
			var got []byte
			if got, err = parts[1].ResolveBody(lookup, 1000); err == nil && string(got) == want {
				return
			}
			err = fmt.Errorf("%s %w", got, err)
		}
		if want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	f(`{"a": {"$ref":"1#/0/id"}}`, `{"a": 7}`)
	f(`{"$ref":"1#/0/list"}`, `[1,"x"]`)
	f(`[ { "\u0024ref" : "1#/0/id" } , 2]`, `[ 7 , 2]`)
	f(`{"$$ref":{"$ref":"1#/0/id"}}`, `{"$ref":7}`)
	f(`{"$$$ref":[{"$$ref":1}]}`, `{"$$ref":[{"$ref":1}]}`)
	f(`{"$ref":"x","b":1}`, `{"$ref":"x","b":1}`)
	f(`{"a":"$ref","b":["$ref"]}`, `{"a":"$ref","b":["$ref"]}`)
	f(`{"a":{"$ref":"1#/0/none"}}`, "has no value")
	f(`{"a":{"$ref":"1#"}}`, `{"a":[{"id":7,"name":"a\"b","a/b":{"~":null},"list":[1,"x"],"":0}]}`)
	f(`{"a":{"$ref":["x"]}}`, "must be a string")
	f(`[`+strings.Repeat(`{"$ref":"1#/0/list"},`, 150)+`1]`, "too large")
	f(`[`+strings.Repeat(`{"$ref":"1#/0/id"},`, MaxReferences)+`{"$ref":"1#/0/id"}]`, "at most 1000 references")
}

// FuzzParse: no batch makes the reader panic, and a body without references is not
// changed.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"requests":[{"id":"1","method":"GET","url":"/a?x=eq.$ref(0%23/a)"}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"a","headers":{"Prefer":"x"},"body":{"$$ref":[{"$ref":"1#"}]}}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"a","body":[]},{"id":"2","method":"PUT","url":"a","body":{"$ref":"1#/0/a~1"}}]}`,
		`{"requests":[{"id":"1","method":"QUERY","url":"a","headers":{"content-type":"text/plain"},"body":"id=in.($ref(1#)"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		parts, err := Parse(raw, 10)
		if err != nil {
			return
		}
		for _, p := range parts {
			body, err := p.ResolveBody(lookup, 1<<20)
			if err == nil && p.isJSON() && body != nil && !json.Valid(body) {
				t.Errorf("%s became %s", p.Body, body)
			}
		}
	})
}
