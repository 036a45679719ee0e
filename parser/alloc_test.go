//go:build !race

package parser

import "testing"

// TestAllocations parses into a Query whose slices have grown, as in a pool.
func TestAllocations(t *testing.T) {
	var q Query
	var key, canonical []byte
	f := func(what, raw string, mode Mode) {
		t.Helper()
		text, lower, upper := []byte(raw), []byte("0"), []byte("24")
		run := func() {
			if err := q.Parse(text, mode); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			key = q.AppendShape(key[:0])
			canonical = q.AppendCanonical(canonical[:0])
			header, _ := ParseRange(lower, upper)
			top := header.Intersect(q.RootRange())
			canonical = top.Restrict(1000).AppendLimit(canonical)
			canonical = top.AppendOffset(canonical)
		}
		run()
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
	f("empty", "", ModeRelation)
	f("typical", typicalQuery, ModeRelation)
	f("complex", complexQuery, ModeRelation)
	f("encoded", encodedQuery, ModeRelation)
	f("call", "a=1&b=%7B1,2%7D&c=eq.3&select=x", ModeCallRead)
	f("write", "columns=b,a,c&on_conflict=a,b&select=id", ModeRelation)
}
