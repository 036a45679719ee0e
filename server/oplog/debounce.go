package oplog

import (
	"sync"
	"time"
)

// timeoutsEvery is the minimum time between two reports of pool timeouts. They
// come in bursts, and each report says the same.
const timeoutsEvery = 5 * time.Second

// debouncer reports the first event of a burst at once, and all events within
// the pause after it as one.
type debouncer struct {
	mu      sync.Mutex
	next    time.Time   // end of the pause
	pending *time.Timer // fires at next if an event came during the pause
	closed  bool
}

// do calls f now, at the end of the pause, or not at all.
func (d *debouncer) do(pause time.Duration, f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.pending != nil {
		return
	}
	now := time.Now()
	if wait := d.next.Sub(now); wait > 0 {
		d.pending = time.AfterFunc(wait, func() { d.fire(pause, f) })
		return
	}
	d.next = now.Add(pause)
	f()
}

func (d *debouncer) fire(pause time.Duration, f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.pending = nil
	d.next = time.Now().Add(pause)
	f()
}

func (d *debouncer) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.pending != nil {
		d.pending.Stop()
	}
}
