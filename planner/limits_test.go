package planner

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// comes calls inline so many times and returns the last result.
func (l *limits) comes(limit int64, times int) (inlined int64) {
	for range times {
		inlined = l.inline(limit)
	}
	return inlined
}

func TestLimits(t *testing.T) {
	var l limits
	for _, limit := range []int64{0, 1, 25, largestText - 1} {
		if got := l.comes(limit, admitAfter); got != -1 {
			t.Errorf("%d was admitted as %d after %d requests", limit, got, admitAfter)
		}
		if got := l.comes(limit, 1); got != limit {
			t.Errorf("%d: got %d", limit, got)
		}
	}
	for _, limit := range []int64{-1, -25, largestText, 1 << 62} {
		if got := l.comes(limit, 100); got != -1 {
			t.Errorf("%d was admitted as %d", limit, got)
		}
	}
}

// TestLimitsOfOneCell: limits that share a cell do not keep each other out, and
// are not confused.
func TestLimitsOfOneCell(t *testing.T) {
	cell := func(limit int64) uint64 { return uint64(limit) * 0x9E3779B97F4A7C15 >> 56 }
	a, b := int64(10), int64(11)
	for cell(a) != cell(b) {
		b++
	}
	var l limits
	admitted := map[int64]int{}
	for i := range 200 {
		// a is asked for twice as often as b.
		limit := a
		if i%3 == 0 {
			limit = b
		}
		switch got := l.inline(limit); got {
		case -1:
		case limit:
			admitted[limit]++
		default:
			t.Fatalf("asked for %d, got %d", limit, got)
		}
	}
	if admitted[a] == 0 || admitted[b] == 0 {
		t.Errorf("admitted: %v of %d and %d", admitted, a, b)
	}
}

func (l *limits) admittedNow() map[int64]bool {
	now := map[int64]bool{}
	for i := range l.admitted {
		if v := l.admitted[i].value.Load(); v != 0 {
			now[v-1] = true
		}
	}
	return now
}

// TestLimitsFlood: a client that asks for ever new limits, each often enough,
// gets only the places that exist, and displaces no limits in use.
func TestLimitsFlood(t *testing.T) {
	var l limits
	used := []int64{10, 20, 50, 100}
	for _, limit := range used {
		l.comes(limit, admitAfter+1)
	}
	for i := range int64(1000) {
		l.comes(1000+i, admitAfter+1)
		for _, limit := range used {
			if l.inline(limit) != limit {
				t.Fatalf("%d was displaced by new limit %d", limit, i)
			}
		}
	}
	if n := len(l.admittedNow()); n != maxInlined {
		t.Errorf("%d limits have a place, want %d", n, maxInlined)
	}
	// Limits that are not used any more make room.
	l.comes(77, 2*maxInlined+admitAfter)
	if l.inline(77) != 77 {
		t.Error("unused limits keep a limit in use out")
	}
}

func TestLimitsConcurrent(t *testing.T) {
	var l limits
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5000 {
				limit := rand.Int64N(100)
				if got := l.inline(limit); got != -1 && got != limit {
					t.Errorf("asked for %d, got %d", limit, got)
				}
			}
		})
	}
	wg.Wait()
	seen := map[int64]bool{}
	for i := range l.admitted {
		v := l.admitted[i].value.Load()
		if v != 0 && seen[v] {
			t.Errorf("%d has two places", v-1)
		}
		seen[v] = true
	}
}
