package pgwire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestReset: the state that a flight leaves in the session is reset before the next flight,
// but not inside a transaction block.
func TestReset(t *testing.T) {
	c := connect(t)
	exec(t, c, "create table kept (a int); drop role if exists reset_other; create role reset_other")
	leave := pgwire.NewStmt(`select set_config('app.x', 'left', false), set_config('role', 'reset_other', false),
		set_config('default_transaction_isolation', 'serializable', false), set_config('search_path', 'nowhere', false), pg_advisory_lock(1)`)
	const look = `select concat_ws(' ', nullif(current_setting('app.x', true), ''), nullif(current_user, 'postgres'),
		nullif(current_setting('transaction_isolation'), 'read committed'), nullif(current_setting('search_path'), '"$user", public'),
		(select 'locked' from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), to_regclass('pg_temp.kept')::text)`
	const left = "left reset_other serializable nowhere locked"
	runLeaving := func(s pgwire.SessionState, stmts ...*pgwire.Stmt) {
		t.Helper()
		f := new(pgwire.Flight)
		for _, stmt := range stmts {
			f.Add(stmt, nil)
		}
		f.LeavesState(s)
		if err := c.Run(bg, f); err != nil {
			t.Fatal(err)
		}
	}
	runLeaving(pgwire.Clean, leave)
	if got := value(t, c, look); got != left {
		t.Errorf("not reset: %q, want %q", got, left)
	}
	c.SessionChanged(pgwire.Dirty)
	for range 2 {
		if got := value(t, c, look); got != "" {
			t.Errorf("reset on request: %q", got)
		}
	}
	runLeaving(pgwire.Dirty, leave, pgwire.NewStmt("create temp table kept (a int)"))
	if got := value(t, c, look); got != "" {
		t.Errorf("reset: %q", got)
	}
	// A flight that fails leaves its state, and does not undo the reset.
	runLeaving(pgwire.Dirty, leave)
	if _, err := run(c, new(log), pgwire.NewStmt("select 1/0")); code(err) != "22012" {
		t.Error(err)
	}
	if got := value(t, c, look); got != "" {
		t.Errorf("after an error: %q", got)
	}
	// The session belongs to a transaction block until the block ends.
	runLeaving(pgwire.Dirty, pgwire.NewStmt("begin"), leave)
	if got := value(t, c, "select current_setting('app.x')"); got != "left" {
		t.Errorf("in the block: %q", got)
	}
	exec(t, c, "commit")
	if got := value(t, c, look); got != "" {
		t.Errorf("after the block: %q", got)
	}
	// Our prepared statements survive, unless functions prepare statements too.
	ours := pgwire.NewStmt("select 1")
	prepare := pgwire.NewStmt("prepare theirs as select 2")
	const statements = "select count(*) filter (where from_sql) || ' of ' || count(*) from pg_prepared_statements"
	runLeaving(pgwire.Dirty, ours, prepare)
	if got := value(t, c, "select name from pg_prepared_statements where from_sql"); got != "theirs" || !c.Knows(ours) {
		t.Errorf("prepared: %q, ours known: %t", got, c.Knows(ours))
	}
	runLeaving(pgwire.DirtyStatements, ours)
	if got := value(t, c, statements); got != "0 of 0" || c.Knows(ours) {
		t.Errorf("prepared: %q, ours known: %t", got, c.Knows(ours))
	}
	runLeaving(pgwire.Clean, ours, prepare)
}

