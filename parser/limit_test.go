package parser

import (
	"strings"
	"testing"
)

func printRange(r Range) string {
	switch {
	case r.IsAll():
		return "all"
	case r.Unbounded:
		return "offset " + string(r.AppendOffset(nil))
	}
	return "limit " + string(r.AppendLimit(nil)) + " offset " + string(r.AppendOffset(nil))
}

func TestRanges(t *testing.T) {
	var q Query
	f := func(query, want string) {
		t.Helper()
		if err := q.Parse([]byte(query), ModeRelation); err != nil {
			t.Errorf("%s: %v", query, err)
			return
		}
		var got []string
		for _, r := range q.Ranges {
			var path strings.Builder
			for _, n := range q.Path(r.Path) {
				path.WriteString(string(n) + ": ")
			}
			got = append(got, path.String()+printRange(r.Range))
		}
		if got := strings.Join(got, "; "); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
		check(t, &q)
	}
	f("", "")
	f("limit=5", "limit 5 offset 0")
	f("limit=0", "limit 0 offset 0")
	f("limit=-1", "limit -1 offset 0")
	f("limit=abc", "all")
	f("limit", "")
	f("offset=3", "offset 3")
	f("offset=-3", "offset -3")
	f("offset=x", "all")
	f("limit=5&offset=3", "limit 5 offset 3")
	f("offset=3&limit=5", "limit 5 offset 3")
	f("limit=abc&offset=3", "limit 0 offset 3")
	f("limit=abc&offset=abc", "limit 0 offset 0")
	f("limit=0&offset=1A", "limit 0 offset 0")
	f("limit=5&offset=abc", "limit 5 offset 0")
	f("limit=1&limit=2", "limit 2 offset 0")
	f("limit=1&limit", "limit 1 offset 0")
	f("limit=1&limit=x", "all")
	f("offset=99999999999999999999", "offset 99999999999999999999")
	f("limit=2&offset=9223372036854775807", "limit 2 offset 9223372036854775807")
	f("limit=9223372036854775807&offset=1999", "limit 9223372036854775807 offset 1999")
	f("limit=99999999999999999999&offset=99999999999999999999", "limit 99999999999999999999 offset 99999999999999999999")
	f("limit=-9223372036854775808", "limit -9223372036854775808 offset 0")
	f("a.limit=1&b.offset=2&a.offset=3", "b: offset 2; a: limit 1 offset 3") // in the order of hashes
	f(`"a.b".limit=1&c.d.limit=2`, "c: d: limit 2 offset 0; a.b: limit 1 offset 0")
	f("b.limit=2&a.limit=1", "b: limit 2 offset 0; a: limit 1 offset 0")
	f("a.limit=1&b.limit=2", "b: limit 2 offset 0; a: limit 1 offset 0")
	f("a.limit=1&+a.limit=2", "a: limit 2 offset 0; a: limit 1 offset 0") // two spellings of one path: " a." and "a."
	f("a:.limit=1", "")                                                   // breaks off before the path is over, and the root has its own
	f("a.b:c.limit=1", "a: limit 1 offset 0")
}

func TestRangeError(t *testing.T) {
	var q Query
	f := func(query, want string) {
		t.Helper()
		if err := q.Parse([]byte(query), ModeRelation); err != nil {
			t.Fatal(err)
		}
		if err := q.RangeError(); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: got %v, want %s", query, err, want)
		}
	}
	f("limit=1&a.limit=2", "")
	f(".limit=1", `"failed to parse tree path (.limit)" (line 1, column 1): unexpected "." expecting field name (* or [a..z0..9_$])`)
	f("a.!.offset=1", `"failed to parse tree path (a.!.limit)" (line 1, column 3): unexpected "!" expecting field name (* or [a..z0..9_$])`)
}

func TestRestrict(t *testing.T) {
	f := func(query string, maxRows int64, want string) {
		t.Helper()
		var q Query
		if err := q.Parse([]byte(query), ModeRelation); err != nil {
			t.Fatal(err)
		}
		r := AllRange
		if len(q.Ranges) > 0 {
			r = q.Ranges[0].Range
		}
		if got := printRange(r.Restrict(maxRows)); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	f("", 10, "limit 10 offset 0")
	f("limit=5", 10, "limit 5 offset 0")
	f("limit=15", 10, "limit 10 offset 0")
	f("offset=3", 10, "limit 10 offset 3")
	f("limit=15&offset=3", 10, "limit 10 offset 3")
	f("limit=0", 10, "limit 0 offset 0")
	f("limit=5&offset=-5", 10, "limit 0 offset 0")
	f("limit=-2", 10, "limit -2 offset 0")
	f("limit=5", 0, "limit 0 offset 0")
	f("offset=9223372036854775807", 10, "limit 10 offset 9223372036854775807")
}

func TestParseRange(t *testing.T) {
	f := func(lower, upper, want string) {
		t.Helper()
		got := "refused"
		if r, ok := ParseRange([]byte(lower), []byte(upper)); ok {
			got = printRange(r)
		}
		if got != want {
			t.Errorf("%q to %q: got %s, want %s", lower, upper, got, want)
		}
	}
	f("0", "9", "limit 10 offset 0")
	f("5", "", "offset 5")
	f("0", "", "all")
	f("9", "0", "limit -8 offset 9")
	f("99999999999999999999", "", "offset 99999999999999999999")
	for _, text := range []string{"", "-1", "0x1", " 1", "(1)", "a"} {
		f(text, "9", "refused")
		if text != "" {
			f("0", text, "refused")
		}
	}
}
