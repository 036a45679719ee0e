package pool

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// While callers wait or connections are shared, the pool looks after both every
// few milliseconds. It refuses callers that have waited for too long, and it finds
// batches whose head is blocked, by a lock for example. Reads behind such a head
// have not begun: they get their places in the queue again, to be sent on another
// connection. The server runs them here, too, when it gets to them. Their responses
// are discarded, and those that take long are cancelled.

const (
	// watchInterval is the time between two looks.
	watchInterval = 5 * time.Millisecond
	// blockedTime is how long a flight known to be quick may take before it counts
	// as blocked.
	blockedTime = 10 * time.Millisecond
	// blockedShare is how many flights per connection the pool has answered since,
	// where no connection is idle. On a busy machine a quick flight may have to wait
	// for a processor, and sending others again would only make it busier.
	blockedShare = 8
	// discardedTime is how long a flight that has been sent elsewhere may take. A
	// cancel request may come too late, and then costs the connection.
	discardedTime = 500 * time.Millisecond
)

var errResent = errors.New("has been sent on another connection")

// watch looks at the pool while there is something to look at.
type watch struct {
	on    atomic.Bool // a look is due
	timer *time.Timer
	mu    sync.Mutex // of the look
	conns []*Conn
}

// watched is what the last look saw of a batch.
type watched struct {
	since int64  // of the batch
	total uint64 // flights that the pool had answered by then
}

func (w *watch) init(p *Pool) {
	w.timer = time.AfterFunc(time.Hour, p.look)
	w.timer.Stop()
}

// start sees to it that there will be a look.
func (w *watch) start() {
	if !w.on.Load() && w.on.CompareAndSwap(false, true) {
		w.timer.Reset(watchInterval)
	}
}

func (p *Pool) look() {
	w := &p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on.Store(false) // first: what comes while we look starts the next one
	at := now()
	waiting := p.expire(at)
	shared := p.sendElsewhere(at)
	if waiting || shared {
		w.start()
	}
}

// sendElsewhere finds batches whose head is blocked. It reports whether there are
// batches at all.
func (p *Pool) sendElsewhere(at int64) (busy bool) {
	w := &p.watch
	p.mu.Lock()
	w.conns = append(w.conns[:0], p.all...)
	free := len(p.idle) > 0 || p.places < p.o.MaxConns
	p.mu.Unlock()
	var total uint64
	for _, c := range w.conns {
		total += c.answered.Load()
	}
	for _, c := range w.conns {
		shared, behind := c.batch.blocked(at, total, free, len(w.conns))
		busy = busy || shared
		if len(behind) > 0 {
			p.resent.Add(int64(len(behind)))
			p.putBack(behind)
		}
	}
	clear(w.conns)
	return busy
}

// blocked reports whether flights share the connection, and takes those out that
// are behind a blocked one.
func (b *batch) blocked(at int64, total uint64, free bool, conns int) (shared bool, behind []*ticket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.tickets) == 0 {
		return false, nil
	}
	if head := b.tickets[0]; head.turn == nil { // and so are those behind it
		if at-b.since >= int64(discardedTime) {
			head.flight.Abandon(errResent)
		}
		return true, nil
	}
	if len(b.tickets) == 1 {
		return false, nil
	}
	if b.seen.since != b.since {
		b.seen = watched{b.since, total}
	}
	elsewhere := free || total-b.seen.total >= uint64(blockedShare*conns)
	if at-b.since < int64(blockedTime) || !elsewhere || b.tickets[0].class != QuickRead {
		return true, nil
	}
	for i, t := range b.tickets[1:] {
		if t.turn == nil {
			continue // has been taken out before
		}
		b.tickets[1+i] = &ticket{flight: b.sharing.Replace(t.flight), class: QuickRead, sent: t.sent}
		t.conn, t.shared, t.alone = nil, false, true
		behind = append(behind, t)
	}
	return true, behind
}
