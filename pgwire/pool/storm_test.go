package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// stormTime is how long each case of TestStorm runs.
func stormTime(t *testing.T) time.Duration {
	text := os.Getenv("STORM_TIME")
	if text == "" {
		return 700 * time.Millisecond
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestStorm runs all kinds of flights at once, while sessions are terminated and canceled, tables
// change, locks are held, and the pool is flushed. Each response has to belong to its request, and
// each session has to be clean. A confirmed insert is in the table once, and one that was not sent is
// not there. In the end no connection and no permit is in use.
func TestStorm(t *testing.T) {
	for _, c := range []struct {
		name                          string
		conns, depth, reserve, memory int
		faults                        bool
	}{
		{"one connection", 1, 2, 0, 256, true},
		{"two connections", 2, 64, 0, 256, true},
		{"five connections", 5, 8, 2, 256, true},
		{"few statements", 3, 8, 0, 5, true},
		{"no faults", 3, 8, 0, 256, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := pgtest.Start(t)
			o := options(t, cluster.URI(cluster.NewDB(t), pgtest.Superuser))
			o.Config.RuntimeParams["application_name"] = "storm"
			o.Config.Statements = c.memory
			o.MaxConns, o.Depth, o.Reserve = c.conns, c.depth, c.reserve
			if c.faults {
				o.MaxLifetime = 200 * time.Millisecond
			}
			other := o
			other.Config, other.MaxConns = o.Config.Copy(), 2
			other.Config.RuntimeParams["application_name"] = "fault"
			s := &storm{t: t, Pool: open(t, o), faults: c.faults, calm: make(chan struct{}), stop: make(chan struct{}), outside: open(t, other)}
			s.prepare()
			s.run(stormTime(t))
			s.check(c.conns, c.reserve)
		})
	}
}

type storm struct {
	*pool.Pool
	t          *testing.T
	faults     bool
	outside    *pool.Pool    // of the faults
	calm, stop chan struct{} // the faults end, and then the clients
	statements map[string]*pgwire.Stmt
	number     atomic.Int64
	ended      [pool.Slow + 1]struct{ good, bad atomic.Int64 } // by class

	mu     sync.Mutex
	writes map[string]error
}

// left is what a flight of before has left in the session.
const left = "current_setting('storm.left', true)"

func (s *storm) prepare() {
	s.writes = map[string]error{}
	s.exec("create table written (name text); create table changing (a text); insert into changing values ('x')")
	s.statements = map[string]*pgwire.Stmt{
		"echo":   pgwire.NewStmt("select $1::text, " + left),
		"sleep":  pgwire.NewStmt("select $1::text, " + left + ", pg_sleep(0.003)::text"),
		"long":   pgwire.NewStmt("select $1::text, " + left + ", pg_sleep(0.2)::text"),
		"fail":   pgwire.NewStmt("select (1 / length(left($1::text, 0)))::text"),
		"lock":   pgwire.NewStmt("select $1::text, " + left + ", pg_advisory_xact_lock_shared(21)::text"),
		"leave":  pgwire.NewStmt("select $1::text, " + left + ", set_config('storm.left', $1, false)"),
		"insert": pgwire.NewStmt("insert into written values ($1) returning name, " + left),
		"stale":  pgwire.NewStmt("select $1::text, " + left + ", changing.* from changing"),
	}
	for i := range 6 {
		s.statements[fmt.Sprint("many", i)] = pgwire.NewStmt(fmt.Sprintf("select $1::text, %s, %d", left, i))
	}
}

// exec runs SQL outside of the pool.
func (s *storm) exec(sql string) {
	c := acquire(s.t, s.outside)
	defer c.Release()
	if err := c.Exec(bg, sql); err != nil {
		s.t.Errorf("%s: %v", sql, err)
	}
}

func (s *storm) run(d time.Duration) {
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() { s.client(rand.New(rand.NewPCG(rand.Uint64(), uint64(i)))) })
	}
	if s.faults {
		const one = "(pid) from pg_stat_activity where application_name = 'storm' and datname = current_database() order by random() limit 1"
		s.fault(&group, 40*time.Millisecond, "select pg_terminate_backend"+one)
		s.fault(&group, 7*time.Millisecond, "select pg_cancel_backend"+one)
		s.fault(&group, 30*time.Millisecond, "alter table changing add b text; select pg_sleep(0.02); alter table changing drop b")
		s.fault(&group, 50*time.Millisecond, "begin; select pg_advisory_xact_lock(21); select pg_sleep(0.03); commit")
		s.fault(&group, 60*time.Millisecond, "begin; lock table written; select pg_sleep(0.02); commit")
		s.every(&group, 90*time.Millisecond, s.Flush)
	}
	time.Sleep(d)
	close(s.calm)
	// On a busy machine the faults may have hit each flight of a class.
	ran := pgtest.Until(time.Minute, func() bool { return s.t.Failed() || s.allSucceed() })
	close(s.stop)
	if !ran {
		s.t.Error("a class of flights never succeeds")
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		s.t.Fatalf("a flight never ends: %+v", s.Stats())
	}
}

