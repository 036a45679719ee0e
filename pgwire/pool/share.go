package pool

import (
	"context"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// A busy pool answers more requests with less CPU if it pipelines: when a
// connection becomes free, the head of the queue and some of those behind it are
// sent on it as one batch, in one write. The price is head-of-line blocking: a
// flight that takes long delays those behind it in the batch. So there are rules:
//
//   - Only flights share that are known to be quick.
//   - Nothing shares while the pool may grow. While a connection is idle, reads
//     share that arrive at the same moment (see Pool.wait), and writes do not.
//   - Each free connection takes the head of the queue first. What shares with it
//     may come from behind others that do not share, but the next free connection
//     takes those. So a caller that has n others before it waits for n connections
//     to become free at most.
//   - A batch is this connection's part of the queue, and Options.Depth at most.
//   - Reads behind a blocked read are sent again on another connection (watch.go).
//   - Writes cannot be sent twice. So a write shares only with writes of the same
//     statements, and only if locks on rows hardly ever block it (see QuickWrite):
//     what blocks one of them, a lock on the table, then blocks all.

// Class is how a flight may be run.
type Class int32

const (
	// Alone: on a connection of its own.
	Alone Class = iota
	// QuickRead promises an implicit transaction that only reads and is known to be
	// quick.
	QuickRead
	// QuickWrite promises an implicit transaction that is known to be quick, and that
	// no lock on a row is likely to block: an insert.
	QuickWrite
	// Slow: alone, and with what is slow too not on all connections; see Options.Reserve.
	Slow
)

func (class Class) shares() bool { return class == QuickRead || class == QuickWrite }

// maxDepth is the most flights there can be on one connection.
const maxDepth = 64

// batch is what has been sent on a connection and not been answered.
type batch struct {
	chosen  []*ticket // to be sent
	sharing pgwire.Sharing

	mu      sync.Mutex // over what follows
	tickets []*ticket  // sent, in order; the first is being received
	since   int64      // when it became the first, in ns since start
	seen    watched
}

// Run runs a flight and returns its times, also those of a flight that failed.
// The end of ctx does not interrupt a flight that shares a connection.
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

// fill takes the flights that a free connection sends next out of the queue, as
// its batch. Called under Pool.mu; the queue is not empty.
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

// batchSize is how many flights may be in a batch with such a head.
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

// send sends the flights that fill has chosen, or hands the connection over.
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

// putBack gives tickets their places in the queue again.
func (p *Pool) putBack(tickets []*ticket) {
	p.mu.Lock()
	shut := p.shut
	if !shut {
		for _, t := range tickets {
			p.queue.restore(t)
		}
	}
	p.mu.Unlock()
	if shut { // Close has refused those that were in the queue
		for _, t := range tickets {
			p.refuse(t, ErrClosed)
		}
		return
	}
	p.serve()
}

// receive reads the response to the flight at the head of the batch.
func (c *Conn) receive(t *ticket) (Timing, error) {
	at := int64(0)
	defer func() { c.pass(at) }() // also when a sink panics
	err := c.batch.sharing.Receive(t.flight)
	at = now()
	return c.timing(t.sent, c.batch.since, at, err), err
}

// receiveDiscarded does the same for a flight that has been sent again on another
// connection, where its response counts.
func (c *Conn) receiveDiscarded(t *ticket) {
	_ = c.batch.sharing.Receive(t.flight)
	c.pass(now())
}

// pass takes the head out of the batch, and gives the turn to the next flight, or
// the connection back.
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
	case next.turn == nil: // it has been sent elsewhere, and no caller waits for it here
		go c.receiveDiscarded(next)
	default:
		next.turn <- struct{}{}
	}
}
