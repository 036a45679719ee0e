package pool

import (
	"errors"
	"time"
)

// Reads of a batch whose head is blocked, by a lock for example, have not begun.
// They get their places in the queue again, to be sent on another connection. The
// server also runs them on this connection when the head is done. Those responses
// are discarded, and a flight that takes long is cancelled.

const (
	// blockedTime is how long a flight that is known to be quick may take before it
	// counts as blocked.
	blockedTime = 10 * time.Millisecond
	// blockedShare is how many responses per connection the pool has received since,
	// where no connection is idle. On a busy machine a quick flight may have to wait
	// for a processor, and sending others again would add to the load.
	blockedShare = 8
	// discardedTime is how long a flight may take whose response is discarded. A
	// cancel request that comes too late costs the connection.
	discardedTime = 500 * time.Millisecond
)

var errResent = errors.New("sent again on another connection")

// watched is the state of a batch at the last look.
type watched struct {
	since     int64  // of the batch
	responses uint64 // of the pool by then
}

// resendBlocked sends reads behind blocked ones again. free: another connection is
// idle or can be made. It reports whether flights share connections at all.
func (p *Pool) resendBlocked(conns []*Conn, at int64, free bool) (shared bool) {
	var responses uint64
	for _, c := range conns {
		responses += c.responses.Load()
	}
	for _, c := range conns {
		busy, behind := c.batch.takeBlocked(at, responses, free, len(conns))
		shared = shared || busy
		if len(behind) > 0 {
			p.resent.Add(int64(len(behind)))
			p.putBack(behind)
		}
	}
	return shared
}

// takeBlocked reports whether flights share the connection, and takes those out that
// are behind a blocked one.
func (b *batch) takeBlocked(at int64, responses uint64, free bool, conns int) (shared bool, behind []*ticket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.tickets) == 0 {
		return false, nil
	}
	if b.tickets[0].discarded() { // and so are those behind it
		if at-b.since >= int64(discardedTime) {
			b.tickets[0].flight.Abandon(errResent)
		}
		return true, nil
	}
	if len(b.tickets) == 1 {
		return false, nil
	}
	if b.seen.since != b.since {
		b.seen = watched{b.since, responses}
	}
	elsewhere := free || responses-b.seen.responses >= uint64(blockedShare*conns)
	if at-b.since < int64(blockedTime) || !elsewhere || b.tickets[0].class != QuickRead {
		return true, nil
	}
	for i, t := range b.tickets[1:] {
		if t.discarded() {
			continue
		}
		b.tickets[1+i] = &ticket{flight: b.sharing.Replace(t.sent()), class: QuickRead, sentAt: t.sentAt}
		t.conn, t.shared = nil, false
		n := len(behind)
		behind = t.split(behind)
		for _, t := range behind[n:] {
			t.alone = true
		}
	}
	return true, behind
}
