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

	// What a queue of flights may be made of. Sharing saves system calls and
	// wake-ups of both processes, some 20 us for each flight, and loses what the
	// processors could have done for several at once. On a busy machine with two
	// of them a row by its key takes 0.15 to 0.2 ms in a queue, and costs 0.55 of
	// what it costs alone; a page of a hundred rows takes 0.6, and costs 1.2. Writes
	// gain more, because a commit wakes other processes, too: one row takes 0.25 to
	// 0.65 ms. Alone all of them take 2 to 3 times as long, for both sides have to
	// be woken.
	quickRead  = 400 * time.Microsecond
	quickWrite = 1500 * time.Microsecond
	// inQueue is what a flight takes in a queue of what it takes alone.
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

// QuickRead reports whether the plan, a read, has proven to be quick;
// QuickWrite the same of a write.
func (pre *Prepared) QuickRead() bool { return pre.pace.below(quickRead) }

// QuickWrite: see QuickRead.
func (pre *Prepared) QuickWrite() bool { return pre.pace.below(quickWrite) }

func (p *pace) below(limit time.Duration) bool {
	return p.samples.Load() >= enoughSamples && p.average.Load() < int64(limit)
}
