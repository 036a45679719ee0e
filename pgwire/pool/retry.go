package pool

import (
	"context"
	"errors"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// What follows a failed attempt to connect:
//
// While the pool has other connections, callers wait for those. The attempt keeps
// its place in the pool, pauses, and is repeated. So the pool is as large as the
// server allows, and the server is not asked again and again.
//
// While the pool has no connection, the caller at the head of the queue gets the
// error at once. If the server has no room for another connection (53300), the same
// error answers all callers for refusalTime.

const (
	lastPause = 8 * time.Second
	// refusalTime is how long a refusal stands in for the next ones.
	refusalTime = 200 * time.Millisecond
	// shortPause is for the first connections of a pool. The server refuses one for
	// want of room, while another one is being established.
	shortPause = 50 * time.Millisecond
)

// firstPause is the pause after the first failure. It doubles up to lastPause. Only
// tests change it.
var firstPause = time.Second

// retries is the state of the attempts to connect, under Pool.mu.
type retries struct {
	dialing int // attempts that wait for the server
	pausing int // attempts that pause while the pool has other connections

	refusal      error // the server has no room, and the pool no connection
	refusalUntil time.Time
}

// beginDial counts an attempt, or returns the refusal that stands in for it.
func (p *Pool) beginDial() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal != nil && p.live() == 0 && time.Now().Before(p.refusalUntil) {
		return p.refusal
	}
	p.refusal = nil
	p.dialing++
	return nil
}

// outcome says what to do after a failed attempt.
type outcome uint8

const (
	giveUp     outcome = iota
	retrySoon          // after shortPause
	retryLater         // after a growing pause; counted as pausing
)

// afterFailure decides under Pool.mu, so that the attempt either sees that the last
// connection is closed, or pauses before vacate starts another attempt.
func (p *Pool) afterFailure(err error) outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.life.Err() != nil || err == p.refusal:
		return giveUp
	case p.live() > 0:
		p.pausing++
		return retryLater
	case !crowded(err):
		return giveUp
	case p.dialing > 0:
		return retrySoon
	}
	p.refusal, p.refusalUntil = err, time.Now().Add(refusalTime)
	return giveUp
}

// crowded reports whether the server has no room for another connection.
func crowded(err error) bool {
	var said *pgwire.Error
	return errors.As(err, &said) && said.Code == pgwire.TooManyConnections
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