// allSucceed reports whether flights of each class have succeeded.
func (s *storm) allSucceed() bool {
	for _, class := range []pool.Class{pool.Alone, pool.QuickRead, pool.QuickWrite, pool.Slow} {
		if s.ended[class].good.Load() == 0 {
			return false
		}
	}
	return true
}

func (s *storm) fault(group *sync.WaitGroup, pause time.Duration, sql string) {
	s.every(group, pause, func() { s.exec(sql) })
}

func (s *storm) every(group *sync.WaitGroup, pause time.Duration, do func()) {
	group.Go(func() {
		for {
			select {
			case <-s.calm:
				return
			case <-time.After(rand.N(2 * pause)):
				do()
			}
		}
	})
}

func (s *storm) client(random *rand.Rand) {
	reads := []string{"echo", "echo", "fail", "lock", "stale", "leave", "large", "panic"}
	for !s.t.Failed() {
		select {
		case <-s.stop:
			return
		default:
		}
		switch n := random.IntN(20); {
		case n < 11:
			s.one(random, reads[random.IntN(len(reads))], pool.QuickRead)
		case n < 13:
			s.one(random, fmt.Sprint("many", random.IntN(6)), pool.QuickRead)
		case n < 16:
			s.one(random, "insert", pool.QuickWrite)
		case n < 18:
			s.one(random, "echo", pool.Alone)
		case n < 19:
			s.one(random, "sleep", pool.Slow)
		default:
			s.one(random, "long", pool.Alone)
		}
	}
}

// one runs a flight, and checks its response or its error.
func (s *storm) one(random *rand.Rand, kind string, class pool.Class) {
	name := fmt.Sprintf("%s %d", kind, s.number.Add(1))
	sink := &echo{}
	statement := s.statements[kind]
	switch kind {
	case "large":
		name += string(bytes.Repeat([]byte{'x'}, 8<<10-40+random.IntN(80)))
		statement = s.statements["echo"]
	case "panic":
		sink.panics = random.IntN(20) == 0
		statement = s.statements["echo"]
	}
	f := new(pgwire.Flight)
	f.Add(statement, sink)
	f.Arg([]byte(name))
	if kind == "leave" {
		f.LeavesState(pgwire.Dirty)
	}
	var ctx context.Context = bg
	gone := false
	switch n := random.IntN(12); {
	case n == 0 || kind == "long":
		gone = true
		w := newWaiter()
		ctx = w
		timer := time.AfterFunc(time.Duration(random.IntN(8000))*time.Microsecond, func() {
			w.callOff(errGone)
			f.Abandon(errGone)
		})
		defer timer.Stop()
	case n == 1 && class == pool.Alone:
		gone = true
		ends, cancel := context.WithTimeout(bg, time.Duration(random.IntN(8000))*time.Microsecond)
		defer cancel()
		ctx = ends
	}
	err, panicked := s.try(ctx, f, class)
	s.judge(kind, name, class, sink, err, gone, panicked)
}

func (s *storm) try(ctx context.Context, f *pgwire.Flight, class pool.Class) (err error, panicked bool) {
	defer func() { panicked = recover() != nil }()
	_, err = s.Run(ctx, f, class)
	return err, false
}

