package compare

import (
	"context"
	"sync"
	"time"
)

// pace lets requests start at a bounded rate, evenly.
type pace struct {
	every time.Duration

	mu   sync.Mutex
	next time.Time // when the next one may start
}

func newPace(perSecond float64) *pace {
	return &pace{every: time.Duration(float64(time.Second) / perSecond)}
}

// wait returns when the caller may start. A pause does not let later requests start earlier.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	t := time.NewTimer(at.Sub(now))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
