package exec

import (
	"sync"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	limit := QuickTime
	pre := &Form{}
	for i := range quickSamples {
		if pre.Quick() {
			t.Fatalf("quick after %d samples", i)
		}
		pre.Took(time.Microsecond, true)
	}
	if !pre.Quick() {
		t.Error("not quick after enough quick samples")
	}
	// One slow run is an accident, several are a trait.
	pre.Took(10*limit, true)
	if !pre.Quick() {
		t.Error("one slow run outweighs all others")
	}
	for range 3 * weight {
		pre.Took(2*limit, true)
	}
	if pre.Quick() {
		t.Error("still quick after many slow runs")
	}
	for range 5 * weight {
		pre.Took(time.Microsecond, true)
	}
	if !pre.Quick() {
		t.Error("never quick again")
	}
}

// TestSlow: a few runs tell, a first one that was slow by accident is soon
// outweighed, and a plan that has become fast is free again.
func TestSlow(t *testing.T) {
	pre := &Form{}
	for i := range slowSamples {
		if pre.Slow() {
			t.Fatalf("slow after %d samples", i)
		}
		pre.Took(slowTime+time.Millisecond, false)
	}
	if !pre.Slow() {
		t.Error("not slow after enough slow samples")
	}
	for range 5 * weight {
		pre.Took(time.Millisecond, false)
	}
	if pre.Slow() {
		t.Error("never fast again")
	}

	pre = &Form{}
	pre.Took(4*slowTime, false)
	for range slowSamples {
		pre.Took(time.Millisecond, false)
	}
	if pre.Slow() {
		t.Error("slow for one slow start")
	}
	pre = &Form{}
	for range slowSamples {
		pre.Took(slowTime-time.Millisecond, false)
	}
	if pre.Slow() {
		t.Error("slow below the limit")
	}
}

func TestPaceTogether(t *testing.T) {
	pre := &Form{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				pre.Took(time.Millisecond, true)
				pre.Quick()
			}
		})
	}
	wg.Wait()
	if got := pre.pace.average.Load(); got != int64(time.Millisecond) {
		t.Errorf("the average of equal samples is %v", time.Duration(got))
	}
}
