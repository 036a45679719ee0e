package pool_test

import (
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// TestFarAway: the time of a round trip does not count as work of the server, and is known
// before the first flight.
func TestFarAway(t *testing.T) {
	const way = 30 * time.Millisecond
	s := pgtest.NewScript(t, func(s *pgtest.Session) {
		for h := s.Hear(); h != "" && h != "X"; h = s.Hear() {
			time.Sleep(way)
			_ = s.Say(pgtest.Ready('I'))
		}
	})
	o := options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.Config.DialFunc = s.Dial
	o.MaxConns, o.Depth = 1, 8
	p := open(t, o)
	c := acquire(t, p)
	if c.RoundTrip() < way {
		t.Errorf("the way takes %v, want at least %v", c.RoundTrip(), way)
	}
	c.Release()
	for _, class := range []pool.Class{pool.Alone, pool.QuickRead} {
		var f pgwire.Flight
		timing, err := p.Run(bg, &f, class)
		if err != nil {
			t.Fatal(err)
		}
		if timing.Took < way || timing.Worked > timing.Took-way {
			t.Errorf("class %d: took %v, of which %v were work, want %v less", class, timing.Took, timing.Worked, way)
		}
		if timing.Queued {
			t.Errorf("class %d: queued, although no other flight was sent", class)
		}
	}
}

// TestLostAtOnce: a connection that is lost in its first round trip counts as one that could
// not be made.
func TestLostAtOnce(t *testing.T) {
	s := pgtest.NewScript(t, func(s *pgtest.Session) { s.Conn.Close() })
	o := options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.Config.DialFunc = s.Dial
	o.MaxConns, o.Depth = 1, 8
	p := open(t, o)
	for range 3 {
		if _, err := p.Acquire(bg); err == nil {
			t.Fatal("a connection")
		}
	}
	eventually(t, "nothing left", func() bool {
		s := p.Stats()
		return s.Established == s.Closed && s.ConnectFailures == 3 && s.InUse+s.Idle+s.Connecting+s.Waiting == 0
	})
}
