package pool_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

func acquireSlow(tb testing.TB, p *pool.Pool) *pool.Conn {
	tb.Helper()
	c, err := p.AcquireFor(bg, pool.Slow)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// reserving has the options of a pool of five connections, three of which slow flights may use.
func reserving(tb testing.TB) pool.Options {
	o := shared(tb)
	o.MaxConns, o.Reserve = 5, 2
	return o
}

// TestReserve: slow callers do not get the last connections, whether these are idle or not made
// yet. They wait in order of arrival. Other callers may take all connections.
func TestReserve(t *testing.T) {
	p := open(t, reserving(t))
	var held []*pool.Conn
	for range 3 {
		held = append(held, acquireSlow(t, p))
	}
	order := make(chan int, 4)
	for i := range cap(order) {
		go func() {
			c, err := p.AcquireFor(bg, pool.Slow)
			if err != nil {
				t.Error(err)
				order <- -1
				return
			}
			order <- i
			c.Release()
		}()
		eventually(t, "a queue", func() bool { s := p.Stats(); return s.Queued == i+1 && s.Waiting == i+1 })
	}
	for range 3 { // one after the other finds the other two, made or not
		a, b := acquire(t, p), acquire(t, p)
		var f pgwire.Flight
		if err := a.Run(bg, &f); err != nil {
			t.Error(err)
		}
		a.Release()
		b.Release()
	}
	if s := p.Stats(); s.Queued != 4 || s.InUse != 3 || s.Idle != 2 {
		t.Errorf("%+v", s)
	}
	held[0].Release()
	for i := range cap(order) {
		if got := <-order; got != i {
			t.Errorf("place %d went to %d", i, got)
		}
	}
	held[1].Release()
	held[2].Release()
	// Other callers may take all connections.
	held = held[:0]
	for range 5 {
		held = append(held, acquire(t, p))
	}
	for _, c := range held {
		c.Release()
	}
	if s := p.Stats(); s.Queued != 0 || s.Waiting != 0 || s.Idle != 5 {
		t.Errorf("%+v", s)
	}
}

// TestReserveOff: slow callers may take all connections if the pool has no reserve, or if the
// reserve would leave them fewer than two.
func TestReserveOff(t *testing.T) {
	for _, c := range []struct{ conns, reserve int }{{3, 2}, {1, 2}, {3, 0}, {2, 5}} {
		t.Run(fmt.Sprint(c.conns, " ", c.reserve), func(t *testing.T) {
			o := shared(t)
			o.MaxConns, o.Reserve = c.conns, c.reserve
			p := open(t, o)
			var held []*pool.Conn
			for range c.conns {
				held = append(held, acquireSlow(t, p))
			}
			for _, c := range held {
				c.Release()
			}
		})
	}
}

// TestReserveTimeout: the wait for a permit counts towards AcquireTimeout. A caller that times
// out, leaves or is refused returns its permit.
func TestReserveTimeout(t *testing.T) {
	o := reserving(t)
	o.AcquireTimeout, o.MaxWaiters = 50*time.Millisecond, 2
	p := open(t, o)
	insist := func(class pool.Class) *pool.Conn { // a connection may take longer to make
		for {
			c, err := p.AcquireFor(bg, class)
			if err == nil {
				return c
			}
			if err != pool.ErrAcquireTimeout {
				t.Error(err)
			}
		}
	}
	held := []*pool.Conn{insist(pool.Slow), insist(pool.Slow), insist(pool.Slow), insist(pool.Alone), insist(pool.Alone)}
	timeouts := p.Stats().AcquireTimeouts
	if _, err := p.AcquireFor(bg, pool.Slow); err != pool.ErrAcquireTimeout {
		t.Errorf("after a while in the queue: %v", err)
	}
	if n := p.Stats().AcquireTimeouts - timeouts; n != 1 {
		t.Errorf("%d timeouts counted, want 1", n)
	}
	held[0].Release() // a permit, and then a connection, but not for long
	held = append(held[1:], insist(pool.Alone))
	if _, err := p.AcquireFor(bg, pool.Slow); err != pool.ErrAcquireTimeout {
		t.Errorf("with a permit, but without a connection: %v", err)
	}
	for _, c := range held {
		c.Release()
	}

	o.AcquireTimeout = time.Minute
	p = open(t, o)
	held = []*pool.Conn{acquireSlow(t, p), acquireSlow(t, p), acquireSlow(t, p), acquire(t, p), acquire(t, p)}
	left := make(chan error, 2)
	waiters := []*waiter{newWaiter(), newWaiter()}
	for i, w := range waiters {
		go func() {
			var f pgwire.Flight
			_, err := p.Run(w, &f, pool.Slow)
			left <- err
		}()
		eventually(t, "a queue", func() bool { return p.Stats().Queued == i+1 })
	}
	if _, err := p.AcquireFor(newWaiter(), pool.Slow); err != pool.ErrTooManyWaiting {
		t.Errorf("one too many: %v", err)
	}
	for _, w := range waiters {
		eventually(t, "called off", func() bool { return w.callOff(errGone) })
		if err := <-left; err != errGone {
			t.Errorf("called off: %v", err)
		}
	}
	for _, c := range held {
		c.Release()
	}
	for range 3 { // all permits are there again
		held = append(held, acquireSlow(t, p))
	}
	if s := p.Stats(); s.Queued != 0 || s.Waiting != 0 || s.InUse != 3 {
		t.Errorf("%+v", s)
	}
	for _, c := range held[len(held)-3:] {
		c.Release()
	}
}

// TestReserveClosed: Close also refuses callers that wait for a permit.
func TestReserveClosed(t *testing.T) {
	p := open(t, reserving(t))
	held := []*pool.Conn{acquireSlow(t, p), acquireSlow(t, p), acquireSlow(t, p)}
	left := make(chan error, 1)
	go func() { _, err := p.AcquireFor(bg, pool.Slow); left <- err }()
	eventually(t, "a queue", func() bool { return p.Stats().Queued == 1 })
	closed := make(chan struct{})
	go func() { p.Close(); close(closed) }()
	if err := <-left; err != pool.ErrClosed {
		t.Error(err)
	}
	for _, c := range held {
		c.Release()
	}
	<-closed
}

// TestReserveHolds mixes all classes, with connections that are lost, sinks that wait and
// waiters that leave. The number of slow flights stays within the permits, and in the end all
// permits are free.
func TestReserveHolds(t *testing.T) {
	o := reserving(t)
	o.Depth, o.MaxLifetime = 8, 300*time.Millisecond
	p := open(t, o)
	var (
		slow, most, lost, gone atomic.Int64
		group                  sync.WaitGroup
		sleep                  = pgwire.NewStmt("select pg_sleep(0.002)")
		one                    = pgwire.NewStmt("select 1")
	)
	for i := range 12 {
		group.Go(func() {
			for j := range 60 {
				w := newWaiter()
				if (i+j)%5 == 0 {
					go func() {
						if w.callOff(errGone) {
							gone.Add(1)
						}
					}()
				}
				c, err := p.AcquireFor(w, pool.Slow)
				if err == errGone {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				n := slow.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				var f pgwire.Flight
				f.Add(sleep, nil)
				if err := c.Run(bg, &f); err != nil {
					t.Error(err)
				}
				if (i+j)%11 == 0 {
					lost.Add(1)
					c.Close() // broken in its borrower's hands
				}
				slow.Add(-1)
				c.Release()
			}
		})
		group.Go(func() {
			var f pgwire.Flight
			for j := range 200 {
				f.Reset()
				f.Add(one, nil)
				if err := run(p, &f, []pool.Class{pool.Alone, pool.QuickRead}[j%2]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if most.Load() != 3 || lost.Load() == 0 {
		t.Errorf("at most %d slow ones at once, want 3; %d lost", most.Load(), lost.Load())
	}
	eventually(t, "quiet", func() bool { s := p.Stats(); return s.InUse+s.Connecting+s.Waiting+s.Queued == 0 })
	var held []*pool.Conn
	for range 3 {
		held = append(held, acquireSlow(t, p))
	}
	for _, c := range held {
		c.Release()
	}
}
