package pgwire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// code is the SQLSTATE of an error, or the text of another error.
func code(err error) string {
	var said *pgwire.Error
	var ce *pgwire.ConnError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &said):
		return said.Code
	case errors.As(err, &ce):
		return ce.Error()
	}
	return err.Error()
}

// value is the first column of the only row of a query.
func value(tb testing.TB, c *pgwire.Conn, sql string) string {
	tb.Helper()
	got := "no row"
	err := c.Query(bg, sql, nil, func(columns [][]byte) error {
		got = string(columns[0])
		return nil
	})
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return got
}

// TestTransactions checks the forms of a transaction, and the state after a failed step.
func TestTransactions(t *testing.T) {
	c := connect(t)
	exec(t, c, `create table t(a int primary key, b int references t deferrable initially deferred)`)
	set := pgwire.NewStmt("select set_config('app.x', 'set', true)")
	readOnly := pgwire.NewStmt("select set_config('transaction_read_only', 'on', true)")
	readWrite := pgwire.NewStmt("select set_config('transaction_read_only', 'off', true)")
	insert := pgwire.NewStmt("insert into t values (1, null)")
	orphan := pgwire.NewStmt("insert into t values (2, 3)")
	level := pgwire.NewStmt("set local transaction isolation level serializable")
	broken := pgwire.NewStmt("select 1/0")
	syntax := pgwire.NewStmt("selec")
	type flight = func(f *pgwire.Flight)
	add := func(stmts ...*pgwire.Stmt) flight {
		return func(f *pgwire.Flight) {
			for _, s := range stmts {
				f.Add(s, nil)
			}
		}
	}
	begin := func(f *pgwire.Flight) { f.Begin(pgwire.DefaultIsolation, false) }
	commit := (*pgwire.Flight).Commit
	rollback := (*pgwire.Flight).Rollback
	for _, test := range []struct {
		name   string
		flight []flight
		code   string // of the error
		step   int
		status string // of the transaction afterwards
		rows   string // in t, after a rollback of what is left
	}{
		{"implicit", []flight{add(set, insert)}, "", -1, "I", "1"},
		{"implicit, an error", []flight{add(insert, broken, set)}, "22012", 1, "I", "0"},
		{"implicit, an error when parsed", []flight{add(insert, syntax, set)}, "42601", 1, "I", "0"},
		{"implicit, an error at the end", []flight{add(set, orphan)}, "23503", 2, "I", "0"},
		{"read only", []flight{add(readOnly, insert)}, "25006", 1, "I", "0"},
		{"read only, switched back", []flight{add(readOnly, set, readWrite, insert)}, "25001", 2, "I", "0"},
		{"isolation level after a query", []flight{add(set, level)}, "25001", 1, "I", "0"},
		{"explicit", []flight{begin, add(set, insert), commit}, "", -1, "I", "1"},
		{"explicit, rolled back", []flight{begin, add(set, insert), rollback}, "", -1, "I", "0"},
		{"explicit, an error", []flight{begin, add(insert, broken), commit}, "22012", 2, "E", "0"},
		{"explicit, an error at commit", []flight{begin, add(orphan), commit}, "23503", 2, "I", "0"},
		{"checked before rollback", []flight{begin, add(orphan), (*pgwire.Flight).SetConstraintsImmediate, rollback}, "23503", 2, "E", "0"},
		{"held", []flight{begin, add(insert)}, "", -1, "T", "0"},
		{"commit of nothing", []flight{commit}, "", -1, "I", "0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Twice: with statements that are not parsed yet, and with parsed ones.
			for range 2 {
				exec(t, c, "delete from t")
				var f pgwire.Flight
				for _, part := range test.flight {
					part(&f)
				}
				err := c.Run(bg, &f)
				if code(err) != test.code || f.FailedStep() != test.step {
					t.Errorf("%v at step %d, want %s at %d", err, f.FailedStep(), test.code, test.step)
				}
				if got := string(c.InTransaction()); got != test.status {
					t.Errorf("left in %s, want %s", got, test.status)
				}
				if err := c.Rollback(bg); err != nil || c.InTransaction() != 'I' {
					t.Errorf("Rollback: %v, left in %c", err, c.InTransaction())
				}
				if got := value(t, c, "select count(*) from t"); got != test.rows {
					t.Errorf("%s rows, want %s", got, test.rows)
				}
				if got := value(t, c, "select coalesce(current_setting('app.x', true), '')"); got != "" {
					t.Errorf("setting leaked: %q", got)
				}
			}
		})
	}
}

