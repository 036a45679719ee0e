//go:build !race

package metrics

import "testing"

func TestAnsweredDoesNotAllocate(t *testing.T) {
	m := New(Sources{})
	a := usual(m)
	m.Count(a)
	if n := testing.AllocsPerRun(100, func() { m.Count(a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { m.Relations.Find([]byte("film")) }); n != 0 {
		t.Errorf("%v allocations to find a route", n)
	}
}
