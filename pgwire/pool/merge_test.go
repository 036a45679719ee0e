package pool_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// copyValue is a oneValue that can take the value of another one.
type copyValue struct {
	oneValue
	copied bool
}

func (v *copyValue) CopyFrom(from pgwire.Sink) error {
	v.oneValue, v.copied = from.(*copyValue).oneValue, true
	return nil
}

// mergeable has flights that merge. The argument is the response, behind the setting. "lock"
// waits for the lock of a blockade first, and "0" fails.
type mergeable struct {
	set, one *pgwire.Stmt
	merge    *pgwire.Merge
}

func newMergeable() *mergeable {
	const value = `select current_setting('my.name') || ' ' || %[1]s ||
		case %[1]s when 'lock' then pg_advisory_xact_lock_shared(11)::text when '0' then (1 / length(replace(%[1]s, '0', '')))::text else '' end`
	return &mergeable{
		set: pgwire.NewStmt("select set_config('my.name', $1, true)"),
		one: pgwire.NewStmt(fmt.Sprintf(value, "$1::text")),
		merge: &pgwire.Merge{
			Stmt:    pgwire.NewStmt("select n, q.* from unnest($1::text[]) with ordinality b(v, n) cross join lateral (" + fmt.Sprintf(value, "v") + ") q"),
			Formats: []int16{1, 0},
			Lists:   []bool{true},
		},
	}
}

func (m *mergeable) flight(name, value string) (*pgwire.Flight, *copyValue) {
	f, v := new(pgwire.Flight), new(copyValue)
	f.Add(m.set, nil)
	f.Arg([]byte(name))
	f.Add(m.one, v)
	f.Arg([]byte(value))
	f.MayMerge(m.merge)
	return f, v
}

// merged is the outcome of a flight.
type merged struct {
	name, value string
	got         string
	copied      bool
	err         error
	timing      pool.Timing
}

// together runs flights that wait for the only connection of a pool, in this order. Each is
// "name value".
func together(t *testing.T, p *pool.Pool, m *mergeable, names []string, values []string) []merged {
	t.Helper()
	held := acquire(t, p)
	list := make([]merged, len(values))
	var over sync.WaitGroup
	for i := range values {
		list[i] = merged{name: names[i%len(names)], value: values[i]}
		over.Go(func() {
			f, v := m.flight(list[i].name, list[i].value)
			list[i].timing, list[i].err = p.Run(bg, f, pool.QuickRead)
			list[i].got, list[i].copied = string(v.got), v.copied
		})
		eventually(t, "it waits", func() bool { return p.Stats().Waiting == i+1 })
	}
	held.Release()
	over.Wait()
	return list
}

func onlyConn(t *testing.T) *pool.Pool {
	o := shared(t)
	o.MaxConns, o.Depth = 1, 8
	return open(t, o)
}

// TestMerge: flights that wait run as one statement. Those with equal arguments get the
// same rows, and those with other settings run in a statement of their own.
func TestMerge(t *testing.T) {
	p, m := onlyConn(t), newMergeable()
	for range 3 { // the first time, the connection has not parsed the statements
		values := []string{"a", "b", "a", `c"\{},`, "NULL", "", " x ", "é"}
		before := p.Stats()
		for _, r := range together(t, p, m, []string{"me"}, values) {
			if r.err != nil || r.got != "me "+r.value || r.timing.Merged != len(values) {
				t.Errorf("%q: %q %v, merged %d", r.value, r.got, r.err, r.timing.Merged)
			}
		}
		if s := p.Stats(); s.Merged-before.Merged != int64(len(values)) || s.MergedStatements-before.MergedStatements != 1 {
			t.Errorf("%+v", s)
		}
	}
	names := []string{"me", "you"}
	before := p.Stats()
	for _, r := range together(t, p, m, names, []string{"aa", "bb", "cc", "dd", "aa", "bb"}) {
		if want := r.name + " " + r.value; r.err != nil || r.got != want || r.timing.Merged != 3 {
			t.Errorf("%q: %q %v, merged %d", want, r.got, r.err, r.timing.Merged)
		}
	}
	if s := p.Stats(); s.MergedStatements-before.MergedStatements != 2 {
		t.Errorf("%+v", s)
	}
	// Equal flights need no statement of their own.
	m.merge = &pgwire.Merge{Lists: []bool{true}}
	copied := 0
	for _, r := range together(t, p, m, []string{"me"}, []string{"aa", "aa", "bb", "aa", "cc"}) {
		if r.err != nil || r.got != "me "+r.value {
			t.Errorf("%q: %q %v", r.value, r.got, r.err)
		}
		if r.copied {
			copied++
		}
	}
	if copied != 2 {
		t.Errorf("%d responses were copied", copied)
	}
}

// TestMergeMany: a group has a bounded size, and all others wait for the next one.
func TestMergeMany(t *testing.T) {
	p, m := onlyConn(t), newMergeable()
	values := make([]string, 3*pgwire.MaxMerged)
	for i := range values {
		values[i] = fmt.Sprint("value ", i)
	}
	for _, r := range together(t, p, m, []string{"me"}, values) {
		if r.err != nil || r.got != "me "+r.value || r.timing.Merged > pgwire.MaxMerged {
			t.Errorf("%q: %q %v, merged %d", r.value, r.got, r.err, r.timing.Merged)
		}
	}
}

