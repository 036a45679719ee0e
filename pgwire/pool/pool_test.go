package pool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var bg = context.Background()

func options(tb testing.TB, uri string) pool.Options {
	tb.Helper()
	cfg, err := pgwire.ParseConfig(uri)
	if err != nil {
		tb.Fatal(err)
	}
	return pool.Options{Config: cfg, MaxConns: 3, AcquireTimeout: time.Minute}
}

func shared(tb testing.TB) pool.Options {
	c := pgtest.Start(tb)
	return options(tb, c.URI("postgres", pgtest.Superuser))
}

func open(tb testing.TB, o pool.Options) *pool.Pool {
	tb.Helper()
	p, err := pool.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	return p
}

func acquire(tb testing.TB, p *pool.Pool) *pool.Conn {
	tb.Helper()
	c, err := p.Acquire(bg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// run runs a flight whose times do not matter.
func run(p *pool.Pool, f *pgwire.Flight, class pool.Class) error {
	_, err := p.Run(bg, f, class)
	return err
}

// eventually waits for a condition.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	if !pgtest.Until(time.Minute, ok) {
		tb.Fatalf("never: %s", what)
	}
}

// events collects the events of a pool.
type events struct {
	mu  sync.Mutex
	all []string
}

var kinds = map[pool.Kind]string{
	pool.Connecting: "connecting", pool.Connected: "connected", pool.ConnectFailed: "failed", pool.Acquired: "acquired",
	pool.Released: "released", pool.Closed: "closed", pool.AcquireTimedOut: "timeout", pool.PoolFlushed: "flushed", pool.ConnectDelayed: "delayed",
}

var reasons = [...]string{
	pool.Broken: "connection lost", pool.Flushed: "flush", pool.Idle: "idleness", pool.Aged: "age", pool.PoolClosed: "release", pool.Failover: "failover",
}

func (e *events) observe(ev pool.Event) {
	line := kinds[ev.Kind]
	if ev.Conn > 0 {
		line += fmt.Sprint(" ", ev.Conn)
	}
	if ev.Reason > 0 {
		line += " " + reasons[ev.Reason]
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, line)
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.all, ", ")
}

