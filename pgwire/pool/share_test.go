package pool_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// oneValue keeps the only value of the only row.
type oneValue struct {
	got  []byte
	rows int
}

func (v *oneValue) Fields([]pgproto3.FieldDescription) error { return nil }
func (v *oneValue) Row(values [][]byte) error {
	v.got = append(v.got[:0], values[0]...)
	v.rows++
	return nil
}
func (v *oneValue) Complete([]byte) {}

// TestShared runs more flights than there are connections, so that many share one. Some of
// them fail. Each gets its own response, with its own settings.
func TestShared(t *testing.T) {
	for _, depth := range []int{1, 2, 8, 64} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			o := shared(t)
			o.Depth = depth
			p := open(t, o)
			settings := pgwire.NewStmt("select set_config('my.name', $1, true)")
			answer := pgwire.NewStmt("select current_setting('my.name') || ' ' || (100 / $1::int)")
			var failed atomic.Int64
			var wg sync.WaitGroup
			for worker := range 32 {
				wg.Go(func() {
					random := rand.New(rand.NewPCG(1, uint64(worker)))
					var f pgwire.Flight
					var v oneValue
					for i := range 300 {
						name := fmt.Sprintf("w%d-%d", worker, i)
						divisor := random.IntN(20)
						f.Reset()
						f.Add(settings, nil)
						f.Arg([]byte(name))
						f.Add(answer, &v)
						f.Arg(fmt.Append(nil, divisor))
						v = oneValue{got: v.got}
						timing, err := p.Run(bg, &f, pool.QuickRead)
						if divisor == 0 {
							failed.Add(1)
							if e, ok := err.(*pgwire.Error); !ok || e.Code != "22012" {
								t.Errorf("%s: %v, want a division by zero", name, err)
								return
							}
							continue
						}
						if want := fmt.Sprintf("%s %d", name, 100/divisor); err != nil || v.rows != 1 || string(v.got) != want {
							t.Errorf("got %q (%d rows, %v), want %q", v.got, v.rows, err, want)
							return
						}
						if timing.Took <= 0 {
							t.Error("took no time")
						}
					}
				})
			}
			wg.Wait()
			if failed.Load() == 0 {
				t.Error("nothing failed: the test proves nothing")
			}
			// Responses that are discarded may still be under way.
			eventually(t, "no connection is in use", func() bool { return p.Stats().InUse == 0 })
			if s := p.Stats(); s.Closed != 0 || s.Established > int64(o.MaxConns) {
				t.Errorf("stats after: %+v", s)
			}
		})
	}
}
