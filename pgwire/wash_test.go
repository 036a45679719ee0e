package pgwire_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestWash: what a flight that says so leaves in the session is gone before
// the next one, and nothing is washed in the middle of a transaction block.
func TestWash(t *testing.T) {
	c := connect(t)
	exec(t, c, "create table kept (a int); create role wash_other")
	leave := pgwire.NewStmt(`select set_config('app.x', 'left', false), set_config('role', 'wash_other', false),
		set_config('default_transaction_isolation', 'serializable', false), set_config('search_path', 'nowhere', false), pg_advisory_lock(1)`)
	const look = `select concat_ws(' ', nullif(current_setting('app.x', true), ''), nullif(current_user, 'postgres'),
		nullif(current_setting('transaction_isolation'), 'read committed'), nullif(current_setting('search_path'), '"$user", public'),
		(select 'locked' from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), to_regclass('pg_temp.kept')::text)`
	const left = "left wash_other serializable nowhere locked"
	soil := func(s pgwire.Soil, stmts ...*pgwire.Stmt) {
		t.Helper()
		f := new(pgwire.Flight)
		for _, stmt := range stmts {
			f.Add(stmt, nil)
		}
		f.Soils(s)
		if err := c.Run(bg, f); err != nil {
			t.Fatal(err)
		}
	}
	soil(pgwire.Clean, leave)
	if got := value(t, c, look); got != left {
		t.Errorf("unwashed: %q, want %q", got, left)
	}
	c.Soil(pgwire.Soiled)
	for range 2 {
		if got := value(t, c, look); got != "" {
			t.Errorf("washed on request: %q", got)
		}
	}
	soil(pgwire.Soiled, leave, pgwire.NewStmt("create temp table kept (a int)"))
	if got := value(t, c, look); got != "" {
		t.Errorf("washed: %q", got)
	}
	// A flight that fails has not cleaned anything, nor undone the washing.
	soil(pgwire.Soiled, leave)
	if _, err := run(c, new(log), pgwire.NewStmt("select 1/0")); code(err) != "22012" {
		t.Error(err)
	}
	if got := value(t, c, look); got != "" {
		t.Errorf("after an error: %q", got)
	}
	// The session of a block is its own until it ends.
	soil(pgwire.Soiled, pgwire.NewStmt("begin"), leave)
	if got := value(t, c, "select current_setting('app.x')"); got != "left" {
		t.Errorf("in the block: %q", got)
	}
	exec(t, c, "commit")
	if got := value(t, c, look); got != "" {
		t.Errorf("after the block: %q", got)
	}
	// Ours survive, unless functions prepare statements as well.
	ours := pgwire.NewStmt("select 1")
	prepare := pgwire.NewStmt("prepare theirs as select 2")
	const statements = "select count(*) filter (where from_sql) || ' of ' || count(*) from pg_prepared_statements"
	soil(pgwire.Soiled, ours, prepare)
	if got := value(t, c, "select name from pg_prepared_statements where from_sql"); got != "theirs" || !c.Knows(ours) {
		t.Errorf("prepared: %q, ours known: %t", got, c.Knows(ours))
	}
	soil(pgwire.SoiledStatements, ours)
	if got := value(t, c, statements); got != "0 of 0" || c.Knows(ours) {
		t.Errorf("prepared: %q, ours known: %t", got, c.Knows(ours))
	}
	soil(pgwire.Clean, ours, prepare)
}

// TestWashMessages: a washing is one message ahead of the flight, and a
// connection on which it failed is not used again.
func TestWashMessages(t *testing.T) {
	a := pgwire.NewStmt("a")
	washed := say{selected, oneField, oneRow, parameter, &pgproto3.CommandComplete{CommandTag: []byte("RESET")}, idle}
	for _, test := range []struct {
		name   string
		wash   say
		code   string
		broken bool
	}{
		{"fine", washed, "", false},
		{"failed", say{refusal("ERROR", "57014", ""), idle}, "", true},
		{"fatal", say{refusal("FATAL", "57P01", "")}, "57P01", true},
		{"nonsense", say{parsed}, `protocol violation: unexpected message '1'`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			heard := make(chan string, 10)
			s := pgtest.NewScript(t, answers(heard, test.wash, say{parsed, bound, oneField, oneRow, selected, idle}))
			c := connectTo(t, s)
			c.Soil(pgwire.Soiled)
			soon(t, "run", func() {
				l := new(log)
				_, err := run(c, l, a)
				if code(err) != test.code || c.IsBroken() != test.broken {
					t.Errorf("%v, broken: %t", err, c.IsBroken())
				}
				if test.code == "" && l.take() != "fields a:25/0\nrow \"1\"\ncomplete SELECT 1" {
					t.Error("the flight behind it was not read")
				}
				if h := <-heard; h != "Q" {
					t.Errorf("heard %q first", h)
				}
			})
		})
	}
}
