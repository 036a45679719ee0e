package pool

import (
	"context"
	"time"
)

// Acquire lends a connection. Conn.Release gives it back.
func (p *Pool) Acquire(ctx context.Context) (*Conn, error) { return p.AcquireFor(ctx, Alone) }

// AcquireFor is Acquire for a flight of a class. It makes a difference only for Slow,
// because the caller does not share the connection.
func (p *Pool) AcquireFor(ctx context.Context, class Class) (*Conn, error) {
	if c := p.takeIdle(class); c != nil {
		return c, nil
	}
	began := now()
	t := p.newTicket(nil, class)
	defer p.recycle(ctx, t)
	if err := p.wait(ctx, t); err != nil {
		return nil, err
	}
	t.conn.waited = time.Duration(now() - began)
	return t.conn, nil
}

// takeIdle returns an idle connection that the caller may use, or nil. While others
// wait, free connections are for them.
func (p *Pool) takeIdle(class Class) *Conn {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 || p.queue.len > 0 || class == Slow && !p.slow.take() {
			p.mu.Unlock()
			return nil
		}
		c := p.popIdle()
		c.permit = class == Slow && p.slow.limited
		p.mu.Unlock()
		if p.fit(c) {
			p.tell(Event{Kind: Acquired, Conn: c.number})
			c.waited = 0
			return c
		}
	}
}

// popIdle takes a connection from the idle list. Called under Pool.mu; the list is
// not empty.
func (p *Pool) popIdle() *Conn {
	last := len(p.idle) - 1
	c := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return c
}

// handOn gives a free connection to the head of the queue, or to the idle list.
func (p *Pool) handOn(c *Conn) {
	c.idleSince = now()
	p.mu.Lock()
	p.returnPermit(&c.permit)
	switch {
	case p.shut || c.generation != p.generation.Load():
		p.mu.Unlock()
		c.discard(p.closeReason(c, 0))
	case p.queue.len == 0:
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	default:
		p.fill(c)
		p.mu.Unlock()
		p.tell(Event{Kind: Acquired, Conn: c.number})
		c.send()
	}
}

// serve gives idle connections to callers in the queue, and grows the pool if more
// connections are needed. It is called after callers have joined the queue, unless
// handOn follows.
func (p *Pool) serve() {
	for {
		p.mu.Lock()
		if p.queue.len == 0 || len(p.idle) == 0 {
			p.grow()
			p.mu.Unlock()
			return
		}
		c := p.popIdle()
		p.mu.Unlock()
		if p.fit(c) {
			p.handOn(c)
		}
	}
}
