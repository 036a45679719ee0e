package pool_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// TestRefill: two reads are a batch, and the first waits for a lock. Two more flights are in
// the queue when the lock is released. They follow in the batch if both may share it. A flight
// that may not goes first, and the batch ends.
func TestRefill(t *testing.T) {
	for _, c := range []struct {
		name  string
		third pool.Class
		lent  int64 // how often the pool has lent the connection or sent a batch on it
	}{
		{"reads follow", pool.QuickRead, 2},
		{"a flight alone ends the batch", pool.Alone, 4},
		{"a write ends the batch", pool.QuickWrite, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var lent atomic.Int64
			o := shared(t)
			o.MaxConns, o.Depth = 1, 8
			o.Observe = func(e pool.Event) {
				if e.Kind == pool.Acquired {
					lent.Add(1)
				}
			}
			p, lock := open(t, o), acquire(t, open(t, shared(t)))
			defer lock.Release()
			if err := lock.Exec(bg, "select pg_advisory_lock(12)"); err != nil {
				t.Fatal(err)
			}

			var got received
			statement := pgwire.NewStmt("select case when $1 = '1' then pg_advisory_xact_lock_shared(12)::text end, $1::text")
			held := acquire(t, p)
			if err := held.Run(bg, got.flight(statement, "0")); err != nil {
				t.Fatal(err)
			}
			var over sync.WaitGroup
			start := func(name string, class pool.Class) {
				before := p.Stats().Waiting
				over.Go(func() {
					if err := run(p, got.flight(statement, name), class); err != nil {
						t.Errorf("flight %s: %v", name, err)
					}
				})
				eventually(t, "it waits", func() bool { return p.Stats().Waiting == before+1 })
			}
			start("1", pool.QuickRead)
			start("2", pool.QuickRead)
			held.Release()
			eventually(t, "both are sent", func() bool { return p.Stats().Waiting == 0 })
			start("3", c.third)
			start("4", pool.QuickRead)
			if err := lock.Exec(bg, "select pg_advisory_unlock(12)"); err != nil {
				t.Fatal(err)
			}
			over.Wait()
			if want := []string{"0", "1", "2", "3", "4"}; !slices.Equal(got.names, want) {
				t.Errorf("responses %q, want %q", got.names, want)
			}
			if n := lent.Load(); n != c.lent {
				t.Errorf("the connection was lent %d times, want %d", n, c.lent)
			}
		})
	}
}

// received has the second value of each row, in the order of arrival. All rows arrive on one
// connection, one after the other.
type received struct {
	oneValue
	names []string
}

func (r *received) Row(values [][]byte) error {
	r.names = append(r.names, string(values[1]))
	return nil
}

func (r *received) flight(statement *pgwire.Stmt, name string) *pgwire.Flight {
	f := new(pgwire.Flight)
	f.Add(statement, r)
	f.Arg([]byte(name))
	return f
}