func (s *storm) judge(kind, name string, class pool.Class, sink *echo, err error, gone, panicked bool) {
	if kind == "insert" {
		s.mu.Lock()
		s.writes[name] = err
		s.mu.Unlock()
	}
	if err == nil && !panicked {
		s.ended[class].good.Add(1)
		if sink.rows != 1 || sink.name != name || sink.left != "" {
			s.t.Errorf("%.40s got %d rows, %.40q in a session with %q", name, sink.rows, sink.name, sink.left)
		}
		if kind == "fail" {
			s.t.Errorf("%s succeeds", name)
		}
		return
	}
	s.ended[class].bad.Add(1)
	if sink.rows > 0 && (sink.name != name || sink.left != "") {
		s.t.Errorf("%.40s, which fails, got %.40q in a session with %q", name, sink.name, sink.left)
	}
	var said *pgwire.Error
	var local *pgwire.ConnError
	switch {
	case panicked:
		if !sink.panics {
			s.t.Errorf("%.40s has the panic of another", name)
		}
	case err == errGone || errors.Is(err, context.DeadlineExceeded):
		if !gone {
			s.t.Errorf("%.40s is ended by another caller: %v", name, err)
		}
	case errors.As(err, &said) && said.Code == "22012":
		if kind != "fail" {
			s.t.Errorf("%.40s has the error of another: %v", name, err)
		}
	case errors.As(err, &said) && said.Stale():
		if kind != "stale" {
			s.t.Errorf("%.40s has the error of another: %v", name, err)
		}
	case errors.As(err, &said) && (said.Code == "57P01" || said.Code == "57014"):
		if !s.faults {
			s.t.Errorf("%.40s: %v", name, err)
		}
	case errors.As(err, &local) && local.Kind == pgwire.Canceled:
		if !gone {
			s.t.Errorf("%.40s is canceled by another: %v", name, err)
		}
	case errors.As(err, &local) && (local.Kind == pgwire.Lost || local.Kind == pgwire.ResetFailed || local.Kind == pgwire.Closed):
		// A panic, too, takes the connection away from the flights behind.
	default:
		s.t.Errorf("%.40s: %v", name, err)
	}
}

// check looks at what is left.
func (s *storm) check(conns, reserve int) {
	for class := range s.ended {
		e := &s.ended[class]
		if e.good.Load()+e.bad.Load() > 0 {
			s.t.Logf("class %d: %d succeed, %d fail", class, e.good.Load(), e.bad.Load())
		}
	}
	s.t.Logf("%+v", s.Stats())
	eventually(s.t, "nothing is in use", func() bool {
		st := s.Stats()
		return st.InUse+st.Connecting+st.Waiting+st.Queued == 0
	})
	permits := conns
	if reserve > 0 {
		permits -= reserve
	}
	var held []*pool.Conn
	for range permits {
		held = append(held, acquireSlow(s.t, s.Pool))
	}
	for _, c := range held {
		c.Release()
	}
	s.checkWrites()
}

// checkWrites compares the table with the outcomes of the inserts.
func (s *storm) checkWrites() {
	c := acquire(s.t, s.outside)
	defer c.Release()
	found := map[string]int{}
	count := func(row [][]byte) error { found[string(row[0])]++; return nil }
	if err := c.Query(bg, "select name from written", nil, count); err != nil {
		s.t.Fatal(err)
	}
	for name, err := range s.writes {
		var local *pgwire.ConnError
		open := errors.As(err, &local) && local.Sent
		var said *pgwire.Error
		open = open || errors.As(err, &said) && said.Fatal()
		if n := found[name]; err == nil && n != 1 || err != nil && !open && n != 0 || n > 1 {
			s.t.Errorf("%s is %d times in the table: %v", name, n, err)
		}
		delete(found, name)
	}
	if len(found) > 0 {
		s.t.Errorf("in the table, but not written: %v", found)
	}
}

// echo keeps the first two values of the last row.
type echo struct {
	rows       int
	name, left string
	panics     bool
}

func (e *echo) Fields([]pgproto3.FieldDescription) error { return nil }
func (e *echo) Row(values [][]byte) error {
	if e.panics {
		panic("planted")
	}
	e.rows++
	e.name, e.left = string(values[0]), string(values[1])
	return nil
}
func (e *echo) Complete([]byte) {}
