package exec

import (
	"sync"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	limit := QuickTime
	pre := &Form{}
	for i := range QuickSamples {
		if pre.quick() {
			t.Fatalf("quick after %d samples", i)
		}
		pre.took(time.Microsecond, true, 100)
	}
	if !pre.quick() {
		t.Error("not quick after enough quick samples")
	}
	// One slow run is an accident, several are a trait.
	pre.took(10*limit, true, 100)
	if !pre.quick() {
		t.Error("one slow run outweighs all others")
	}
	for range 3 * weight {
		pre.took(2*limit, true, 100)
	}
	if pre.quick() {
		t.Error("still quick after many slow runs")
	}
	for range 5 * weight {
		pre.took(time.Microsecond, true, 100)
	}
	if !pre.quick() {
		t.Error("never quick again")
	}
	for range 5 * weight {
		pre.took(time.Microsecond, true, 2*quickSize)
	}
	if pre.quick() {
		t.Error("quick with large responses")
	}
}

// TestSlow: a few runs tell, a first one that was slow by accident is soon
// outweighed, and a plan that has become fast is free again.
func TestSlow(t *testing.T) {
	pre := &Form{}
	for i := range slowSamples {
		if pre.slow() {
			t.Fatalf("slow after %d samples", i)
		}
		pre.took(slowTime+time.Millisecond, false, 100)
	}
	if !pre.slow() {
		t.Error("not slow after enough slow samples")
	}
	for range 5 * weight {
		pre.took(time.Millisecond, false, 100)
	}
	if pre.slow() {
		t.Error("never fast again")
	}

	pre = &Form{}
	pre.took(4*slowTime, false, 100)
	for range slowSamples {
		pre.took(time.Millisecond, false, 100)
	}
	if pre.slow() {
		t.Error("slow for one slow start")
	}
	pre = &Form{}
	for range slowSamples {
		pre.took(slowTime-time.Millisecond, false, 100)
	}
	if pre.slow() {
		t.Error("slow below the limit")
	}
}

func TestPaceTogether(t *testing.T) {
	pre := &Form{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				pre.took(time.Millisecond, true, 100)
				pre.quick()
			}
		})
	}
	wg.Wait()
	if got := pre.pace.average.Load(); got != int64(time.Millisecond) {
		t.Errorf("the average of equal samples is %v", time.Duration(got))
	}
}
