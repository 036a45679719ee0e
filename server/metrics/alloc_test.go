//go:build !race

package metrics

import "testing"

func TestRequestDoesNotAllocate(t *testing.T) {
	m := New(Sources{})
	if n := testing.AllocsPerRun(100, func() { m.Request(200) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
