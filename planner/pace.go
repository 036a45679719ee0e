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
	// quickEnough is what a queue of flights may be made of: a client behind
	// seven of them waits for eight at the most.
	quickEnough = 5 * time.Millisecond
	weight      = 16 // of the past against one sample
)

// Took notes how long a flight took. Two at the same time may lose one sample.
func (pre *Prepared) Took(d time.Duration) {
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

// Quick reports whether the plan has proven to be quick.
func (pre *Prepared) Quick() bool {
	return pre.pace.samples.Load() >= enoughSamples && pre.pace.average.Load() < int64(quickEnough)
}
