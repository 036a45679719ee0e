package pool_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// blockade is a pool of two connections. One of them has a batch of flights, whose head waits
// for a lock.
type blockade struct {
	*pool.Pool
	t     *testing.T
	free  *pool.Conn // the other one
	lock  *pool.Conn // of another pool
	rest  chan error // what became of the flights behind the head
	head  chan error
	watch *pool.Pool
	named *pgwire.Stmt
}

const behind = 5

func block(t *testing.T, class pool.Class) *blockade {
	o := shared(t)
	o.MaxConns, o.Depth = 2, 8
	b := &blockade{Pool: open(t, o), t: t, rest: make(chan error, behind), head: make(chan error, 1), watch: open(t, shared(t))}
	// The argument decides what the statement does, so that writes share too.
	b.named = pgwire.NewStmt("select case when $1 = 'head' then pg_advisory_xact_lock_shared(11)::text else $1::text end")
	b.lock = acquire(t, b.watch)
	if err := b.lock.Exec(bg, "select pg_advisory_lock(11)"); err != nil {
		t.Fatal(err)
	}
	held := acquire(t, b.Pool)
	b.free = acquire(t, b.Pool)
	for _, c := range []*pool.Conn{held, b.free} {
		var f pgwire.Flight
		f.Add(b.named, nil)
		f.Arg([]byte("warm"))
		if err := c.Run(bg, &f); err != nil {
			t.Fatal(err)
		}
	}
	go func() { b.head <- b.ask("head", class) }()
	b.waiting(1)
	for i := range behind {
		go func() { b.rest <- b.ask(fmt.Sprint(i), class) }()
		b.waiting(2 + i)
	}
	held.Release()
	eventually(t, "the head waits for the lock", func() bool {
		n := 0
		_ = b.watchRow("select count(*) from pg_locks where locktype = 'advisory' and not granted", &n)
		return n == 1
	})
	return b
}

func (b *blockade) watchRow(sql string, n *int) error {
	c := acquire(b.t, b.watch)
	defer c.Release()
	var f pgwire.Flight
	var v oneValue
	f.Add(pgwire.NewStmt(sql), &v)
	err := c.Run(bg, &f)
	_, _ = fmt.Sscan(string(v.got), n)
	return err
}

func (b *blockade) waiting(n int) {
	eventually(b.t, "it waits", func() bool { return b.Stats().Waiting == n })
}

func (b *blockade) ask(name string, class pool.Class) error {
	var f pgwire.Flight
	var v oneValue
	f.Add(b.named, &v)
	f.Arg([]byte(name))
	if err := run(b.Pool, &f, class); err != nil {
		return err
	}
	if f.Reused != 1 || f.Parsed != 0 {
		return fmt.Errorf("%d statements were reused and %d parsed, want one and none", f.Reused, f.Parsed)
	}
	if name != "head" && (string(v.got) != name || v.rows != 1) {
		return fmt.Errorf("got %q (%d rows), want %q", v.got, v.rows, name)
	}
	return nil
}

func (b *blockade) unlock() {
	if err := b.lock.Exec(bg, "select pg_advisory_unlock(11)"); err != nil {
		b.t.Fatal(err)
	}
	b.lock.Release()
}

// works runs flights on all connections.
func (b *blockade) works() {
	b.t.Helper()
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if err := b.ask(fmt.Sprint("later ", i), pool.QuickRead); err != nil {
				b.t.Error(err)
			}
		})
	}
	group.Wait()
	eventually(b.t, "all connections are idle", func() bool { s := b.Stats(); return s.Idle == 2 && s.InUse == 0 })
	if s := b.Stats(); s.Closed != 0 {
		b.t.Errorf("%+v", s)
	}
}

// TestBlockedRead: reads behind a blocked one are sent again on a free connection and get their
// responses there. Their first responses are discarded.
func TestBlockedRead(t *testing.T) {
	b := block(t, pool.QuickRead)
	b.free.Release()
	for range behind {
		if err := <-b.rest; err != nil {
			t.Error(err)
		}
	}
	select {
	case err := <-b.head:
		t.Errorf("the head was not blocked: %v", err)
	default:
	}
	if s := b.Stats(); s.Resent == 0 {
		t.Errorf("nothing was sent again: %+v", s)
	}
	b.unlock()
	if err := <-b.head; err != nil {
		t.Error(err)
	}
	b.works()
}

// TestBlockedWrite: a write that has been sent is not sent again.
func TestBlockedWrite(t *testing.T) {
	b := block(t, pool.QuickWrite)
	b.free.Release()
	b.unlock()
	for range behind {
		if err := <-b.rest; err != nil {
			t.Error(err)
		}
	}
	if err := <-b.head; err != nil {
		t.Error(err)
	}
	if s := b.Stats(); s.Resent != 0 {
		t.Errorf("writes were sent again: %+v", s)
	}
	b.works()
}

// TestBlockedReadAtClose: in a closed pool, reads behind a blocked one do not wait for another
// connection.
func TestBlockedReadAtClose(t *testing.T) {
	b := block(t, pool.QuickRead)
	closed := make(chan struct{})
	go func() { b.Close(); close(closed) }()
	eventually(t, "the pool is closed", func() bool {
		_, err := b.Acquire(bg)
		return err == pool.ErrClosed
	})
	b.free.Release() // now there is a place for another connection
	for range behind {
		if err := <-b.rest; err != pool.ErrClosed {
			t.Error(err)
		}
	}
	b.unlock()
	if err := <-b.head; err != nil {
		t.Error(err)
	}
	<-closed
}
