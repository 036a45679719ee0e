package pool

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// A server that has no room for another connection (53300) is not asked again
// and again. While we have others, the place in the pool stays occupied by the
// attempt, which pauses and tries again, and who waited for it goes back in
// line: so the pool is as large as there is room. While we have none, everybody
// is told at once what the server said, for a moment.
type crowd struct {
	refusal atomic.Pointer[refusal]
	dialing atomic.Int64 // attempts under way
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

var errCrowded = errors.New("the server has no room for another connection")

// attempt is in the context of who waits for a connection.
type attempt struct{ context.CancelCauseFunc }

type attemptKey struct{}

// crowded reports whether the server has refused a connection for want of room.
func crowded(err error) bool {
	var said *pgwire.Error
	return errors.As(err, &said) && said.Code == "53300"
}

// live is how many connections there are.
func (p *Pool) live() int64 { return p.opened.Load() - p.closed.Load() }

// dial connects, now or when there is room.
func (p *Pool) dial(ctx context.Context, c *Conn) error {
	pause := firstPause
	for {
		if r := p.crowd.refusal.Load(); r != nil && p.live() == 0 && time.Now().Before(r.until) {
			return r.err
		}
		// A flush meanwhile is not about a connection still to be made.
		c.generation = p.generation.Load()
		var err error
		p.crowd.dialing.Add(1)
		if c.Conn, err = pgwire.Connect(ctx, p.o.Config); err == nil {
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
		if a, ok := ctx.Value(attemptKey{}).(attempt); ok {
			a.CancelCauseFunc(errCrowded)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
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

// acquire is one attempt to get a resource of puddle's.
func (p *Pool) acquire(ctx context.Context) (*puddleResource, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	res, err := p.puds.Acquire(context.WithValue(ctx, attemptKey{}, attempt{cancel}))
	if err != nil && context.Cause(ctx) == errCrowded {
		return nil, errCrowded
	}
	return res, err
}
