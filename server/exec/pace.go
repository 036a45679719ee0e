package exec

import (
	"sync/atomic"
	"time"
)

// pace is how long a plan's statements take. A plan that is known to be quick
// may share a connection with others, and one known to be slow may not have all
// of them; see pgwire/pool.
//
// Times are those of the clock, so a plan takes longer on a busy machine.
type pace struct {
	average atomic.Int64  // moving, in ns
	samples atomic.Uint32 // up to enough of them
}

const (
	quickSamples = 20 // before a plan counts as quick
	slowSamples  = 5  // as slow, which costs it little and others much until it is known
	weight       = 16 // of the past against one sample

	// slowTime is what clients notice, and many times what a short read takes.
	slowTime = 100 * time.Millisecond
	// inQueue is what a flight takes in a queue of what it takes alone, for alone
	// both sides have to be woken.
	inQueue = 0.4
)

// QuickTime is how long a plan may take on average, in a queue, to count as quick.
// Sharing a connection saves some 30 us for each request, so that longer plans
// gain nothing. A busy machine needs the rest of it: a row by its key, 0.03 ms of
// work, takes up to 1 ms there. Only tests change it.
var QuickTime = 2 * time.Millisecond

// Took notes how long a flight took, alone or in a queue. Of two concurrent calls
// one may be lost.
func (form *Form) Took(d time.Duration, queued bool) {
	if !queued {
		d = time.Duration(float64(d) * inQueue)
	}
	p := &form.pace
	n := p.samples.Load()
	if n < quickSamples {
		p.samples.Store(n + 1)
	}
	average := p.average.Load()
	p.average.Store(average + (int64(d)-average)/min(int64(n)+1, weight))
}

// Quick reports whether the plan has proven to be quick, in a queue.
func (form *Form) Quick() bool {
	p := &form.pace
	return p.samples.Load() >= quickSamples && p.average.Load() < int64(QuickTime)
}

// Slow reports whether the plan has proven to take long, alone.
func (form *Form) Slow() bool {
	p := &form.pace
	return p.samples.Load() >= slowSamples && float64(p.average.Load()) > float64(slowTime)*inQueue
}
