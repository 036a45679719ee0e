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
	size    atomic.Int64  // moving average of bytes of the response
	samples atomic.Uint32 // up to QuickSamples
}

const (
	// slowSamples is how often a plan has to run before it can count as slow. It is small:
	// a wrong guess costs the plan little, and an unknown slow plan costs others much.
	slowSamples = 5
	weight      = 16 // of the past against one sample

	// slowTime is a time that clients notice. A short read takes a small part of it.
	slowTime = 100 * time.Millisecond
	// inQueue is the time of a flight in a queue, divided by its time alone. Alone it takes
	// longer, because the processes of the server and of PostgreSQL have to be woken.
	inQueue = 0.4
)

// QuickTime is how long a plan may take on average, in a queue, to count as quick.
// Sharing a connection saves some 30 us for each request, so longer plans gain little. The
// bound is much higher, because plans take longer on a busy machine: a row by its key,
// 0.03 ms of work, takes up to 1 ms there. Only tests change it.
var QuickTime = 2 * time.Millisecond

// QuickSamples is how often a plan has to run before it counts as quick. Only tests change
// it.
var QuickSamples uint32 = 20

// quickSize is the average size in bytes that the response of a quick plan does not
// reach. Larger responses gain nothing from sharing: with pages of 100 rows (25 kB,
// 0.11 ms of work) on shared connections the server took 1.8 times the CPU time.
const quickSize = 8 << 10

// took notes how long a flight took, alone or in a queue, and the bytes of the response.
// Of two concurrent calls one may be lost.
func (form *Form) took(d time.Duration, queued bool, size int) {
	if !queued {
		d = time.Duration(float64(d) * inQueue)
	}
	p := &form.pace
	n := p.samples.Load()
	if n < QuickSamples {
		p.samples.Store(n + 1)
	}
	follow(&p.average, int64(d), n)
	follow(&p.size, int64(size), n)
}

// follow moves an average of n samples towards another one.
func follow(average *atomic.Int64, sample int64, n uint32) {
	a := average.Load()
	average.Store(a + (sample-a)/min(int64(n)+1, weight))
}

// quick reports whether the plan has proven to be quick, in a queue.
func (form *Form) quick() bool {
	p := &form.pace
	return p.samples.Load() >= QuickSamples && p.average.Load() < int64(QuickTime) && p.size.Load() < quickSize
}

// slow reports whether the plan has proven to take long, alone.
func (form *Form) slow() bool {
	p := &form.pace
	return p.samples.Load() >= slowSamples && float64(p.average.Load()) > float64(slowTime)*inQueue
}
