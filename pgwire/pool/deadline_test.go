package pool_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// silent has the options of a pool whose server responds to so many flights, and then no more.
func silent(t *testing.T, answers int64) pool.Options {
	var left atomic.Int64
	left.Store(answers)
	script := pgtest.NewScript(t, func(s *pgtest.Session) {
		for s.Hear() != "" {
			if left.Add(-1) >= 0 {
				_ = s.Say(pgtest.Ready('I'))
			}
		}
	})
	o := options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.Config.DialFunc, o.Config.CancelWait = script.Dial, 20*time.Millisecond
	o.MaxConns, o.FlightTimeout = 1, 50*time.Millisecond
	return o
}

// TestFlightTimeout: a flight without a response is given up, and its connection is closed.
func TestFlightTimeout(t *testing.T) {
	isNoResponse := func(err error) bool {
		var local *pgwire.ConnError
		return errors.As(err, &local) && local.Kind == pgwire.NoResponse
	}
	t.Run("flight", func(t *testing.T) {
		p := open(t, silent(t, 1))
		var f pgwire.Flight
		if err := run(p, &f, pool.Alone); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := run(p, &f, pool.Alone); !isNoResponse(err) {
				t.Error(err)
			}
		}
		eventually(t, "closed", func() bool { s := p.Stats(); return s.Closed == 2 && s.InUse == 0 })
	})
	t.Run("first round trips", func(t *testing.T) {
		o := silent(t, 0)
		o.Depth = 8
		p := open(t, o)
		if _, err := p.Acquire(bg); !isNoResponse(err) {
			t.Error(err)
		}
	})
	t.Run("set later", func(t *testing.T) {
		o := silent(t, 0)
		o.FlightTimeout = 0
		p := open(t, o)
		done := make(chan error, 1)
		go func() {
			var f pgwire.Flight
			done <- run(p, &f, pool.Alone)
		}()
		eventually(t, "in use", func() bool { return p.Stats().InUse == 1 })
		p.SetFlightTimeout(20 * time.Millisecond)
		if err := <-done; !isNoResponse(err) {
			t.Error(err)
		}
	})
}

// TestFlightTimeoutOfConnecting: an attempt to connect ends if the server accepts the
// connection and does not reply.
func TestFlightTimeoutOfConnecting(t *testing.T) {
	mute := pgtest.NewScript(t, nil)
	mute.Mute = true
	o := options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.Config.DialFunc, o.MaxConns, o.FlightTimeout = mute.Dial, 1, 50*time.Millisecond
	p := open(t, o)
	var local *pgwire.ConnError
	if _, err := p.Acquire(bg); !errors.As(err, &local) || local.Kind != pgwire.CannotConnect {
		t.Error(err)
	}
}