// TestResetAll resets each kind of session state.
func TestResetAll(t *testing.T) {
	c := connect(t)
	exec(t, c, "create sequence numbers; drop role if exists reset_owner; create role reset_owner; grant reset_owner to current_user")
	for _, test := range []struct{ name, leave, look, left string }{
		{"setting", "set app.x = 'left'", "select current_setting('app.x', true)", "left"},
		{"setting of PostgreSQL", "set work_mem = '64kB'", "select nullif(current_setting('work_mem'), '4MB')", "64kB"},
		{"setting of the next transaction", "set default_transaction_read_only = on", "select nullif(current_setting('transaction_read_only'), 'off')", "on"},
		{"timeout", "set statement_timeout = '1min'", "select nullif(current_setting('statement_timeout'), '0')", "1min"},
		{"role", "set role reset_owner", "select nullif(current_user, session_user)", "reset_owner"},
		{"session user", "set session authorization reset_owner", "select nullif(session_user, 'postgres')", "reset_owner"},
		{"advisory lock", "select pg_advisory_lock(1)", "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()", "1"},
		{"channel", "listen c", "select pg_listening_channels()", "c"},
		{"cursor", "declare c cursor with hold for select 1", "select name from pg_cursors where is_holdable", "c"},
		{"temporary table", "create temp table kept (a int)", "select to_regclass('pg_temp.kept')", "kept"},
		{"temporary function", "create function pg_temp.kept() returns int language sql as 'select 1'", "select to_regproc('pg_temp.kept')", "kept"},
		{"temporary type", "create type pg_temp.kept_type as enum ('a')", "select to_regtype('pg_temp.kept_type')", "kept_type"},
		{"prepared statement", "prepare kept as select 1", "select name from pg_prepared_statements where from_sql", "kept"},
	} {
		t.Run(test.name, func(t *testing.T) {
			look := func() string {
				var got string
				err := c.Query(bg, test.look, nil, func(columns [][]byte) error { got = string(columns[0]); return nil })
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			exec(t, c, test.leave)
			if got := strings.TrimPrefix(look(), "pg_temp."); !strings.HasSuffix(got, test.left) {
				t.Errorf("before the reset: %q, want %q", got, test.left)
			}
			c.SessionChanged(pgwire.DirtyStatements)
			if got := look(); got != "" && got != "0" {
				t.Errorf("after the reset: %q", got)
			}
		})
	}
	for _, function := range []string{"currval('numbers')", "lastval()"} {
		exec(t, c, "select nextval('numbers')")
		c.SessionChanged(pgwire.Dirty)
		if _, err := run(c, new(log), pgwire.NewStmt("select "+function)); code(err) != "55000" {
			t.Errorf("%s after the reset: %v", function, err)
		}
	}
	// The same seed gives the same numbers, unless it has been set again.
	const random = "select string_agg(random()::text, ' ') from generate_series(1, 3)"
	exec(t, c, "select setseed(0.5)")
	known := value(t, c, random)
	exec(t, c, "select setseed(0.5)")
	if got := value(t, c, random); got != known {
		t.Fatalf("setseed: %s, want %s", got, known)
	}
	seen := map[string]bool{known: true}
	for range 5 {
		exec(t, c, "select setseed(0.5)")
		c.SessionChanged(pgwire.Dirty)
		if got := value(t, c, random); seen[got] {
			t.Errorf("random numbers after the reset: %s once more", got)
		} else {
			seen[got] = true
		}
	}
}

// resetEnd is the response to the messages of a reset after its Query.
var resetEnd = say{parsed, bound, savepoint, parsed, bound, oneRow, selected, parsed, bound, &pgproto3.CommandComplete{CommandTag: []byte("COMMIT")}}

var savepoint = &pgproto3.CommandComplete{CommandTag: []byte("SAVEPOINT")}

// TestResetMessages: the reset is in the same write as the flight. If the reset fails, the
// flight fails and the connection is not used again.
func TestResetMessages(t *testing.T) {
	a := pgwire.NewStmt("a")
	inBlock, inFailed := pgtest.Ready('T'), pgtest.Ready('E')
	done := &pgproto3.CommandComplete{CommandTag: []byte("RESET")}
	response := say{parsed, bound, oneField, oneRow, selected, idle}
	refused := refusal("ERROR", "25P02", "")
	canceled := refusal("ERROR", "57014", "")
	join := func(parts ...say) (all say) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	const (
		failed = "session reset failed: ERROR: no (SQLSTATE 57014)"
		state  = "protocol violation: unexpected state of a transaction"
	)
	for _, test := range []struct {
		name        string
		query, rest say
		code        string
	}{
		{"fine", say{done, selected, oneField, oneRow, parameter, notice, inBlock}, join(resetEnd, response), ""},
		{"a command fails", say{done, canceled, inFailed}, say{refused, idle}, failed},
		{"BEGIN fails", say{canceled, idle}, say{parsed, bound, refusal("ERROR", "25P01", ""), idle}, failed},
		{"a savepoint in spite of a failure", say{canceled, idle}, join(resetEnd, response), `protocol violation: unexpected message 'C'`},
		{"the block ends", say{done, idle}, join(resetEnd, response), state},
		{"the block fails without an error", say{done, inFailed}, say{refused, idle}, state},
		{"SAVEPOINT fails", say{done, inBlock}, say{canceled, inFailed}, failed},
		{"setseed fails", say{done, inBlock}, join(resetEnd[:3], say{canceled, inFailed}), failed},
		{"setseed fails late", say{done, inBlock}, join(resetEnd[:5], say{canceled, inFailed}), failed},
		{"COMMIT fails", say{done, inBlock}, join(resetEnd[:9], say{canceled, idle}), failed},
		{"fatal", say{refusal("FATAL", "57P01", "")}, nil, "57P01"},
		{"fatal later", say{done, inBlock}, join(resetEnd[:9], say{refusal("FATAL", "57P01", "")}), "57P01"},
		{"nonsense", say{parsed}, nil, `protocol violation: unexpected message '1'`},
		{"nonsense later", say{done, inBlock}, say{bound}, `protocol violation: unexpected message '2'`},
		{"an response in spite of a failure", say{done, canceled, inFailed}, join(resetEnd, response), `protocol violation: unexpected message '1'`},
	} {
		t.Run(test.name, func(t *testing.T) {
			heard := make(chan string, 10)
			s := pgtest.NewScript(t, responses(heard, test.query, test.rest))
			c := connectTo(t, s)
			c.SessionChanged(pgwire.Dirty)
			soon(t, "run", func() {
				l := new(log)
				_, err := run(c, l, a)
				if code(err) != test.code || c.IsBroken() != (test.code != "") {
					t.Errorf("%v, broken: %t", err, c.IsBroken())
				}
				want := ""
				if test.code == "" {
					want = "fields a:25/0\nrow \"1\"\ncomplete SELECT 1"
				}
				if got := l.take(); got != want {
					t.Errorf("of the flight %q was delivered", got)
				}
				var local *pgwire.ConnError
				if test.code == failed && (!errors.As(err, &local) || !local.Retryable() || c.Retired() == nil) {
					t.Errorf("cannot be run again: %#v", err)
				}
				if h := <-heard; h != "Q" {
					t.Errorf("heard %q first", h)
				}
				if test.rest != nil {
					if h := <-heard; h != "PBEPBEPBEPBDES" {
						t.Errorf("heard %q then", h)
					}
				}
			})
		})
	}
}

// failedReset is a session that alice has used and whose reset fails. Then flights of bob
// run on it.
type failedReset struct {
	conn, other *pgwire.Conn
	read, write *pgwire.Stmt
	rows        log
}

func newFailedReset(t *testing.T, uri string) *failedReset {
	r := &failedReset{conn: dial(t, uri), other: dial(t, uri),
		read: pgwire.NewStmt("select current_setting('app.who', true), (select count(*) from kept)"), write: pgwire.NewStmt("insert into written select current_setting('app.who')")}
	exec(t, r.other, "create table kept (a int); create table written (who text)")
	// Both are parsed, so that they can share.
	for _, s := range []*pgwire.Stmt{r.read, r.write} {
		exec(t, r.conn, "set app.who = 'nobody'")
		if _, err := run(r.conn, new(log), s); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, r.other, "truncate written")
	exec(t, r.conn, "set app.who = 'alice'; create temp table kept (a int); insert into kept values (1)")
	r.conn.SessionChanged(pgwire.Dirty)
	return r
}

// check tests that a flight of bob did nothing because the reset failed.
func (r *failedReset) check(t *testing.T, what string, err error) {
	t.Helper()
	var local *pgwire.ConnError
	if !errors.As(err, &local) || local.Kind != pgwire.ResetFailed || !local.Retryable() {
		t.Errorf("%s: %v", what, err)
	}
}

func (r *failedReset) end(t *testing.T) {
	t.Helper()
	if got := r.rows.take(); got != "" {
		t.Errorf("bob was told %s", got)
	}
	if !r.conn.IsBroken() {
		t.Error("the connection is still used")
	}
	if got := value(t, r.other, "select coalesce(string_agg(who, ' '), '') from written"); got != "" {
		t.Errorf("written as %s", got)
	}
	f := new(pgwire.Flight)
	f.Add(r.read, &r.rows)
	if err := r.conn.Run(bg, f); err == nil {
		t.Errorf("another flight was run: %s", r.rows.take())
	}
}

// TestResetWithLockTableFull: the server does not run a flight behind a reset that it
// refuses.
func TestResetWithLockTableFull(t *testing.T) {
	cluster := pgtest.StartOwn(t, "max_locks_per_transaction = 10", "max_connections = 10")
	uri := cluster.URI(cluster.NewDB(t), pgtest.Superuser)
	for name, statement := range map[string]func(*failedReset) *pgwire.Stmt{
		"read":  func(r *failedReset) *pgwire.Stmt { return r.read },
		"write": func(r *failedReset) *pgwire.Stmt { return r.write },
	} {
		t.Run(name, func(t *testing.T) {
			r := newFailedReset(t, uri)
			exec(t, r.other, "select * from written")
			err := r.other.Exec(bg, "select pg_advisory_lock(i) from generate_series(1, 100000) i")
			if code(err) != "53200" {
				t.Fatal("the lock table has no end: ", err)
			}
			_, err = run(r.conn, &r.rows, statement(r))
			exec(t, r.other, "select pg_advisory_unlock_all()")
			r.check(t, name, err)
			if !strings.Contains(fmt.Sprint(err), "53200") {
				t.Errorf("it does not say why: %v", err)
			}
			r.end(t)
			exec(t, r.other, "drop table kept, written")
		})
	}
}

// waitingForTable waits until a backend waits for a lock on a table.
func waitingForTable(t *testing.T, c *pgwire.Conn, pid uint32) {
	t.Helper()
	if !pgtest.Until(time.Minute, func() bool {
		return value(t, c, fmt.Sprintf("select count(*) from pg_locks where locktype = 'relation' and not granted and pid = %d", pid)) == "1"
	}) {
		t.Fatal("no session waits for the table")
	}
}

// TestResetCanceled: the same if a cancel request meets the reset. The request was meant for
// the flight behind it or for one before.
func TestResetCanceled(t *testing.T) {
	cluster := pgtest.Start(t)
	lock := func(t *testing.T) (*failedReset, *pgwire.Conn) {
		uri := cluster.URI(cluster.NewDB(t), pgtest.Superuser)
		r := newFailedReset(t, uri)
		locker := dial(t, uri)
		// DISCARD TEMP waits.
		schema := value(t, locker, "select relnamespace::regnamespace from pg_class where relname = 'kept' and relpersistence = 't'")
		exec(t, locker, "begin; lock table "+schema+".kept in access share mode")
		return r, locker
	}
	cancel := func(t *testing.T, r *failedReset, locker *pgwire.Conn) {
		waitingForTable(t, locker, r.conn.PID())
		exec(t, locker, fmt.Sprintf("select pg_cancel_backend(%d)", r.conn.PID()))
	}
	t.Run("meant for another", func(t *testing.T) {
		r, locker := lock(t)
		done := make(chan error, 1)
		go func() { _, err := run(r.conn, &r.rows, r.write); done <- err }()
		cancel(t, r, locker)
		r.check(t, "write", <-done)
		r.end(t)
	})
	t.Run("meant for the flight", func(t *testing.T) {
		r, locker := lock(t)
		cause := errors.New("the client has gone")
		f := new(pgwire.Flight)
		f.Add(r.write, nil)
		done := make(chan error, 1)
		go func() { done <- r.conn.Run(bg, f) }()
		waitingForTable(t, locker, r.conn.PID())
		f.Interrupt(cause)
		var local *pgwire.ConnError
		if err := <-done; !errors.As(err, &local) || local.Kind != pgwire.Canceled || !errors.Is(err, cause) {
			t.Error(err)
		}
		r.end(t)
	})
	t.Run("shared", func(t *testing.T) {
		r, locker := lock(t)
		var sharing pgwire.Sharing
		r.conn.Share(&sharing)
		flights := make([]pgwire.Flight, 4)
		for i := range flights {
			flights[i].Add([]*pgwire.Stmt{r.read, r.write}[i%2], &r.rows)
			if !sharing.Append(&flights[i]) {
				t.Fatal("not taken")
			}
		}
		sharing.Flush()
		cancel(t, r, locker)
		for i := range flights {
			r.check(t, fmt.Sprint("flight ", i), sharing.Receive(&flights[i]))
			var late pgwire.Flight
			late.Add(r.read, nil)
			if sharing.Append(&late) {
				t.Error("a flight is added to a connection whose reset has failed")
			}
		}
		r.conn.Unshare()
		r.end(t)
	})
	t.Run("exec", func(t *testing.T) {
		r, locker := lock(t)
		done := make(chan error, 1)
		go func() {
			done <- r.conn.Exec(context.Background(), "insert into written select current_setting('app.who')")
		}()
		cancel(t, r, locker)
		r.check(t, "exec", <-done)
		r.end(t)
	})
}

// TestResetShared: on a shared connection every flight finds the session clean, also those
// that are sent before the response to the first reset.
func TestResetShared(t *testing.T) {
	c := connect(t)
	leave := pgwire.NewStmt("select set_config('app.who', concat(nullif(current_setting('app.who', true), ''), $1::text), false)")
	look := pgwire.NewStmt("select nullif(current_setting('app.who', true), ''), $1::text")
	for _, s := range []*pgwire.Stmt{leave, look} {
		f := new(pgwire.Flight)
		f.Add(s, nil)
		f.Arg([]byte("x"))
		if err := c.Run(bg, f); err != nil {
			t.Fatal(err)
		}
	}
	c.SessionChanged(pgwire.Dirty)
	for round := range 3 { // the first begins unclean
		var sharing pgwire.Sharing
		c.Share(&sharing)
		flights := make([]pgwire.Flight, 8)
		rows := make([]log, len(flights))
		for i := range flights {
			s := look
			if i < 4 && round < 2 {
				s = leave
				flights[i].LeavesState(pgwire.Dirty)
			}
			flights[i].Add(s, &rows[i])
			flights[i].Arg(fmt.Append(nil, i))
			if !sharing.Append(&flights[i]) {
				t.Fatal("not taken")
			}
		}
		sharing.Flush()
		for i := range flights {
			if err := sharing.Receive(&flights[i]); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("row NULL \"%d\"\ncomplete SELECT 1", i)
			if i < 4 && round < 2 {
				want = fmt.Sprintf("row \"%d\"\ncomplete SELECT 1", i)
			}
			if got := rows[i].take(); got != want {
				t.Errorf("round %d, flight %d: %s, want %s", round, i, got, want)
			}
		}
		c.Unshare()
	}
}
