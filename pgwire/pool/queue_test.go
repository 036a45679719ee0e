package pool_test

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// order is a pool whose connections have parsed a statement that returns the number of its
// executions.
type order struct {
	*pool.Pool
	t    *testing.T
	next *pgwire.Stmt
}

func newOrder(t *testing.T, conns, depth int) *order {
	c := pgtest.Start(t)
	db := c.NewDB(t)
	c.Exec(t, db, "create sequence turns")
	o := options(t, c.URI(db, pgtest.Superuser))
	o.MaxConns, o.Depth = conns, depth
	r := &order{open(t, o), t, pgwire.NewStmt("select nextval('turns')::text")}
	for _, conn := range r.all(conns) {
		var f pgwire.Flight
		f.Add(r.next, nil)
		if err := conn.Run(bg, &f); err != nil {
			t.Fatal(err)
		}
		conn.Release()
	}
	c.Exec(t, db, "alter sequence turns restart 1")
	return r
}

// all takes all connections.
func (o *order) all(n int) (conns []*pool.Conn) {
	for range n {
		conns = append(conns, acquire(o.t, o.Pool))
	}
	return conns
}

// run runs the statement and returns the number of its turn.
func (o *order) run(class pool.Class) int { return o.runStatement(o.next, class) }

func (o *order) runStatement(statement *pgwire.Stmt, class pool.Class) int {
	var f pgwire.Flight
	var v oneValue
	f.Add(statement, &v)
	if err := run(o.Pool, &f, class); err != nil {
		o.t.Error(err)
		return 0
	}
	n, err := strconv.Atoi(string(v.got))
	if err != nil {
		o.t.Error(err)
	}
	return n
}

// TestOrder: a free connection takes the head of the queue and, up to its depth,
// those behind it that can share with it. The others keep their places.
func TestOrder(t *testing.T) {
	const r, w, a = pool.QuickRead, pool.QuickWrite, pool.Alone
	for _, test := range []struct {
		depth  int
		queue  []pool.Class
		turns  []int
		reason string
	}{
		{8, []pool.Class{r, r, a, r, a, r}, []int{1, 2, 5, 3, 6, 4}, "all reads share"},
		{2, []pool.Class{r, r, a, r, a, r}, []int{1, 2, 3, 4, 6, 5}, "two reads share"},
		{8, []pool.Class{a, r, a, r, r}, []int{1, 2, 5, 3, 4}, "the head comes first"},
		{8, []pool.Class{r, w, r, w, a, w}, []int{1, 3, 2, 4, 6, 5}, "reads share with reads and writes with writes"},
		{1, []pool.Class{r, a, r, w, r}, []int{1, 2, 3, 4, 5}, "nothing shares"},
	} {
		o := newOrder(t, 1, test.depth)
		held := o.all(1)[0]
		turns := make([]int, len(test.queue))
		var group sync.WaitGroup
		for i, class := range test.queue {
			group.Go(func() { turns[i] = o.run(class) })
			eventually(t, "it waits", func() bool { return o.Stats().Waiting == i+1 })
		}
		held.Release()
		group.Wait()
		if !slices.Equal(turns, test.turns) {
			t.Errorf("%s: turns %v, want %v", test.reason, turns, test.turns)
		}
	}
}

// TestPlaceInQueue: a flight is chosen for a batch and cannot be part of it, because the
// connection has not parsed its statement. It gets its place in the queue again, behind the
// flights that came before it and do not share.
func TestPlaceInQueue(t *testing.T) {
	o := newOrder(t, 1, 8)
	held := o.all(1)[0]
	unparsed := pgwire.NewStmt("select nextval('turns')::text, 'unparsed'")
	turns := make([]int, 4)
	var group sync.WaitGroup
	for i, f := range []struct {
		statement *pgwire.Stmt
		class     pool.Class
	}{{o.next, pool.QuickRead}, {o.next, pool.Alone}, {unparsed, pool.QuickRead}, {o.next, pool.Alone}} {
		group.Go(func() { turns[i] = o.runStatement(f.statement, f.class) })
		eventually(t, "it waits", func() bool { return o.Stats().Waiting == i+1 })
	}
	held.Release()
	group.Wait()
	if want := []int{1, 2, 3, 4}; !slices.Equal(turns, want) {
		t.Errorf("turns %v, want %v", turns, want)
	}
}

// TestStarvation: while clients send reads that share again and again, a flight that does not
// share runs when its turn has come. It is overtaken by one batch at most.
func TestStarvation(t *testing.T) {
	const (
		depth   = 4
		readers = 20
	)
	o := newOrder(t, 1, depth)
	for range 10 {
		held := o.all(1)[0]
		var (
			group sync.WaitGroup
			done  atomic.Bool
		)
		first := o.next
		for i := range readers {
			group.Go(func() {
				for !done.Load() {
					o.run(pool.QuickRead)
				}
			})
			eventually(t, "a reader waits", func() bool { return o.Stats().Waiting == i+1 })
		}
		var turn int
		group.Go(func() {
			turn = o.run(pool.Alone)
			done.Store(true)
		})
		eventually(t, "the other waits", func() bool { return o.Stats().Waiting == readers+1 })
		var f pgwire.Flight
		var v oneValue
		f.Add(first, &v)
		if err := held.Run(bg, &f); err != nil {
			t.Fatal(err)
		}
		before, _ := strconv.Atoi(string(v.got))
		held.Release()
		group.Wait()
		if turn -= before; turn > readers+depth {
			t.Errorf("it ran after %d others, %d of which were there before it", turn-1, readers)
		}
	}
}

// TestWritesShare: writes share a connection only with writes of the same
// statements.
func TestWritesShare(t *testing.T) {
	o := newOrder(t, 1, 8)
	other := pgwire.NewStmt("select nextval('turns')::text, 1")
	var f pgwire.Flight
	f.Add(other, nil)
	held := o.all(1)[0]
	if err := held.Run(bg, &f); err != nil {
		t.Fatal(err)
	}
	turns := make([]int, 4)
	var group sync.WaitGroup
	for i := range turns {
		group.Go(func() {
			statement := o.next
			if i%2 == 1 {
				statement = other
			}
			var f pgwire.Flight
			var v oneValue
			f.Add(statement, &v)
			if err := run(o.Pool, &f, pool.QuickWrite); err != nil {
				t.Error(err)
			}
			turns[i], _ = strconv.Atoi(string(v.got))
		})
		eventually(t, "it waits", func() bool { return o.Stats().Waiting == i+1 })
	}
	held.Release()
	group.Wait()
	if want := []int{2, 4, 3, 5}; !slices.Equal(turns, want) {
		t.Errorf("turns %v, want %v", turns, want)
	}
}
