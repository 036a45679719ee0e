package spectest

import (
	"strings"
	"testing"
)

func mustParse(t *testing.T, s string) any {
	t.Helper()
	v, err := parseJSON([]byte(s))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return v
}

func TestDifference(t *testing.T) {
	f := func(want, got, problem string) {
		t.Helper()
		if d := difference(mustParse(t, want), mustParse(t, got), ""); d != problem {
			t.Errorf("%s against %s: %q, want %q", want, got, d, problem)
		}
	}
	f(`{"a": [1, null, true, "x"]}`, "{\n\t\"a\":[1,null,true,\"\\u0078\"]}", "")
	f(`1.50`, `1.5`, "/: expected 1.50, got 1.5")
	f(`1e2`, `100`, "/: expected 1e2, got 100")
	f(`12345678901234567890`, `12345678901234567890`, "")
	f(`"1"`, `1`, `/: expected "1", got 1`)
	f(`null`, `"null"`, `/: expected null, got "null"`)
	f(`[1]`, `{"0": 1}`, `/: expected [1], got {"0": 1}`)
	f(`[]`, `{}`, `/: expected [], got {}`)
	f(`1`, `[1]`, `/: expected 1, got [1]`)
	f(`[1, 2]`, `[1]`, "/: expected 2 items, got 1")
	f(`[1, 2]`, `[1, 3]`, "/1: expected 2, got 3")
	f(`{"a": {"b": [0, {"c": 1}]}}`, `{"a": {"b": [0, {"c": 2}]}}`, "/a/b/1/c: expected 1, got 2")
	f(`{"a": 1, "b": 2}`, `{"b": 2, "a": 1}`, `/: keys in another order or number: expected ["a" "b"], got ["b" "a"]`)
	f(`{"a": 1, "b": 2}`, `{"a": 1, "c": 2}`, `/: keys missing ["b"], unexpected ["c"]`)
	f(`{"a": 1, "a": 2}`, `{"a": 2}`, `/: keys in another order or number: expected ["a" "a"], got ["a"]`)
	f(`{"a": 1, "a": 2}`, `{"a": 1, "a": 3}`, "/a: expected 2, got 3")
}

func TestParseJSONRefuses(t *testing.T) {
	for _, s := range []string{"", " ", "x", "[1,]", "[1 2]", `{"a":1,}`, "1 2", "[] []", "NaN", "01", `"` + "\n" + `"`, "\xff", "[" + strings.Repeat("[", 20000)} {
		if v, err := parseJSON([]byte(s)); err == nil && s != "\xff" {
			t.Errorf("%.20q gave %v", s, v)
		}
	}
}

func TestPointers(t *testing.T) {
	const doc = `{"a": [{"id": 1, "x": 2}, {"id": 3, "x": 4}], "b/c": {"~": 5}, "id": 6}`
	f := func(at, want string) {
		t.Helper()
		v := mustParse(t, doc)
		if got := text(ignore(v, at)); got != want {
			t.Errorf("ignore %q: %s, want %s", at, got, want)
		}
		if text(v) != text(mustParse(t, doc)) {
			t.Errorf("ignore %q changed the original", at)
		}
	}
	f("", "<ignored>")
	f("/", "<ignored>")
	f("/id", `{"a": [{"id": 1, "x": 2}, {"id": 3, "x": 4}], "b/c": {"~": 5}, "id": <ignored>}`)
	f("/a/*/id", `{"a": [{"id": <ignored>, "x": 2}, {"id": <ignored>, "x": 4}], "b/c": {"~": 5}, "id": 6}`)
	f("/a/1", `{"a": [{"id": 1, "x": 2}, <ignored>], "b/c": {"~": 5}, "id": 6}`)
	f("/b~1c/~0", `{"a": [{"id": 1, "x": 2}, {"id": 3, "x": 4}], "b/c": {"~": <ignored>}, "id": 6}`)
	f("/nope/0", text(mustParse(t, doc)))
	f("/id/0", text(mustParse(t, doc)))

	var found []string
	for _, v := range collect(mustParse(t, doc), "/a/*/x") {
		found = append(found, text(v))
	}
	if got := strings.Join(found, " "); got != "2 4" {
		t.Errorf("collected %s", got)
	}
}

func TestFreeOrder(t *testing.T) {
	if got := text(arrange(mustParse(t, `{"r": [{"b": 2}, {"a": 1}, 3]}`), "/r")); got != `{"r": [3, {"a": 1}, {"b": 2}]}` {
		t.Errorf("arranged: %s", got)
	}
	if got := text(arrange(mustParse(t, `{"r": {"b": 2, "a": 1}}`), "/r")); got != `{"r": {"b": 2, "a": 1}}` {
		t.Errorf("an object was arranged: %s", got)
	}
	if got := text(sortKeys(mustParse(t, `{"b": [{"d": 1, "c": 2}], "a": 2, "a": 1}`))); got != `{"a": 1, "a": 2, "b": [{"c": 2, "d": 1}]}` {
		t.Errorf("sorted: %s", got)
	}
}
