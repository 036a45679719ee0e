package pool

import (
	"context"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// A busy pool serves more requests with less CPU time if it pipelines: a connection
// that becomes free takes the head of the queue and some of the flights behind it,
// and sends them as one batch, in one write. The price is head-of-line blocking: a
// flight that takes long delays those behind it in the batch. These rules bound it:
//
//   - Only flights that are known to be quick share.
//   - Flights do not share while the pool may grow. While a connection is idle, reads
//     that arrive at the same moment share (see Pool.wait), and writes do not.
//   - Each free connection takes the head of the queue first. Flights that share with
//     it may come from behind others that do not share; the next free connection takes
//     those. So a caller behind n others waits for at most n connections to become free.
//   - A batch is the connection's part of the queue, and at most Options.Depth.
//   - Reads behind a blocked read are sent again on another connection (resend.go).
//   - Writes cannot be sent twice. So a write shares only with writes of the same
//     statements, and only if locks on rows hardly ever block it (see QuickWrite): a
//     lock on the table, which may block one of them, blocks all of them.

// maxDepth is the most flights in a batch.
const maxDepth = 64

// batch has the flights that share a connection.
type batch struct {
	chosen  []*ticket // to be sent
	sharing pgwire.Sharing

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
		c = t.conn
		if t.shared {
			timing, err := c.receive(t)
			timing.Waited = waited
			return timing, err
		}
	}
	defer c.Release() // also when a sink panics
	sent := now()
	err := c.Run(ctx, f)
	timing := c.timing(sent, sent, now(), err)
	timing.Waited = waited
	return timing, err
}

// fill takes the next batch of a free connection out of the queue. Called under
// Pool.mu; the queue is not empty.
func (p *Pool) fill(c *Conn) {
	head := p.queue.pop()
	batch := append(c.batch.chosen[:0], head)
	if size := p.batchSize(head); size > 1 {
		t := p.queue.first
		for looks := 4 * size; t != nil && len(batch) < size && looks > 0; looks-- {
			next := t.next
			if t.sharesWith(head) {
				p.queue.remove(t)
				batch = append(batch, t)
			}
			t = next
		}
	}
	c.batch.chosen = batch
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
	return min(p.o.Depth, 1+p.queue.len/max(1, int(p.live()))) // the connection's part of the queue
}

func (t *ticket) sharesWith(head *ticket) bool {
	return t.flight != nil && t.class == head.class && !t.alone &&
		(t.class != QuickWrite || t.flight.SameStatements(head.flight))
}

// send sends the batch that fill has chosen, or lends the connection to its head.
func (c *Conn) send() {
	b := &c.batch
	chosen, head := b.chosen, b.chosen[0]
	head.conn = c
	c.permit, head.permit = head.permit, false
	n, sent := 0, now()
	if head.flight != nil && head.class.shares() {
		c.Conn.Share(&b.sharing)
		for n < len(chosen) && b.sharing.Append(chosen[n].flight) {
			t := chosen[n]
			t.conn, t.shared, t.sent = c, true, sent
			n++
		}
		if n == 0 { // a statement has not been parsed on this connection
			c.Conn.Unshare()
		}
	}
	if rest := chosen[max(n, 1):]; len(rest) > 0 {
		c.pool.putBack(rest)
	}
	if n > 0 {
		b.mu.Lock()
		b.tickets, b.since = append(b.tickets[:0], chosen[:n]...), sent
		b.mu.Unlock()
		b.sharing.Flush()
	}
	clear(chosen)
	if n > 1 {
		c.pool.watch.start()
	}
	head.turn <- struct{}{}
}

// putBack puts tickets back in their places in the queue.
func (p *Pool) putBack(tickets []*ticket) {
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
	p.serve()
}

// receive reads the response to the first flight of the batch.
func (c *Conn) receive(t *ticket) (Timing, error) {
	at := int64(0)
	defer func() { c.pass(at) }() // also when a sink panics
	err := c.batch.sharing.Receive(t.flight)
	at = now()
	return c.timing(t.sent, c.batch.since, at, err), err
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
