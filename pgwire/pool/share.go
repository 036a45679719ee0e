package pool

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// A busy pool serves more requests with less CPU time if it pipelines: a connection
// that becomes free takes the head of the queue and some of the flights behind it,
// and sends them as one batch, in one write. When one response of the batch is
// outstanding, more flights of the queue follow. So the server always has work and is
// woken less often. The price is head-of-line blocking: a flight that takes long delays
// those behind it in the batch. These rules bound it:
//
//   - Only flights that are known to be quick share.
//   - Flights do not share while the pool may grow. While a connection is idle, reads
//     that arrive at the same moment share (see Pool.wait), and writes do not.
//   - The head of the queue is always served first, by a free connection or by a batch
//     that it may share. Flights that share with it may come from behind others that do
//     not share. While the head is a flight that shares with no batch, nothing follows on
//     any batch, and the next free connection takes it.
//   - A connection takes at most twice its part of the queue at once (see portion), and at
//     most Options.Depth flights.
//   - Reads behind a blocked read are sent again on another connection (resend.go).
//   - Writes cannot be sent twice. So a write shares only with writes of the same
//     statements, and only if locks on rows hardly ever block it (see QuickWrite): a
//     lock on the table, which may block one of them, blocks all of them.

// maxDepth is the most flights that are added to a batch at once.
const maxDepth = 64

// batch has the flights that share a connection.
type batch struct {
	chosen  []*ticket // to be sent
	sharing pgwire.Sharing
	closed  bool // no more flights follow

	mu      sync.Mutex // guards the fields below
	tickets []*ticket  // sent, in order; the response to the first is being received
	since   int64      // when it became the first, in ns since start
	seen    watched
}

// Run runs a flight and returns its times, also those of a flight that failed. A
// flight does not share a connection if its context can end.
func (p *Pool) Run(ctx context.Context, f *pgwire.Flight, class Class) (Timing, error) {
	if class.shares() && (p.o.Depth <= 1 || ctx.Done() != nil) {
		class = Alone
	}
	var c *Conn
	var waited time.Duration
	if class != QuickRead {
		c = p.takeIdle(class)
	}
	if c == nil {
		began := now()
		t := p.newTicket(f, class)
		defer p.recycle(ctx, t)
		err := p.wait(ctx, t)
		waited = time.Duration(now() - began)
		if err != nil {
			return Timing{Waited: waited}, err
		}
		switch c = t.conn; {
		case t.done:
			t.timing.Waited = waited
			return t.timing, nil
		case t.shared:
			timing, err := c.receive(t)
			timing.Waited = waited
			return timing, err
		case t.grouped():
			timing, err := c.runGroup(ctx, t)
			timing.Waited = waited
			return timing, err
		}
	}
	timing, err := c.runAlone(ctx, f)
	timing.Waited = waited
	return timing, err
}

// runAlone runs a flight and releases the connection.
func (c *Conn) runAlone(ctx context.Context, f *pgwire.Flight) (Timing, error) {
	defer c.Release() // also when a sink panics
	sent := now()
	err := c.Run(ctx, f)
	return c.timing(sent, sent, now(), err), err
}

// fill takes the next batch of a free connection out of the queue. Called under
// Pool.mu; the queue is not empty.
func (p *Pool) fill(c *Conn) {
	head := p.queue.pop()
	c.batch.chosen = p.takeSharers(append(c.batch.chosen, head), head, p.batchSize(head))
}

// takeSharers moves flights that share with head from the queue to batch, until it has
// size of them, and those that merge with one of these to its group. Called under
// Pool.mu.
func (p *Pool) takeSharers(batch []*ticket, head *ticket, size int) []*ticket {
	t := p.queue.first
	merges := p.mergesWith(head)
	looks := 4 * size
	if merges {
		looks = max(looks, groupLooks)
	}
	for ; t != nil && (merges || len(batch) < size) && looks > 0; looks-- {
		next := t.next
		switch {
		case merges && t.joinGroup(batch):
			p.queue.remove(t)
		case len(batch) < size && t.sharesWith(head):
			p.queue.remove(t)
			batch = append(batch, t)
		}
		t = next
	}
	return batch
}

// batchSize is the most flights in a batch with this head. Called under Pool.mu.
func (p *Pool) batchSize(head *ticket) int {
	switch {
	case head.flight == nil || !head.class.shares() || head.alone:
		return 1
	case len(p.idle) > 0 && head.class == QuickRead:
		return p.o.Depth
	case len(p.idle) > 0 || p.growing():
		return 1
	}
	return p.portion()
}

// portion is how many flights a connection takes from the queue at once: twice its part
// of the queue, so that batches are fewer and larger. Called under Pool.mu.
func (p *Pool) portion() int {
	return min(p.o.Depth, 1+2*p.queue.len/max(1, int(p.live())))
}