func TestReuse(t *testing.T) {
	var e events
	o := shared(t)
	o.Observe = e.observe
	p := open(t, o)
	for range 3 {
		c := acquire(t, p)
		if err := c.Exec(bg, "select 1"); err != nil {
			t.Fatal(err)
		}
		c.Release()
	}
	if got, want := e.String(), "connecting 1, connected 1"+strings.Repeat(", acquired 1, released 1", 3); got != want {
		t.Errorf("got %s", got)
	}
	if s := p.Stats(); s != (pool.Stats{Max: 3, Idle: 1, Established: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestWaiting(t *testing.T) {
	o := shared(t)
	o.MaxConns = 1
	p := open(t, o)
	c := acquire(t, p)
	order := make(chan int, 5)
	for i := range 5 {
		go func() {
			c, err := p.Acquire(bg)
			if err != nil {
				t.Error(err)
				order <- -1
				return
			}
			order <- i
			c.Release()
		}()
		eventually(t, "waiting", func() bool { return p.Stats().Waiting == i+1 })
	}
	c.Release()
	for i := range 5 {
		if got := <-order; got != i {
			t.Errorf("place %d went to %d", i, got)
		}
	}
}

func TestAcquireTimeout(t *testing.T) {
	var e events
	o := shared(t)
	o.MaxConns, o.AcquireTimeout, o.Observe = 1, 50*time.Millisecond, e.observe
	p := open(t, o)
	var c *pool.Conn
	eventually(t, "a connection, which may take longer than that to make", func() bool {
		var err error
		if c, err = p.Acquire(bg); err != nil && err != pool.ErrAcquireTimeout {
			t.Fatal(err)
		}
		return err == nil
	})
	before := p.Stats().AcquireTimeouts
	start := time.Now()
	if _, err := p.Acquire(bg); err != pool.ErrAcquireTimeout {
		t.Error(err)
	}
	if d := time.Since(start); d < 50*time.Millisecond {
		t.Errorf("after %v", d)
	}
	ctx, cancel := context.WithCancelCause(bg)
	cause := errors.New("gone")
	cancel(cause)
	if _, err := p.Acquire(ctx); err != cause {
		t.Error(err)
	}
	if s := p.Stats(); s.AcquireTimeouts != before+1 || s.Waiting != 0 || s.InUse != 1 {
		t.Errorf("%+v", s)
	}
	c.Release()
	if c, err := p.Acquire(bg); err != nil {
		t.Error(err)
	} else {
		c.Release()
	}
	if !strings.Contains(e.String(), "timeout") {
		t.Error(e.String())
	}
}

func TestClose(t *testing.T) {
	o := shared(t)
	o.MaxConns = 1
	p := open(t, o)
	c := acquire(t, p)
	waiter := make(chan error)
	go func() { _, err := p.Acquire(bg); waiter <- err }()
	eventually(t, "waiting", func() bool { return p.Stats().Waiting == 1 })
	done := make(chan struct{})
	go func() { p.Close(); close(done) }()
	if err := <-waiter; err != pool.ErrClosed {
		t.Error(err)
	}
	if _, err := p.Acquire(bg); err != pool.ErrClosed {
		t.Error(err)
	}
	select {
	case <-done:
		t.Error("did not wait for the connection on loan")
	case <-time.After(20 * time.Millisecond):
	}
	c.Release()
	<-done
	if s := p.Stats(); s.Closed != 1 || s.Idle+s.InUse != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

func TestFlush(t *testing.T) {
	var e events
	o := shared(t)
	o.Observe = e.observe
	p := open(t, o)
	a, b := acquire(t, p), acquire(t, p)
	a.Release()
	p.Flush() // a goes now, b when it comes back
	c := acquire(t, p)
	b.Release()
	c.Release()
	eventually(t, "two closed", func() bool { return p.Stats().Closed == 2 })
	d := acquire(t, p)
	d.Release()
	if s := p.Stats(); s.Established != 3 || s.Idle != 1 {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"closed 1 flush", "closed 2 flush", "flushed", "connected 3", "acquired 3, released 3"} {
		if !strings.Contains(e.String(), want) {
			t.Errorf("no %q in %s", want, e.String())
		}
	}
}

func TestIdleAndAge(t *testing.T) {
	var e events
	o := shared(t)
	o.MaxIdleTime, o.Observe = 60*time.Millisecond, e.observe
	p := open(t, o)
	a, b := acquire(t, p), acquire(t, p)
	a.Release()
	b.Release()
	eventually(t, "idle ones closed", func() bool { return p.Stats().Closed >= 2 })
	if !strings.Contains(e.String(), "closed 1 idleness") {
		t.Error(e.String())
	}
	o.MaxIdleTime, o.MaxLifetime = 0, 60*time.Millisecond
	e.all = nil
	p = open(t, o)
	a = acquire(t, p)
	time.Sleep(80 * time.Millisecond)
	a.Release()
	// On a busy machine some are too old before they are used.
	left := func() int { s := p.Stats(); return int(s.Established - s.Closed) }
	eventually(t, "old one closed", func() bool { return left() == 0 })
	acquire(t, p).Release()
	eventually(t, "idle old one closed", func() bool { return left() == 0 })
	if !strings.Contains(e.String(), "closed 1 age") || !strings.Contains(e.String(), "closed 2 age") {
		t.Error(e.String())
	}
}

// TestLeftOpen: Release ends an open transaction.
func TestLeftOpen(t *testing.T) {
	o := shared(t)
	o.MaxConns = 1
	p := open(t, o)
	for _, sql := range []string{"begin", "begin; select 1/0"} {
		c := acquire(t, p)
		_ = c.Exec(bg, sql)
		if c.InTransaction() == 'I' {
			t.Fatal("no transaction")
		}
		c.Release()
		c = acquire(t, p)
		if c.InTransaction() != 'I' {
			t.Errorf("%s: still open", sql)
		}
		c.Release()
	}
	if s := p.Stats(); s.Established != 1 {
		t.Errorf("%+v", s)
	}
}

// TestDeadIdle: connections that were lost while idle are replaced.
func TestDeadIdle(t *testing.T) {
	o := shared(t)
	p := open(t, o)
	a, b := acquire(t, p), acquire(t, p)
	pids := fmt.Sprint(a.PID(), ",", b.PID())
	a.Release()
	b.Release()
	pgtest.Start(t).Exec(t, "postgres", "select pg_terminate_backend(p, 60000) from unnest(array["+pids+"]) p") // and waits for it
	time.Sleep(1100 * time.Millisecond)                                                                         // idle for long enough to be looked at
	c := acquire(t, p)
	if err := c.Exec(bg, "select 1"); err != nil {
		t.Error(err)
	}
	c.Release()
	eventually(t, "both closed", func() bool { return p.Stats().Closed == 2 })
}

func TestConnectErrors(t *testing.T) {
	o := options(t, "host=/nonexistent port=5432 user=u dbname=d")
	p := open(t, o)
	_, err := p.Acquire(bg)
	var ce *pgwire.ConnError
	if !errors.As(err, &ce) || ce.Kind != pgwire.CannotConnect {
		t.Fatalf("%v", err)
	}
	want := "connection to server on socket \"/nonexistent/.s.PGSQL.5432\" failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
	if s := p.Stats(); s.ConnectFailures != 1 || s.Connecting+s.InUse+s.Idle != 0 {
		t.Errorf("%+v", s)
	}
}

// TestRunOnLostConnection: the flight fails, and the connection is not used again.
func TestRunOnLostConnection(t *testing.T) {
	var number atomic.Int64
	s := pgtest.NewScript(t, func(s *pgtest.Session) {
		if number.Add(1) == 1 {
			s.Conn.Close()
			return
		}
		s.Hear()
		_ = s.Say(pgtest.Ready('I'))
		s.Hear()
	})
	o := options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.Config.DialFunc = s.Dial
	p := open(t, o)
	c := acquire(t, p)
	eventually(t, "the other end gone", func() bool { return number.Load() == 1 })
	time.Sleep(10 * time.Millisecond)
	c.Release()
	var f pgwire.Flight
	var lost *pgwire.ConnError
	if err := run(p, &f, pool.Alone); !errors.As(err, &lost) || lost.Kind != pgwire.Lost {
		t.Errorf("got %v, want a lost connection", err)
	}
	eventually(t, "the connection is not lent again", func() bool { s := p.Stats(); return s.InUse+s.Idle == 0 })
}

// TestNeverTooMany: the bound on connections holds, including those being made and closed.
func TestNeverTooMany(t *testing.T) {
	var open_, most atomic.Int64
	s := pgtest.NewScript(t, func(s *pgtest.Session) {
		defer open_.Add(-1)
		if n := open_.Add(1); n > most.Load() {
			most.Store(n)
		}
		for h := s.Hear(); h != "" && h != "X"; h = s.Hear() {
			_ = s.Say(pgtest.Ready('I'))
		}
	})
	o := options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.Config.DialFunc = s.Dial
	o.MaxConns, o.MaxIdleTime, o.MaxLifetime = 4, 5*time.Millisecond, 20*time.Millisecond
	o.AcquireTimeout = time.Minute
	var bound atomic.Int64
	o.Observe = func(e pool.Event) {
		switch e.Kind {
		case pool.Connecting:
			if n := bound.Add(1); n > 4 {
				t.Errorf("%d connections", n)
			}
		case pool.ConnectFailed, pool.Closed:
			bound.Add(-1)
		}
	}
	p := open(t, o)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			var f pgwire.Flight
			for j := range 60 {
				c, err := p.Acquire(bg)
				if err != nil {
					t.Error(err)
					return
				}
				if err := c.Run(bg, &f); err != nil {
					t.Error(err)
				}
				if (i+j)%7 == 0 {
					c.Close() // broken in its borrower's hands
				}
				c.Release()
				if i == 0 && j%10 == 0 {
					p.Flush()
				}
				if j%20 == i {
					time.Sleep(8 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	p.Close()
	eventually(t, "nothing left", func() bool {
		s := p.Stats()
		return s.Established == s.Closed && s.InUse+s.Idle+s.Connecting+s.Waiting == 0
	})
}
