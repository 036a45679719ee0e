package pool

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/backoff"
)

// A server that has no room for another connection (53300) is not asked again
// and again. While the pool has other connections, the attempt pauses and tries
// again, and keeps its place in the pool: so the pool is as large as there is
// room. While the pool has no connection, all callers get the server's error at
// once, for a moment.
type crowd struct {
	refusal atomic.Pointer[refusal]
	dialing atomic.Int64 // attempts under way
	pausing atomic.Int64 // attempts that pause
}

type refusal struct {
	err   error
	until time.Time
}

const (
	firstPause = time.Second
	lastPause  = 8 * time.Second
	// refusalTime is how long a refusal stands in for the next ones.
	refusalTime = 200 * time.Millisecond
	// shortPause is for the first connections of all, one of which may just be
	// being made.
	shortPause = 50 * time.Millisecond
)

// crowded reports whether the server has refused a connection for want of room.
func crowded(err error) bool {
	var said *pgwire.Error
	return errors.As(err, &said) && said.Code == pgwire.TooManyConnections
}

// live is how many connections there are.
func (p *Pool) live() int64 { return p.opened.Load() - p.closed.Load() }

// dial connects, now or when there is room.
func (p *Pool) dial(ctx context.Context, c *Conn) error {
	pauses := backoff.Backoff{First: firstPause, Last: lastPause}
	for {
		if r := p.crowd.refusal.Load(); r != nil && p.live() == 0 && time.Now().Before(r.until) {
			return r.err
		}
		// A flush meanwhile is not about a connection still to be made.
		c.generation = p.generation.Load()
		var err error
		p.crowd.dialing.Add(1)
		if c.Conn, err = p.open(ctx); err == nil {
			p.opened.Add(1) // before it is no attempt any more
		}
		others := p.crowd.dialing.Add(-1)
		if !crowded(err) {
			return err
		}
		if p.live() == 0 && others > 0 {
			if err := sleep(ctx, shortPause); err != nil {
				return err
			}
			continue
		}
		if p.live() == 0 {
			p.crowd.refusal.Store(&refusal{err, time.Now().Add(refusalTime)})
			return err
		}
		p.refused.Add(1)
		p.tell(Event{Kind: Crowded, Conn: c.number, Err: err})
		p.crowd.pausing.Add(1)
		err = sleep(ctx, pauses.Next())
		p.crowd.pausing.Add(-1)
		if err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
