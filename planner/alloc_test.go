//go:build !race

package planner

import "testing"

// TestHitAllocatesNothing: finding a cached plan allocates nothing.
func TestHitAllocatesNothing(t *testing.T) {
	p := New(bigCatalog(100), defaults)
	for _, test := range []struct{ method, target, body string }{
		{"GET", "/table_17?id=eq.1", ""},
		{"GET", "/table_17?select=id,name,r0&name=gt.5&order=id.desc&limit=20&offset=40", ""},
		{"GET", deepTarget(100), ""},
		{"HEAD", "/table_17?id=in.(1,2,3)&limit=7", ""},
		{"POST", "/table_17", `[{"id":1,"name":2}]`},
		{"PATCH", "/table_17?id=eq.1&select=id,r0(name)", `{"name":2}`},
		{"PUT", "/table_17?id=eq.1", `{"id":1,"name":2}`},
		{"DELETE", "/table_17?id=eq.1", ""},
	} {
		q := newQuery(t, test.method, test.target, [][2]string{{"Accept", "application/json"}, {"Prefer", "return=representation, count=exact"}}, test.body)
		for range 100 { // until the limit is in the SQL, and the plan in the map without a lock
			if _, err := q.plan(p); err != nil {
				t.Fatal(test.target, err)
			}
		}
		if n := testing.AllocsPerRun(100, func() {
			if _, hit, _ := p.Find(&q.Request); !hit {
				t.Fatal("missed")
			}
		}); n != 0 {
			t.Errorf("%s %s: %v allocations", test.method, test.target, n)
		}
	}
}
