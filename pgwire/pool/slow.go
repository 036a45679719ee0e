package pool

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// What is known to be slow may hold all connections but a few, and waits for
// its like: so what is brief finds a connection, or others to go along with,
// however many slow ones there are. What is not known yet is not held up.
//
// Only slow ones meet any of this. Each needs a permit before it asks for a
// connection, in order of arrival, and returns it with the connection.
type permits struct {
	free    *semaphore.Weighted // nil: as many as there are connections
	waiting atomic.Int64
}

// leastPermits: where fewer would be left for slow ones, nothing is reserved,
// or they would wait for each other while connections are idle.
const leastPermits = 2

func (s *permits) init(conns, reserve int) {
	if n := conns - reserve; reserve > 0 && n >= leastPermits {
		s.free = semaphore.NewWeighted(int64(n))
	}
}

// needed reports whether a permit is needed.
func (s *permits) needed(how Manner) bool { return how == Slow && s.free != nil }

// wait waits for a permit.
func (s *permits) wait(ctx context.Context) error {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	return s.free.Acquire(ctx, 1)
}

// takeFree returns an idle connection, nil if there is none, or none for what
// is slow.
func (p *Pool) takeFree(how Manner) *Conn {
	if !p.slow.needed(how) {
		return p.takeIdle() // fast path
	}
	if !p.slow.free.TryAcquire(1) {
		return nil
	}
	c := p.takeIdle()
	if c == nil {
		p.slow.free.Release(1)
		return nil
	}
	c.permit = true
	return c
}

// waitFor waits for a connection, and for a permit before that if need be.
func (p *Pool) waitFor(ctx context.Context, how Manner) (*Conn, error) {
	if !p.slow.needed(how) {
		return p.line(ctx)
	}
	if err := p.slow.wait(ctx); err != nil {
		return nil, p.whyNot(ctx, err)
	}
	c, err := p.line(ctx)
	if err != nil {
		p.slow.free.Release(1)
		return nil, err
	}
	c.permit = true
	return c, nil
}