func (t *ticket) sharesWith(head *ticket) bool {
	return t.flight != nil && t.class == head.class && !t.alone &&
		(t.class != QuickWrite || t.flight.SameStatements(head.flight))
}

// send sends the batch that fill has chosen, or lends the connection to its head.
func (c *Conn) send() {
	b := &c.batch
	head := b.chosen[0]
	head.conn = c
	c.permit, head.permit = head.permit, false
	shared := 0
	if head.flight != nil && head.class.shares() {
		b.closed = false
		c.Conn.Share(&b.sharing)
		if shared = c.appendChosen(); shared == 0 { // a statement has not been parsed on this connection
			c.Conn.Unshare()
		}
	}
	if rest := b.chosen[max(shared, 1):]; len(rest) > 0 {
		c.pool.putBack(rest)
	}
	if shared > 0 {
		b.sharing.Flush()
	}
	if shared > 1 {
		c.pool.watch.start()
	}
	b.clearChosen()
	head.turn <- struct{}{}
}

// appendChosen appends the chosen flights to the batch, and returns how many the
// connection took.
func (c *Conn) appendChosen() (n int) {
	b := &c.batch
	sent := now()
	for n < len(b.chosen) && b.sharing.Append(b.chosen[n].sent()) {
		t := b.chosen[n]
		t.conn, t.shared, t.sentAt = c, true, sent
		n++
	}
	b.mu.Lock()
	if len(b.tickets) == 0 {
		b.since = sent
	}
	b.tickets = append(b.tickets, b.chosen[:n]...)
	b.mu.Unlock()
	return n
}

// refill sends more flights of the queue on a connection in use. The goroutine that has
// received a response calls it, before the goroutine of last, the only flight that is
// left of the batch, receives.
func (c *Conn) refill(last *ticket) {
	p, b := c.pool, &c.batch
	runtime.Gosched() // callers that are about to join the queue can follow, too
	p.mu.Lock()
	if p.mayFollow(c, last) {
		b.chosen = p.takeSharers(b.chosen, last, p.portion())
	}
	p.mu.Unlock()
	if len(b.chosen) == 0 {
		return
	}
	n := c.appendChosen()
	if n > 0 {
		b.sharing.Flush()
		p.watch.start()
	}
	if rest := b.chosen[n:]; len(rest) > 0 {
		b.closed = true
		p.putBack(rest)
	}
	b.clearChosen()
}

// mayFollow reports whether the head of the queue may follow a flight on its
// connection. Called under Pool.mu.
func (p *Pool) mayFollow(c *Conn, last *ticket) bool {
	return !c.batch.closed && p.queue.len > 0 && p.queue.first.sharesWith(last) &&
		len(p.idle) == 0 && !p.growing() && !p.shut && p.closeReason(c, 0) == 0 && !c.SuspectsFailover()
}

func (b *batch) clearChosen() {
	clear(b.chosen)
	b.chosen = b.chosen[:0]
}

// putBack puts tickets back in their places in the queue.
func (p *Pool) putBack(tickets []*ticket) {
	if slices.ContainsFunc(tickets, (*ticket).grouped) {
		tickets = splitGroups(tickets)
	}
	p.mu.Lock()
	shut := p.shut
	if !shut {
		for _, t := range tickets {
			p.queue.restore(t)
		}
	}
	p.mu.Unlock()
	if shut { // Close has refused the callers that were in the queue
		for _, t := range tickets {
			p.refuse(t, ErrClosed)
		}
		return
	}
	p.watch.start() // no look has found them while they were not in the queue
	p.serve()
}

// receive reads the response to the first flight of the batch.
func (c *Conn) receive(t *ticket) (timing Timing, err error) {
	at := int64(0)
	err = ErrSplit
	defer func() { // also when a sink panics
		c.pass(at)
		timing, err = t.finish(timing, err)
	}()
	err = c.batch.sharing.Receive(t.sent())
	at = now()
	timing = c.timing(t.sentAt, c.batch.since, at, err)
	return timing, err
}

// receiveDiscarded does the same for a flight that has been sent again on another
// connection. The response there is the one that counts.
func (c *Conn) receiveDiscarded(t *ticket) {
	_ = c.batch.sharing.Receive(t.flight)
	c.pass(now())
}

// pass takes the first flight, whose response ended at at, out of the batch. It gives
// the turn to the next flight or, after the last one, the connection to the pool.
func (c *Conn) pass(at int64) {
	b := &c.batch
	b.mu.Lock()
	n := copy(b.tickets, b.tickets[1:])
	b.tickets[n] = nil
	b.tickets, b.since = b.tickets[:n], at
	var next *ticket
	if n > 0 {
		next = b.tickets[0]
	}
	b.mu.Unlock()
	if n == 1 && !next.discarded() {
		c.refill(next)
	}
	switch {
	case next == nil:
		c.Conn.Unshare()
		c.Release()
	case next.discarded():
		go c.receiveDiscarded(next)
	default:
		next.turn <- struct{}{}
	}
}
