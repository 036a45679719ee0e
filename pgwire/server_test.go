package pgwire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestDescribe(t *testing.T) {
	c := connect(t)
	exec(t, c, "create table t(a int, b varchar(7), c numeric(5,2))")
	var f pgwire.Flight
	var d, none pgwire.Description
	f.Describe(pgwire.NewStmt("select b, c, a + 1 as n, $1::uuid from t where a = $2"), &d)
	f.Describe(pgwire.NewStmt("delete from t"), &none)
	if err := c.Run(bg, &f); err != nil {
		t.Fatal(err)
	}
	table := value(t, c, "select 't'::regclass::oid")
	got := fmt.Sprintf("%v %+v", d.Params, d.Fields)
	want := strings.ReplaceAll("[2950 23] [{Name:b Type:1043 TypMod:11 Table:T Attr:2} {Name:c Type:1700 TypMod:327686 Table:T Attr:3} "+
		"{Name:n Type:23 TypMod:-1 Table:0 Attr:0} {Name:uuid Type:2950 TypMod:-1 Table:0 Attr:0}]", "T ", table+" ")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(none.Params)+len(none.Fields) > 0 {
		t.Errorf("%+v", none)
	}
	// Describe has parsed the statement.
	var l log
	f.Reset()
	s := pgwire.NewStmt("select 1")
	f.Describe(s, &d)
	f.Add(s, &l)
	if err := c.Run(bg, &f); err != nil || l.take() != "row \"1\"\ncomplete SELECT 1" {
		t.Errorf("%v %q", err, l.take())
	}
}

func TestArguments(t *testing.T) {
	c := connect(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	for _, prepared := range []bool{true, false} {
		if !prepared {
			c = connect(t, func(cfg *pgwire.Config) { cfg.Statements = 0 })
		}
		s := pgwire.NewStmt("select $1::text, $2::bytea, $3::text = '', md5($4::text), octet_length($5::bytea), $6::int4")
		for range 2 {
			var f pgwire.Flight
			var l log
			f.Add(s, &l)
			f.Arg([]byte("text"))
			f.ArgBinary([]byte{0, 1, 255})
			f.Arg(nil) // empty, not NULL
			f.Arg(big)
			f.ArgBinary(big)
			f.ArgBinary([]byte{0, 0, 0, 7})
			if err := c.Run(bg, &f); err != nil {
				t.Fatal(err)
			}
			want := value(t, c, "select 'row \"text\" \"\\\\x0001ff\" \"t\" \"' || md5(repeat('0123456789abcdef', 5000)) || '\" \"80000\" \"7\"'")
			if got := l.take(); !strings.Contains(got, want) {
				t.Errorf("got %s\nwant %s", got, want)
			}
		}
	}
}

// TestHugeArgument: 100 MB are sent while the server sends notices.
func TestHugeArgument(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	for _, uri := range []string{cluster.URI(db, pgtest.Superuser), cluster.TCPURI(db, pgtest.Superuser)} {
		c := dial(t, uri)
		exec(t, c, `create or replace function noise(n int) returns void language plpgsql as $$
			begin for i in 1..n loop raise notice '%', repeat('x', 8000); end loop; end $$`)
		huge := bytes.Repeat([]byte("x"), 100<<20)
		var f pgwire.Flight
		var l log
		f.Add(pgwire.NewStmt("select noise(2000)"), nil) // 16 MB
		f.Add(pgwire.NewStmt("select octet_length($1::text), noise(200)"), &l)
		f.Arg(huge)
		var err error
		soon(t, "flight", func() { err = c.Run(bg, &f) })
		if err != nil || !strings.Contains(l.take(), `row "104857600"`) {
			t.Error(err)
		}
		// And if the server closes the connection before it has read them.
		f.Reset()
		f.Add(pgwire.NewStmt("select 1/0"), nil)
		f.Add(pgwire.NewStmt("select octet_length($1::text)"), &l)
		f.Arg(huge)
		soon(t, "flight", func() { err = c.Run(bg, &f) })
		if code(err) != "22012" || c.IsBroken() {
			t.Error(err)
		}
		if got := value(t, c, "select 1"); got != "1" {
			t.Error(got)
		}
	}
}

// TestLargeRows: values larger than the buffers, and then small ones.
func TestLargeRows(t *testing.T) {
	c := connect(t)
	s := pgwire.NewStmt("select repeat(chr(65 + $1::int), $2::int) from generate_series(1, 3)")
	for i, size := range []int{10, 16 << 10, 100 << 10, 3 << 20, 3, 9 << 20, 1, 33000} {
		var f pgwire.Flight
		var rows int
		f.Add(s, sinkFunc(func(values [][]byte) error {
			rows++
			if len(values[0]) != size || bytes.Count(values[0], []byte{byte('A' + i)}) != size {
				t.Errorf("%d bytes: got %d", size, len(values[0]))
			}
			return nil
		}))
		f.Arg(fmt.Append(nil, i))
		f.Arg(fmt.Append(nil, size))
		if err := c.Run(bg, &f); err != nil || rows != 3 {
			t.Errorf("%d bytes: %v, %d rows", size, err, rows)
		}
	}
}

func TestManyColumns(t *testing.T) {
	c := connect(t)
	for _, n := range []int{1, 1600, 2} {
		var l log
		if _, err := run(c, &l, pgwire.NewStmt("select "+strings.Repeat("1,", n-1)+"1")); err != nil {
			t.Error(err)
		} else if got := strings.Count(l.take(), `"1"`); got != n {
			t.Errorf("%d columns, want %d", got, n)
		}
	}
}

// TestCancel: a statement that sleeps is canceled.
func TestCancel(t *testing.T) {
	cluster := pgtest.Start(t)
	for name, uri := range map[string]string{"unix": cluster.URI("postgres", pgtest.Superuser), "tcp": cluster.TCPURI("postgres", pgtest.Superuser)} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, uri)
			for range 3 {
				ctx, cancel := context.WithTimeout(bg, 30*time.Millisecond)
				var f pgwire.Flight
				f.Add(pgwire.NewStmt("select pg_sleep(600)"), nil)
				err := c.Run(ctx, &f)
				cancel()
				var ce *pgwire.ConnError
				if !errors.As(err, &ce) || ce.Kind != pgwire.Canceled || !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("%v", err)
				}
				if c.IsBroken() || c.InTransaction() != 'I' {
					t.Errorf("in transaction %c, broken %v", c.InTransaction(), c.IsBroken())
				}
				if got := value(t, c, "select 7"); got != "7" {
					t.Error(got)
				}
			}
		})
	}
}

