package compare

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// patience is the number of failed requests in a row after which the replay ends.
const patience = 20

// replay sends requests to both servers and has the responses judged.
type replay struct {
	old, new    asker
	judge       judge
	tokens      *tokens
	rollback    *rollback // nil if nothing is written
	headers     http.Header
	pace        *pace
	concurrency int

	tally            *tally
	oldTook, newTook latency

	mu      sync.Mutex
	failing int // failed requests in a row
}

// asker is a server.
type asker interface {
	ask(ctx context.Context, r *request) *response
}

// run sends requests until the channel is closed, ctx ends, or an error occurs.
func (p *replay) run(ctx context.Context, requests <-chan *request) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var workers sync.WaitGroup
	for range p.concurrency {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case r, more := <-requests:
					if !more {
						return
					}
					if err := p.one(ctx, r); err != nil {
						stop(err)
					}
				}
			}
		})
	}
	workers.Wait()
	var f *failure
	if errors.As(context.Cause(ctx), &f) {
		return f
	}
	return nil // of a signal: the report says what was compared
}

func (p *replay) one(ctx context.Context, logged *request) error {
	r, err := p.prepare(logged, time.Now())
	if err != nil {
		return err
	}
	if p.rollback != nil && r.writes() {
		if err := p.rollback.prove(ctx, r); err != nil {
			return err
		}
		r = withRollback(r)
	}
	v, old, new, err := p.attempt(ctx, r)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if old.Err == nil {
		p.oldTook.add(old.Took)
	}
	if new.Err == nil {
		p.newTook.add(new.Took)
	}
	unstable := false
	if v.Class == different || v.Class == failed {
		first := v
		if v, old, new, err = p.attempt(ctx, r); err != nil || ctx.Err() != nil {
			return err
		}
		v, unstable = agreed(first, v)
	}
	p.tally.add(r, v, unstable, size(old)+size(new))
	return p.watch(r, v)
}

func size(a *response) int64 {
	if a.Body == nil {
		return 0
	}
	return a.Body.size
}

// attempt sends a request to both servers at the same time.
func (p *replay) attempt(ctx context.Context, r *request) (v verdict, old, new *response, err error) {
	if err := p.pace.wait(ctx); err != nil {
		return v, nil, nil, err
	}
	var both sync.WaitGroup
	both.Go(func() { old = p.old.ask(ctx, r) })
	new = p.new.ask(ctx, r)
	both.Wait()
	if p.rollback != nil && r.writes() && ctx.Err() == nil {
		if err := p.rollback.check(r, old, new); err != nil {
			return v, nil, nil, err
		}
	}
	return p.judge.compare(r, old, new), old, new, nil
}

// agreed is what two verdicts have in common. The pair of responses is unstable if it differs only
// once, or in another way each time.
func agreed(first, second verdict) (v verdict, unstable bool) {
	switch {
	case second.Class == failed:
		return second, false
	case first.Class == failed:
		return second, second.Class == different
	case second.Class != different:
		return second, true
	}
	second.Found = slices.DeleteFunc(second.Found, func(d difference) bool {
		return !slices.ContainsFunc(first.Found, func(f difference) bool { return f.Kind == d.Kind })
	})
	return second, len(second.Found) == 0
}

// watch ends the replay if nothing works any more.
func (p *replay) watch(r *request, v verdict) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.Class != failed {
		p.failing = 0
		return nil
	}
	if p.failing++; p.failing >= patience {
		return fail("%d requests in a row failed: %s", patience, visible(mask(v.Why, secretsOf(r))))
	}
	return nil
}

// prepare adds headers and a token to a copy of a request.
func (p *replay) prepare(logged *request, now time.Time) (*request, error) {
	r := *logged
	r.Header = logged.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	for name, values := range p.headers {
		r.Header[name] = values
	}
	if r.Header.Get("Authorization") == "" {
		token, err := p.tokens.forRole(r.Role, now)
		if err != nil {
			return nil, err
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
	return &r, nil
}