// TestMergeFails: an error of one flight fails all of its group, so that each runs again.
func TestMergeFails(t *testing.T) {
	p, m := onlyConn(t), newMergeable()
	for range 2 {
		for _, r := range together(t, p, m, []string{"me"}, []string{"aa", "0", "bb", "bb"}) {
			if !errors.Is(r.err, pool.ErrSplit) {
				t.Errorf("%q: %q %v", r.value, r.got, r.err)
			}
			f, v := m.flight("me", r.value)
			f.MayMerge(nil)
			err := run(p, f, pool.QuickRead)
			if failed := r.value == "0"; (err != nil) != failed || !failed && string(v.got) != "me "+r.value {
				t.Errorf("%q alone: %q %v", r.value, v.got, err)
			}
		}
	}
	if s := p.Stats(); s.Merged != 0 || s.Closed != 0 {
		t.Errorf("%+v", s)
	}
}

// TestMergeBehindBlocked: a group behind a blocked flight is sent again on a free
// connection, each flight alone.
func TestMergeBehindBlocked(t *testing.T) {
	b := block(t, pool.QuickRead)
	b.unlock() // block has one batch of its own
	if err := <-b.head; err != nil {
		t.Fatal(err)
	}
	for range behind {
		<-b.rest
	}
	b.free.Release()
	m := newMergeable()
	for range 3 {
		conns := []*pool.Conn{acquire(t, b.Pool), acquire(t, b.Pool)}
		for _, c := range conns {
			f, _ := m.flight("me", "warm")
			if err := c.Run(bg, f); err != nil {
				t.Fatal(err)
			}
			f, _ = m.flight("me", `{"warm"}`)
			f.Reset()
			f.Add(m.merge.Stmt, nil)
			f.Arg([]byte(`{"warm"}`))
			f.ResultFormats(m.merge.Formats)
			_ = c.Run(bg, f) // fails for want of the setting, after the statement has been parsed
		}
		lock := acquire(t, b.watch)
		if err := lock.Exec(bg, "select pg_advisory_lock(11)"); err != nil {
			t.Fatal(err)
		}
		head := make(chan error, 1)
		go func() { head <- b.ask("head", pool.QuickRead) }()
		b.waiting(1)
		var over sync.WaitGroup
		for i := range 4 {
			over.Go(func() {
				value := fmt.Sprint("value", i/2)
				f, v := m.flight("me", value)
				timing, err := b.Run(bg, f, pool.QuickRead)
				if err != nil || string(v.got) != "me "+value || timing.Merged != 0 {
					t.Errorf("%s: %q %v %+v", value, v.got, err, timing)
				}
			})
			b.waiting(2 + i)
		}
		conns[0].Release()
		eventually(t, "all are sent", func() bool { return b.Stats().Waiting == 0 || b.Stats().Resent > 0 })
		conns[1].Release()
		over.Wait()
		if err := lock.Exec(bg, "select pg_advisory_unlock(11)"); err != nil {
			t.Fatal(err)
		}
		lock.Release()
		if err := <-head; err != nil {
			t.Error(err)
		}
	}
	b.works()
}

// TestMergeAbandoned: a caller that goes does not cancel the statement of the others. When
// all have gone it is cancelled.
func TestMergeAbandoned(t *testing.T) {
	gone := errors.New("gone")
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprint(all), func(t *testing.T) {
			p, m := onlyConn(t), newMergeable()
			watch := open(t, shared(t))
			lock := acquire(t, watch)
			defer lock.Release()
			for range 2 { // the first time the statement is parsed, and the flight does not share the connection
				if err := lock.Exec(bg, "select pg_advisory_lock(11)"); err != nil {
					t.Fatal(err)
				}
				held := acquire(t, p)
				var flights []*pgwire.Flight
				errs := make(chan error, 3)
				for i, value := range []string{"aa", "lock", "bb"} {
					f, _ := m.flight("me", value)
					flights = append(flights, f)
					go func() { errs <- run(p, f, pool.QuickRead) }()
					eventually(t, "it waits", func() bool { return p.Stats().Waiting == i+1 })
				}
				held.Release()
				eventually(t, "the statement waits for the lock", func() bool {
					c := acquire(t, watch)
					defer c.Release()
					var f pgwire.Flight
					var v oneValue
					f.Add(pgwire.NewStmt("select count(*) from pg_locks where locktype = 'advisory' and not granted"), &v)
					return c.Run(bg, &f) == nil && string(v.got) == "1"
				})
				flights[0].Abandon(gone)
				flights[2].Abandon(gone)
				flights[2].Abandon(gone)
				if all {
					flights[1].Abandon(gone)
				} else if err := lock.Exec(bg, "select pg_advisory_unlock(11)"); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					if err := <-errs; all != errors.Is(err, pool.ErrSplit) || !all && err != nil {
						t.Error(err)
					}
				}
				if all {
					if err := lock.Exec(bg, "select pg_advisory_unlock(11)"); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}
