package pool_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// TestCrowded: a role may have two connections, and the pool is for six.
func TestCrowded(t *testing.T) {
	c := pgtest.Start(t)
	db := c.NewDB(t)
	c.Exec(t, db, "drop role if exists crowded; create role crowded login connection limit 2")
	var e events
	var dials atomic.Int64
	o := options(t, c.URI(db, "crowded"))
	var first atomic.Int64 // when there was a connection, in ns since began
	began := time.Now()
	o.MaxConns, o.Observe = 6, func(ev pool.Event) {
		if ev.Kind == pool.Connected {
			first.CompareAndSwap(0, int64(time.Since(began)))
		}
		e.observe(ev)
	}
	dial := o.Config.DialFunc
	o.Config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return dial(ctx, network, addr)
	}
	p := open(t, o)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			for range 100 {
				c, err := p.Acquire(bg)
				if err != nil {
					t.Error(err)
					return
				}
				if err := c.Exec(bg, "select 1"); err != nil {
					t.Error(err)
				}
				c.Release()
			}
		})
	}
	all.Wait()
	// Each of the four attempts that fail is repeated once a second at most, and every 50 ms
	// while the first connection is being made.
	most := 2 + 4*(2+int64(time.Since(began)/time.Second)+1+first.Load()/int64(50*time.Millisecond))
	if n := dials.Load(); n > most {
		t.Errorf("%d attempts to connect, want %d at most: it does not back off", n, most)
	}
	if !strings.Contains(e.String(), "delayed") {
		t.Fatalf("there was room for all: %s", e.String())
	}
	if s := p.Stats(); s.Established != 2 || s.InUse+s.Idle != 2 {
		t.Errorf("%+v", s)
	}
	// The pool grows when the limit is raised.
	c.Exec(t, db, "alter role crowded connection limit 4")
	eventually(t, "the pool grows", func() bool { return p.Stats().Established >= 3 })
}

// TestFull: the server refuses all connections. All callers get its error, with few attempts
// to connect.
func TestFull(t *testing.T) {
	c := pgtest.Start(t)
	db := c.NewDB(t)
	c.Exec(t, db, "drop role if exists full_up; create role full_up login connection limit 0")
	var dials atomic.Int64
	o := options(t, c.URI(db, "full_up"))
	dial := o.Config.DialFunc
	o.Config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return dial(ctx, network, addr)
	}
	p := open(t, o)
	began := time.Now()
	const asked = 500
	for range asked {
		var said *pgwire.Error
		if _, err := p.Acquire(bg); !errors.As(err, &said) || said.Code != "53300" {
			t.Fatal(err)
		}
	}
	if n, most := dials.Load(), 2+int64(time.Since(began)/(200*time.Millisecond)); n > most {
		t.Errorf("%d attempts to connect for %d requests, want %d at most", n, asked, most)
	}
	c.Exec(t, db, "alter role full_up connection limit 1")
	eventually(t, "a connection", func() bool {
		c, err := p.Acquire(bg)
		if err == nil {
			c.Release()
		}
		return err == nil
	})
}

// TestSlowToAccept: callers that stop waiting leave attempts to connect to the next callers.
// The number of attempts stays bounded.
func TestSlowToAccept(t *testing.T) {
	const most = 3
	var open_, peak atomic.Int64
	gate := make(chan struct{})
	o := shared(t)
	o.MaxConns, o.AcquireTimeout = most, 5*time.Millisecond
	dial := o.Config.DialFunc
	o.Config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		n := open_.Add(1)
		for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
		}
		<-gate
		conn, err := dial(ctx, network, addr)
		return &countedConn{Conn: conn, open: &open_}, err
	}
	p := open(t, o)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for range 5 {
				if _, err := p.Acquire(bg); err != pool.ErrAcquireTimeout {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if s := p.Stats(); s.Connecting != most || s.AcquireTimeouts != 200 {
		t.Errorf("%+v", s)
	}
	close(gate)
	eventually(t, "connections", func() bool { return p.Stats().Idle == most })
	c := acquire(t, p)
	c.Release()
	if n := peak.Load(); n != most {
		t.Errorf("%d connections at once, want %d", n, most)
	}
}

type countedConn struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
