package pool_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// refusing sets the options of a pool of two connections. The server refuses connections
// after the first one. fails counts the refused attempts.
func refusing(t *testing.T, o *pool.Options) (fails *atomic.Int64) {
	script := pgtest.NewScript(t, func(s *pgtest.Session) { s.Hear() })
	*o = options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.MaxConns = 2
	fails = new(atomic.Int64)
	var accepted atomic.Bool
	o.Config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if accepted.Swap(true) {
			fails.Add(1)
			return nil, syscall.ECONNREFUSED
		}
		return script.Dial(ctx, network, addr)
	}
	return fails
}

// TestConnectFailedWhileOthersWork: a caller whose attempt to connect fails gets the
// connection that is released next.
func TestConnectFailedWhileOthersWork(t *testing.T) {
	var o pool.Options
	fails := refusing(t, &o)
	p := open(t, o)
	held := acquire(t, p)
	got := make(chan *pool.Conn, 1)
	go func() {
		c, err := p.Acquire(bg)
		if err != nil {
			t.Error(err)
		}
		got <- c
	}()
	eventually(t, "an attempt fails", func() bool { return fails.Load() > 0 && p.Stats().ConnectFailures > 0 })
	select {
	case c := <-got:
		t.Error("the wait has ended")
		got <- c
	case <-time.After(20 * time.Millisecond):
	}
	held.Release()
	if c := <-got; c != nil {
		c.Release()
	}
	if n := fails.Load(); n != 1 {
		t.Errorf("%d attempts to connect without a pause", n)
	}
}

// TestConnectFailedTimeout: the wait after a failed attempt ends after AcquireTimeout.
func TestConnectFailedTimeout(t *testing.T) {
	var o pool.Options
	refusing(t, &o)
	o.AcquireTimeout = 50 * time.Millisecond
	p := open(t, o)
	var held *pool.Conn
	eventually(t, "a connection, which may take longer than that to make", func() (ok bool) {
		var err error
		held, err = p.Acquire(bg)
		return err == nil
	})
	if _, err := p.Acquire(bg); err != pool.ErrAcquireTimeout {
		t.Error(err)
	}
	held.Release()
}

// TestConnectFailedLastConnectionLost: when the last connection is lost, callers get the error
// of a new attempt. They do not wait until a pause is over.
func TestConnectFailedLastConnectionLost(t *testing.T) {
	pool.SetFirstPause(t, time.Hour)
	var o pool.Options
	fails := refusing(t, &o)
	o.AcquireTimeout = 0
	p := open(t, o)
	held := acquire(t, p)
	const callers = 5
	left := make(chan error, callers)
	for range callers {
		go func() { _, err := p.Acquire(bg); left <- err }()
	}
	eventually(t, "all wait", func() bool { return fails.Load() > 0 && p.Stats().Waiting == callers })
	held.Close()
	held.Release()
	for range callers {
		var failed *pgwire.ConnError
		if err := <-left; !errors.As(err, &failed) || failed.Kind != pgwire.CannotConnect {
			t.Error(err)
		}
	}
}
