package parser

import (
	"bytes"
	"testing"
)

func TestShape(t *testing.T) {
	var a, b Query
	mode := ModeCallRead
	keys := func(first, second string) (string, string) {
		t.Helper()
		for _, c := range []struct {
			q     *Query
			query string
		}{{&a, first}, {&b, second}} {
			if err := c.q.Parse([]byte(c.query), mode); err != nil {
				t.Fatalf("%s: %v", c.query, err)
			}
		}
		return string(a.AppendShape(nil)), string(b.AppendShape(nil))
	}
	same := func(first, second string) {
		t.Helper()
		if x, y := keys(first, second); x != y {
			t.Errorf("%s and %s: %q and %q", first, second, x, y)
		}
		if len(a.Values) != len(b.Values) {
			t.Errorf("%s and %s: %d and %d values", first, second, len(a.Values), len(b.Values))
		}
	}
	different := func(first, second string) {
		t.Helper()
		if x, y := keys(first, second); x == y {
			t.Errorf("%s and %s: both %q", first, second, x)
		}
	}

	// Operands, numbers and spelling do not count.
	same("", "select=*")
	same("id=eq.1", "id=eq.2")
	same("id=in.(1,2)", "id=in.(3)")
	same("id=like.x", "id=like.*y*")
	same("or=(a.eq.1,b.is.null)", "or=(a.eq.2,b.is.NULL)")
	same("limit=1", "limit=20")
	same("limit=1&offset=0", "limit=20")
	same("offset=3", "offset=99999999999999999999")
	same("select=a,b", "select=+a+,%22b%22")
	same("columns=a,b", "columns=b,a,b")
	same("a=1", "a=2")
	same("order=a", "order=%22a%22")

	// Everything else does.
	different("", "select=")
	different("select=a,b", "select=b,a")
	different("select=a", "select=a:a")
	different("select=a(b),c", "select=a(b,c)")
	different("select=a()", "select=a")
	different("select=...a(b)", "select=a(b)")
	different("select=a!b(c)", "select=a!inner(c)")
	different("select=a::b", "select=a.sum()::b")
	different("select=a-%3E0", "select=a-%3E%220%22")
	different("select=a-%3Eb", "select=a-%3E%3Eb")
	different("id=eq.1", "id=not.eq.1")
	different("id=eq.1", "id=eq(any).1")
	different("id=is.null", "id=is.true")
	different("id=fts.a", "id=fts(b).a")
	different("id=eq.1", "%22id%22=eq.1") // PUT wants the plain name of a key
	different("a.id=eq.1", "id=eq.1")
	different("or=(a.eq.1)", "and=(a.eq.1)")
	different("or=(a.eq.1)", "not.or=(a.eq.1)")
	different("or=(a.eq.1)", "x.or=(a.eq.1)")
	different("or=(a.eq.1,and(b.eq.1),c.eq.1)", "or=(a.eq.1,and(b.eq.1,c.eq.1))")
	different("order=a", "order=a.asc")
	different("order=a,b", "order=a&order=b")
	different("order=a(b)", "order=a")
	different("limit=1", "limit=0")
	different("limit=1", "")
	different("limit=1", "limit=1&offset=1")
	different("limit=1", "a.limit=1")
	different("columns=a", "on_conflict=a")
	different("on_conflict=a", "on_conflict=!a")
	different("columns=a,b", "columns=a")
	different("a=1", "a=1&a=1")
	different("a=1", "a=eq.1")

	a.Extensions, b.Extensions, mode = ExtAggregates|ExtDistinct, ExtAggregates|ExtDistinct, ModeRelation
	different("order=a", "order=a.sum()")
	different("order=a.max()", "order=a.min()")
	different("order=a.countdistinct()", "order=a.count()")
	different("select=a.countdistinct()", "select=a.count()")
	different("distinct=true", "")
	different("distinct=true", "distinct=a")
	different("distinct=a,b", "distinct=b,a")
	different("distinct=a", "x.distinct=a")
	different("distinct=a-%3Eb", "distinct=a")
	same("distinct=a,b", "distinct=+a,%22b%22")
}

// TestShapeAppends checks that the bytes of dst stay.
func TestShapeAppends(t *testing.T) {
	var q Query
	if err := q.Parse([]byte("select=id"), ModeRelation); err != nil {
		t.Fatal(err)
	}
	if got := q.AppendShape([]byte("before")); !bytes.HasPrefix(got, []byte("before\x01")) {
		t.Errorf("got %q", got)
	}
}
