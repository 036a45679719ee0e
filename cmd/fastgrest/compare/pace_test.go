package compare

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a server that takes time for a response, and counts.
type slow struct {
	takes         time.Duration
	now, most, in atomic.Int32
}

func (s *slow) ask(context.Context, *request) *response {
	s.in.Add(1)
	n := s.now.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	time.Sleep(s.takes)
	s.now.Add(-1)
	return &response{Status: http.StatusOK, Body: newDigest()}
}

// replaying runs requests against two slow servers, on the clock of the bubble.
func replaying(t *testing.T, requests int, rate float64, concurrency int, takes time.Duration) (old, new *slow, took time.Duration) {
	old, new = &slow{takes: takes}, &slow{takes: takes}
	p := &replay{old: old, new: new, tokens: &tokens{}, pace: newPace(rate), concurrency: concurrency, tally: newTally(&server{})}
	feed := make(chan *request)
	go func() {
		defer close(feed)
		for range requests {
			feed <- &request{Method: "GET", Target: "/a"}
		}
	}()
	began := time.Now()
	if err := p.run(t.Context(), feed); err != nil {
		t.Error(err)
	}
	if c := p.tally.now(); c.Equal != requests {
		t.Errorf("%+v", c)
	}
	return old, new, time.Since(began)
}

// TestRate: requests start evenly, whatever the servers take.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, new, took := replaying(t, 101, 10, 4, time.Millisecond)
		if took != 10*time.Second+time.Millisecond {
			t.Errorf("101 requests at 10/s took %s", took)
		}
		if old.in.Load() != 101 || new.in.Load() != 101 {
			t.Errorf("%d and %d requests", old.in.Load(), new.in.Load())
		}
	})
}

// TestConcurrency: no server has more requests at a time than allowed, and it has as many if it is slow.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, new, took := replaying(t, 30, 1000, 3, time.Second)
		if old.most.Load() != 3 || new.most.Load() != 3 {
			t.Errorf("at most %d and %d at the same time", old.most.Load(), new.most.Load())
		}
		if took < 10*time.Second || took > 11*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// TestPause: after a pause of the input, requests do not come in a burst.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1)
		_ = p.wait(t.Context())
		time.Sleep(time.Minute)
		began := time.Now()
		for range 3 {
			_ = p.wait(t.Context())
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("three requests took %s", took)
		}
	})
}

// TestPercentiles: the classes are narrow enough.
func TestPercentiles(t *testing.T) {
	var l latency
	for ms := 1; ms <= 1000; ms++ {
		l.add(time.Duration(ms) * time.Millisecond)
	}
	for _, c := range []struct{ got, want float64 }{{l.percentiles().P50, 500}, {l.percentiles().P95, 950}, {l.percentiles().P99, 990}} {
		if c.got < c.want*0.95 || c.got > c.want*1.05 {
			t.Errorf("%g, want about %g", c.got, c.want)
		}
	}
	if (&latency{}).percentiles() != (percentiles{}) {
		t.Error("no requests have a latency")
	}
}
