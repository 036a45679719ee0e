//go:build !race

package rowjson

import "testing"

func TestNoAllocations(t *testing.T) {
	buf := make([]byte, 0, 1<<14)
	f := func(name string, run func() bool) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() {
			if !run() {
				t.Errorf("%s: refused", name)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	for _, c := range typical {
		codec, _ := c.session.Lookup(c.oid)
		f(c.name, func() bool { _, ok := codec.Append(buf, c.src); return ok })
	}
	cols, values := mixedRow(t)
	f("AppendObject", func() bool { _, ok := AppendObject(buf, cols, values); return ok })
}
