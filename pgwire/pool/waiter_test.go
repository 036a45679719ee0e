package pool_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// waiter is a Waiter that can be made to leave.
type waiter struct {
	context.Context
	mu      sync.Mutex
	leave   context.CancelCauseFunc
	refuses error
	waits   int // how often it has begun to wait
}

func newWaiter() *waiter { return &waiter{Context: bg} }

func (w *waiter) Waiting(leave context.CancelCauseFunc) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if leave != nil {
		w.waits++
		if w.refuses != nil {
			return w.refuses
		}
	}
	w.leave = leave
	return nil
}

func (w *waiter) callOff(cause error) (waited bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leave == nil {
		return false
	}
	w.leave(cause)
	return true
}

var errGone = errors.New("gone")

// TestWaiterLeaves: a caller leaves the queue, and those behind it move up.
func TestWaiterLeaves(t *testing.T) {
	o := shared(t)
	o.MaxConns = 1
	p := open(t, o)
	c := acquire(t, p)
	first, second := newWaiter(), newWaiter()
	left, got := make(chan error, 1), make(chan *pool.Conn, 1)
	go func() { _, err := p.Acquire(first); left <- err }()
	eventually(t, "the first waits", func() bool { return p.Stats().Waiting == 1 })
	go func() {
		var f pgwire.Flight
		f.Add(pgwire.NewStmt("select 1"), nil)
		if _, err := p.Run(second, &f, pool.Alone); err != nil {
			t.Error(err)
		}
		got <- nil
	}()
	eventually(t, "the second waits", func() bool { return p.Stats().Waiting == 2 })
	eventually(t, "the first can be called off", func() bool { return first.callOff(errGone) })
	if err := <-left; err != errGone {
		t.Errorf("the first left with %v", err)
	}
	eventually(t, "one waits", func() bool { return p.Stats().Waiting == 1 })
	c.Release()
	<-got
	if second.callOff(errGone) {
		t.Error("the second is still said to wait")
	}
	if s := p.Stats(); s.AcquireTimeouts != 0 || s.Established != 1 {
		t.Errorf("stats: %+v", s)
	}

	// Waiting is called only if the caller has to wait. Its error ends the wait.
	third := newWaiter()
	third.refuses = errGone
	if c, err := p.Acquire(third); err != nil {
		t.Error(err)
	} else {
		if _, err := p.Acquire(third); err != errGone || third.waits != 1 {
			t.Errorf("%v after %d waits, want one", err, third.waits)
		}
		c.Release()
	}
}

// TestMaxWaiters: a caller is refused if MaxWaiters others wait. Callers for which connections
// can be made do not count, and neither do those without a Waiter.
func TestMaxWaiters(t *testing.T) {
	o := shared(t)
	o.MaxConns, o.MaxWaiters = 2, 3
	p := open(t, o)
	var conns sync.WaitGroup
	held := make(chan *pool.Conn, 5)
	take := func(ctx context.Context) {
		conns.Go(func() {
			c, err := p.Acquire(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			held <- c
		})
	}
	for range 5 { // two connections are made, three wait
		take(newWaiter())
	}
	eventually(t, "a full house", func() bool { s := p.Stats(); return s.InUse == 2 && s.Waiting == 3 })
	for range 4 {
		if _, err := p.Acquire(newWaiter()); err != pool.ErrTooManyWaiting {
			t.Errorf("one more: %v", err)
		}
	}
	take(bg)
	eventually(t, "the server's own business waits", func() bool { return p.Stats().Waiting == 4 })
	for range 6 {
		(<-held).Release()
	}
	conns.Wait()
	if s := p.Stats(); s.AcquireTimeouts != 4 || s.Waiting != 0 {
		t.Errorf("stats: %+v", s)
	}
}
