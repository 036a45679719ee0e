package planner

import (
	"sync/atomic"
	"time"
)

// pace is how long a plan's statements take. A plan that is known to be quick
// may share a connection with others; see pgwire/pool.
type pace struct {
	average atomic.Int64  // moving, in ns
	samples atomic.Uint32 // up to enoughSamples
}

const (
	enoughSamples = 20
	weight        = 16 // of the past against one sample

	// inQueue is what a flight takes in a queue of what it takes alone, for alone
	// both sides have to be woken.
	inQueue = 0.4
)

// Took notes how long a flight took, alone or in a queue. Two at the same time may lose one sample.
func (pre *Prepared) Took(d time.Duration, queued bool) {
	if !queued {
		d = time.Duration(float64(d) * inQueue)
	}
	p := &pre.pace
	n := p.samples.Load()
	if n < enoughSamples {
		p.samples.Store(n + 1)
	}
	average := p.average.Load()
	if n == 0 {
		average = int64(d)
	}
	p.average.Store(average + (int64(d)-average)/weight)
}

// Quick reports whether the plan has proven to take less than limit, in a queue.
func (pre *Prepared) Quick(limit time.Duration) bool {
	p := &pre.pace
	return p.samples.Load() >= enoughSamples && p.average.Load() < int64(limit)
}
