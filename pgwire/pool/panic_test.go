package pool_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// panicking is a Sink that panics at the first row.
type panicking struct{ oneValue }

func (*panicking) Fields([]pgproto3.FieldDescription) error { return nil }
func (*panicking) Row([][]byte) error                       { panic("planted") }

// TestPanic: when a Sink panics, its connection is closed. The flights behind it in the batch
// get their responses or errors, and all connections and permits are returned.
func TestPanic(t *testing.T) {
	for _, test := range []struct {
		name  string
		depth int
		class pool.Class
	}{{"shared reads", 8, pool.QuickRead}, {"shared writes", 8, pool.QuickWrite}, {"alone", 1, pool.Alone}, {"slow", 1, pool.Slow}} {
		t.Run(test.name, func(t *testing.T) {
			o := shared(t)
			o.MaxConns, o.Depth, o.Reserve = 4, test.depth, 2
			p := open(t, o)
			statement := pgwire.NewStmt("select $1::text, pg_sleep(0.0005)::text")
			var panicked, answered, failed atomic.Int64
			// one runs a flight, and reports whether its Sink panicked.
			one := func(sink pgwire.Sink) (err error, caught any) {
				defer func() { caught = recover() }()
				var f pgwire.Flight
				f.Add(statement, sink)
				f.Arg([]byte("x"))
				return run(p, &f, test.class), nil
			}
			var wg sync.WaitGroup
			for client := range 64 {
				wg.Go(func() {
					for i := range 20 {
						if (client+i)%10 == 0 {
							if _, caught := one(&panicking{}); caught == "planted" {
								panicked.Add(1)
							}
							continue
						}
						var v oneValue
						err, caught := one(&v)
						var lost *pgwire.ConnError
						switch {
						case caught != nil:
							t.Errorf("a panic of another: %v", caught)
						case err == nil && string(v.got) == "x":
							answered.Add(1)
						case errors.As(err, &lost) && lost.Kind == pgwire.Lost && test.depth > 1:
							failed.Add(1)
						default:
							t.Errorf("%v, %q", err, v.got)
						}
					}
				})
			}
			done := make(chan struct{})
			go func() { wg.Wait(); close(done) }()
			select {
			case <-done:
			case <-time.After(2 * time.Minute):
				t.Fatal("somebody waits for ever")
			}
			if panicked.Load() < 20 || answered.Load() < 100 {
				t.Errorf("%d panics, %d answers, %d failures: the test proves nothing", panicked.Load(), answered.Load(), failed.Load())
			}
			t.Logf("%d panics, %d answers, %d failures", panicked.Load(), answered.Load(), failed.Load())
			eventually(t, "everything is given back", func() bool {
				s := p.Stats()
				return s.InUse == 0 && s.Waiting == 0 && s.Queued == 0
			})
			eventually(t, "one connection is closed for each panic", func() bool { return p.Stats().Closed >= panicked.Load() })
		})
	}
}