// TestCancelFindsTheServer: a cancel request goes to the host that the connection was made to.
func TestCancelFindsTheServer(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := strings.Replace(cluster.URI("postgres", pgtest.Superuser), "host=", "host=%2Fnonexistent,", 1)
	c := dial(t, uri)
	ctx, cancel := context.WithTimeout(bg, 30*time.Millisecond)
	defer cancel()
	var f pgwire.Flight
	f.Add(pgwire.NewStmt("select pg_sleep(600)"), nil)
	if err := c.Run(ctx, &f); err == nil || c.IsBroken() {
		t.Errorf("%v, broken %v", err, c.IsBroken())
	}
}

// TestServerGoes: a server ends connections in different ways.
func TestServerGoes(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	uri := cluster.URI("postgres", pgtest.Superuser)
	sleep := pgwire.NewStmt("select pg_sleep(600)")

	busy, idle := dial(t, uri), dial(t, uri)
	done := make(chan error)
	go func() { _, err := run(busy, new(log), sleep); done <- err }()
	for value(t, idle, "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'") != "1" {
		time.Sleep(time.Millisecond)
	}
	cluster.Stop(t)
	if err := <-done; code(err) != "57P01" || !busy.IsBroken() {
		t.Errorf("busy: %v", err)
	}
	if err := idle.Check(); err == nil || code(err) != "57P01" {
		t.Errorf("idle: %v", err)
	}
	if _, err := pgwire.Connect(bg, mustParse(t, uri)); err == nil {
		t.Error("connected to nothing")
	}

	cluster.Restart(t)
	c := dial(t, uri)
	cluster.Kill(t)
	// The other server processes end soon.
	if !pgtest.Until(time.Minute, func() bool { return c.Check() != nil }) || !c.IsBroken() {
		t.Error("killed, and not noticed")
	}
}

func mustParse(tb testing.TB, uri string) *pgwire.Config {
	tb.Helper()
	cfg, err := pgwire.ParseConfig(uri)
	if err != nil {
		tb.Fatal(err)
	}
	return cfg
}

// TestExec: several statements; the first error is returned.
func TestExec(t *testing.T) {
	c := connect(t)
	exec(t, c, "")
	exec(t, c, "select 1; create table t(a int); insert into t values (1); ; select * from t")
	if err := c.Exec(bg, "insert into t values (2); select 1/0; insert into t values (3)"); code(err) != "22012" {
		t.Error(err)
	}
	if got := value(t, c, "select count(*) from t"); got != "1" {
		t.Errorf("%s rows", got)
	}
	// Query in a transaction that Exec has opened.
	exec(t, c, "begin; set local app.x = 'here'")
	if got := value(t, c, "select current_setting('app.x')"); got != "here" {
		t.Error(got)
	}
	exec(t, c, "commit")
	// An error of the callback.
	boom := errors.New("boom")
	if err := c.Query(bg, "select generate_series(1, 10)", nil, func([][]byte) error { return boom }); err != boom || c.IsBroken() {
		t.Error(err)
	}
	if err := c.Exec(bg, "copy t from stdin"); err == nil {
		t.Error("copied")
	}
}

func TestBorrowedIsOverwritten(t *testing.T) {
	c := connect(t)
	var kept []byte
	err := c.Query(bg, "select 'kept'", nil, func(columns [][]byte) error {
		kept = columns[0]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if raceBuild != (string(kept) != "kept") {
		t.Errorf("race build %v, kept %q", raceBuild, kept)
	}
}

// TestCancelMeetsNoOtherFlight: a flight is interrupted, early or late. The next flight on the
// connection is not.
func TestCancelMeetsNoOtherFlight(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI("postgres", pgtest.Superuser)
	c := dial(t, uri)
	nap, work := pgwire.NewStmt("select pg_sleep(0.002)"), pgwire.NewStmt("select count(*) from generate_series(1, 20000)")
	var f pgwire.Flight
	outcomes := map[string]int{}
	for i := range 150 {
		f.Reset()
		f.Add(nap, nil)
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(time.Duration(i%30) * 150 * time.Microsecond)
			f.Interrupt(errors.New("enough"))
		})
		err := c.Run(bg, &f)
		wg.Wait()
		outcomes[code(err)]++
		if c.IsBroken() {
			c = dial(t, uri)
			outcomes["broken"]++
		}
		f.Reset()
		f.Add(work, nil)
		if err := c.Run(bg, &f); err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
	}
	t.Log(outcomes)
}