// TestHeldCommit: a second flight ends the transaction of the first.
func TestHeldCommit(t *testing.T) {
	c := connect(t)
	exec(t, c, "create table t(a int)")
	insert := pgwire.NewStmt("insert into t values (1) returning a")
	for _, end := range []struct {
		with   func(*pgwire.Flight)
		status string
		rows   string
	}{
		{(*pgwire.Flight).Commit, "T", "1"},
		{(*pgwire.Flight).Rollback, "T", "1"}, // of the second, none
	} {
		var f pgwire.Flight
		var l log
		f.Begin(pgwire.ReadCommitted, false)
		f.Add(insert, &l)
		if err := c.Run(bg, &f); err != nil {
			t.Fatal(err)
		}
		if got := string(c.InTransaction()); got != end.status {
			t.Errorf("between: %s", got)
		}
		f.Reset()
		end.with(&f)
		if err := c.Run(bg, &f); err != nil {
			t.Fatal(err)
		}
		if got := value(t, c, "select count(*) from t"); got != end.rows {
			t.Errorf("%s rows", got)
		}
	}
	// The commit of a failed transaction is an error.
	var f pgwire.Flight
	f.Begin(pgwire.DefaultIsolation, false)
	f.Add(pgwire.NewStmt("select 1/0"), nil)
	_ = c.Run(bg, &f)
	f.Reset()
	f.Commit()
	var ce *pgwire.ConnError
	if err := c.Run(bg, &f); !errors.As(err, &ce) || ce.Kind != pgwire.RolledBack || c.IsBroken() || c.InTransaction() != 'I' {
		t.Errorf("commit of a failed transaction: %v", err)
	}
}

// TestIsolation: Begin sets the isolation level of the flight.
func TestIsolation(t *testing.T) {
	c := connect(t)
	show := pgwire.NewStmt("select current_setting('transaction_isolation'), current_setting('transaction_read_only')")
	for level, want := range map[pgwire.Isolation]string{
		pgwire.DefaultIsolation: "read committed", pgwire.ReadCommitted: "read committed",
		pgwire.RepeatableRead: "repeatable read", pgwire.Serializable: "serializable",
	} {
		for readOnly, on := range map[bool]string{false: "off", true: "on"} {
			var f pgwire.Flight
			var l log
			f.Begin(level, readOnly)
			f.Add(show, &l)
			f.Commit()
			if err := c.Run(bg, &f); err != nil {
				t.Fatal(err)
			}
			if got := l.take(); !strings.Contains(got, `row "`+want+`" "`+on+`"`) {
				t.Errorf("%v, %v: %s", level, readOnly, got)
			}
		}
	}
}

// TestWhenNamesAreChecked checks what prepared statements rely on: a statement is parsed with
// the privileges of the role that was set before it in the flight. The privilege to use a
// schema is checked only then, the privilege to read a table each time.
func TestWhenNamesAreChecked(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `
		create role names_login login noinherit; create role names_in; create role names_out;
		grant names_in, names_out to names_login;
		create schema s; create table s.t(a int); create table s.own(a int);
		grant usage on schema s to names_in; grant select on s.t to names_in, names_out; grant select on s.own to names_in`)
	t.Cleanup(func() {
		cluster.Exec(t, db, "drop owned by names_in, names_out; drop role names_login, names_in, names_out")
	})
	c := dial(t, cluster.URI(db, "names_login"))
	role := pgwire.NewStmt("select set_config('role', $1, true)")
	attempt := func(as string, s *pgwire.Stmt) string {
		var f pgwire.Flight
		if as != "" {
			f.Add(role, nil)
			f.Arg([]byte(as))
		}
		f.Add(s, nil)
		return code(c.Run(bg, &f))
	}
	get, own := pgwire.NewStmt("select * from s.t"), pgwire.NewStmt("select * from s.own")
	for _, step := range []struct {
		as   string
		stmt *pgwire.Stmt
		code string
	}{
		{"", get, "42501"},          // who logs in has no rights
		{"names_in", get, ""},       // parsed as names_in
		{"names_out", get, ""},      // without usage of the schema: not checked any more
		{"", get, "42501"},          // the table is
		{"names_out", own, "42501"}, // parsed by one who may not
		{"names_in", own, ""},       // that was not remembered as parsed
		{"names_out", own, "42501"}, // executed by one who may not
		{"names_out", pgwire.NewStmt("select * from s.t"), "42501"}, // a statement of its own is parsed, and refused
	} {
		if got := attempt(step.as, step.stmt); got != step.code {
			t.Errorf("%s as %q: %q, want %q", step.stmt.SQL(), step.as, got, step.code)
		}
	}
}

// TestStale: a statement whose columns have changed is parsed again when the flight is
// repeated.
func TestStale(t *testing.T) {
	c := connect(t)
	exec(t, c, "create table t(a int); insert into t values (1)")
	get := pgwire.NewStmt("select * from t")
	for _, change := range []string{"", "alter table t add b int", "deallocate all", "discard all", "alter table t alter a type text"} {
		if change != "" {
			exec(t, c, change)
			_, err := run(c, new(log), get)
			var said *pgwire.Error
			if !errors.As(err, &said) || !said.Stale() || c.IsBroken() {
				t.Errorf("after %s: %v", change, err)
			}
		}
		var l log
		if _, err := run(c, &l, get); err != nil || !strings.HasPrefix(l.take(), "fields") {
			t.Errorf("repeated after %s: %v", change, err)
		}
	}
}
