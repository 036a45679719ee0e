package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var transactionSchema = pgtest.Role("w_hurried", "statement_timeout = '60ms'") +
	pgtest.Role("w_impatient", "lock_timeout = '60ms'") + pgtest.Role("w_german", "datestyle = 'German, DMY'") + `
create schema api;
create table api.note (id int generated always as identity, body text);
create table api.thing (id int primary key, body text);
insert into api.thing values (1, 'a'), (2, 'b'), (3, 'c');
create table api.parent (id int primary key, name text);
create table api.child (
  id int unique deferrable initially deferred,
  parent_id int references api.parent deferrable initially deferred);
-- Writes to these tables run code that may set response.headers. Those to quiet do not.
create function api.hears() returns trigger language plpgsql as 'begin return coalesce(new, old); end';
create trigger hears before insert or update or delete on api.note for each row execute function api.hears();
create trigger hears before insert or update or delete on api.thing for each row execute function api.hears();
create trigger hears before insert or update or delete on api.parent for each row execute function api.hears();
create trigger hears before insert or update or delete on api.child for each row execute function api.hears();
create table api.quiet (id int unique deferrable initially deferred, body text);
create table api.made (id int, at timestamptz, day date);
create function api.add() returns int volatile language sql as 'insert into api.note(body) values (''called'') returning id';
create function api.adds(n int) returns setof api.note volatile language sql as
  'insert into api.note(body) select ''called'' from generate_series(1, n) returning *';
create function api.add_repeatable() returns int volatile language sql set default_transaction_isolation = 'repeatable read' as
  'insert into api.note(body) values (''called'') returning id';
create function api.add_committed() returns int volatile language sql set default_transaction_isolation = 'read committed' as
  'insert into api.note(body) values (''called'') returning id';
create function api.level() returns text volatile language sql as
  $$ select current_setting('transaction_isolation') || ', ' || case current_setting('transaction_read_only') when 'on' then 'read only' else 'read write' end $$;
create function api.stable_level() returns text stable language sql as
  $$ select current_setting('transaction_isolation') || ', ' || case current_setting('transaction_read_only') when 'on' then 'read only' else 'read write' end $$;
create function api.repeatable_level() returns text volatile language sql set default_transaction_isolation = 'repeatable read' as
  $$ select current_setting('transaction_isolation') $$;
create function api.orphan(id int) returns int volatile language sql as 'insert into api.child values (id, 99) returning id';
create function api.gucs(headers text, status text) returns void volatile language sql as $$
  insert into api.note(body) values ('gucs');
  select set_config('response.headers', headers, true), set_config('response.status', status, true);
$$;
create function api.pid() returns int language sql volatile as 'select pg_backend_pid()';
create function api.before() returns void language sql as 'select';
grant usage on schema api to test_anon, test_serial, w_hurried, w_impatient, w_german;
grant all on all tables in schema api to test_anon, test_serial, w_hurried, w_impatient, w_german;
`

// TestTransactionForms pins the form of transaction for each kind of request, and
// checks that the rows match the response.
func TestTransactionForms(t *testing.T) {
	const (
		implicit     = "settings main response |"
		read         = "settings main |"
		serializable = "begin isolation level serializable read write settings main response commit |"
		repeatable   = "begin isolation level repeatable read read write settings settings main commit |"
		undone       = "begin settings main response constraints rollback |"
		held         = "begin settings main response | commit |"
		refused      = "begin settings main response | rollback |"
		serialHeld   = "begin isolation level serializable read write settings main response | commit |"
		// PostgreSQL computes the body of a call, and brings the settings with it; see exec.Execution.checkColumns.
		call        = "settings main |"
		callHeld    = "begin settings main | commit |"
		callRefused = "begin settings main | rollback |"
		callUndone  = "begin settings main constraints rollback |"
		strict      = "Prefer: handling=strict, max-affected=1"
		commit      = "Prefer: tx=commit"
		rollback    = "Prefer: tx=rollback"
		serial      = "test_serial"
		two         = `[{"body":"x"},{"body":"y"}]`
		one         = `{"body":"x"}`
		put         = `{"id":9,"body":"x"}`
	)
	type test struct {
		name, role           string
		method, target, body string
		head                 []string
		form                 string
		status               int
		notes                int    // rows more in note
		things               string // thing afterwards, where it changes
	}
	var before = "1a2b3c"
	for _, group := range []struct {
		txEnd, preRequest string
		tests             []test
		replicas          string
	}{
		{txEnd: "commit", tests: []test{
			{name: "insert", method: "POST", target: "/note", body: one, form: implicit, status: 201, notes: 1},
			{name: "insert with representation", method: "POST", target: "/note", body: two, head: []string{full}, form: implicit, status: 201, notes: 2},
			{name: "insert by a serializable role", role: serial, method: "POST", target: "/note", body: one, form: serializable, status: 201, notes: 1},
			{name: "insert that may not ask for a rollback", method: "POST", target: "/note", body: one, head: []string{rollback}, form: implicit, status: 201, notes: 1},
			{name: "singular insert", method: "POST", target: "/note", body: one, head: []string{object, full}, form: held, status: 201, notes: 1},
			{name: "singular insert without representation", method: "POST", target: "/note", body: one, head: []string{object}, form: held, status: 201, notes: 1},
			{name: "singular insert of two", method: "POST", target: "/note", body: two, head: []string{object, full}, form: refused, status: 406},
			{name: "singular insert of two without representation", method: "POST", target: "/note", body: two, head: []string{object}, form: refused, status: 406},
			{name: "singular insert of none", method: "POST", target: "/note", body: "[]", head: []string{object, full}, form: refused, status: 406},
			{name: "singular insert by a serializable role", role: serial, method: "POST", target: "/note", body: one, head: []string{object, full}, form: serialHeld, status: 201, notes: 1},
			{name: "put", method: "PUT", target: "/thing?id=eq.9", body: put, form: held, status: 204, things: "1a2b3c9x"},
			{name: "put with another key", method: "PUT", target: "/thing?id=eq.8", body: put, form: refused, status: 400},
			{name: "put of several", method: "PUT", target: "/thing?id=eq.9", body: `[{"id":9,"body":"x"},{"id":8,"body":"y"}]`, form: held, status: 204, things: "1a2b3c9x"},
			{name: "upsert", method: "POST", target: "/thing", body: `[{"id":1,"body":"x"},{"id":9,"body":"y"}]`, head: []string{"Prefer: resolution=merge-duplicates"}, form: implicit, status: 201, things: "1x2b3c9y"},
			{name: "update", method: "PATCH", target: "/thing?id=eq.1", body: one, form: implicit, status: 204, things: "1x2b3c"},
			{name: "update within the limit", method: "PATCH", target: "/thing?id=eq.1", body: one, head: []string{strict}, form: held, status: 204, things: "1x2b3c"},
			{name: "update beyond the limit", method: "PATCH", target: "/thing?id=gt.1", body: one, head: []string{strict}, form: refused, status: 400},
			{name: "update beyond the limit, leniently", method: "PATCH", target: "/thing?id=gt.1", body: one, head: []string{"Prefer: max-affected=1"}, form: implicit, status: 204, things: "1a2x3x"},
			{name: "singular update of none", method: "PATCH", target: "/thing?id=gt.9", body: one, head: []string{object}, form: refused, status: 406},
			{name: "singular update of two", method: "PATCH", target: "/thing?id=gt.1", body: one, head: []string{object, full}, form: refused, status: 406},
			{name: "delete", method: "DELETE", target: "/thing?id=eq.1", form: implicit, status: 204, things: "2b3c"},
			{name: "delete within the limit", method: "DELETE", target: "/thing?id=eq.1", head: []string{strict}, form: held, status: 204, things: "2b3c"},
			{name: "delete beyond the limit", method: "DELETE", target: "/thing?id=gt.1", head: []string{strict}, form: refused, status: 400},
			{name: "singular delete of two", method: "DELETE", target: "/thing?id=gt.1", head: []string{object}, form: refused, status: 406},
			{name: "plain insert", method: "POST", target: "/quiet", body: one, form: "settings main |", status: 201},
			{name: "plain singular insert", method: "POST", target: "/quiet", body: one, head: []string{object, full}, form: "begin settings main | commit |", status: 201},
			{name: "plain singular insert of two", method: "POST", target: "/quiet", body: two, head: []string{object}, form: "begin settings main | rollback |", status: 406},
			{name: "plain insert by a serializable role", role: serial, method: "POST", target: "/quiet", body: one, form: "begin isolation level serializable read write settings main commit |", status: 201},
			{name: "plain insert with a late error", method: "POST", target: "/quiet", body: `[{"id":5},{"id":5}]`, form: "settings main |", status: 409},
			{name: "plain upsert", method: "POST", target: "/quiet?on_conflict=body", body: one, head: []string{"Prefer: resolution=merge-duplicates"}, form: "settings main response |", status: 400},
			{name: "plain update", method: "PATCH", target: "/quiet", body: one, form: "settings main |", status: 204},
			{name: "plain delete", method: "DELETE", target: "/quiet", form: "settings main |", status: 204},
			{name: "call", method: "POST", target: "/rpc/add", form: call, status: 200, notes: 1},
			{name: "call by a serializable role", role: serial, method: "POST", target: "/rpc/add", form: "begin isolation level serializable read write settings main commit |", status: 200, notes: 1},
			{name: "call with a level of its own", method: "POST", target: "/rpc/add_repeatable", form: repeatable, status: 200, notes: 1},
			{name: "call with a level of its own by a serializable role", role: serial, method: "POST", target: "/rpc/add_repeatable", form: repeatable, status: 200, notes: 1},
			{name: "call with the usual level by a serializable role", role: serial, method: "POST", target: "/rpc/add_committed", form: "settings settings main |", status: 200, notes: 1},
			{name: "singular call", method: "POST", target: "/rpc/adds", body: `{"n":1}`, head: []string{object}, form: callHeld, status: 200, notes: 1},
			{name: "singular call for two", method: "POST", target: "/rpc/adds", body: `{"n":2}`, head: []string{object}, form: callRefused, status: 406},
			{name: "call beyond the limit", method: "POST", target: "/rpc/adds", body: `{"n":2}`, head: []string{strict}, form: callRefused, status: 400},
			{name: "call within the limit", method: "POST", target: "/rpc/adds", body: `{"n":1}`, head: []string{strict}, form: callHeld, status: 200, notes: 1},
			{name: "call by GET cannot write", method: "GET", target: "/rpc/add", form: "settings main response |", status: 405},
			{name: "read", method: "GET", target: "/thing", form: read, status: 200},
			{name: "read by a serializable role", role: serial, method: "GET", target: "/thing", form: "begin isolation level serializable read only settings main commit |", status: 200},
			{name: "singular read of two", method: "GET", target: "/thing?id=gt.1", head: []string{object}, form: read, status: 406},
		}},
		// A bookmark takes no round trip of its own.
		{replicas: "postgresql://127.0.0.1:1/none", txEnd: "commit-allow-override", tests: []test{
			{name: "insert", method: "POST", target: "/note", body: one, form: "begin settings main response commit bookmark |", status: 201, notes: 1},
			{name: "singular insert", method: "POST", target: "/note", body: one, head: []string{object, full}, form: "begin settings main response | commit bookmark |", status: 201, notes: 1},
			{name: "singular insert of two", method: "POST", target: "/note", body: two, head: []string{object, full}, form: refused, status: 406},
			{name: "insert, rolled back", method: "POST", target: "/note", body: one, head: []string{rollback}, form: undone, status: 201},
			{name: "call", method: "POST", target: "/rpc/add", form: "begin settings main commit bookmark |", status: 200, notes: 1},
			{name: "read", method: "GET", target: "/thing", form: read, status: 200},
		}},
		{txEnd: "commit-allow-override", tests: []test{
			{name: "insert", method: "POST", target: "/note", body: one, form: implicit, status: 201, notes: 1},
			{name: "insert, rolled back", method: "POST", target: "/note", body: one, head: []string{rollback}, form: undone, status: 201},
			{name: "insert, committed", method: "POST", target: "/note", body: one, head: []string{commit}, form: implicit, status: 201, notes: 1},
			{name: "singular insert, rolled back", method: "POST", target: "/note", body: one, head: []string{object, rollback}, form: undone, status: 201},
			{name: "singular insert of two, rolled back", method: "POST", target: "/note", body: two, head: []string{object, rollback}, form: undone, status: 406},
			{name: "put, rolled back", method: "PUT", target: "/thing?id=eq.9", body: put, head: []string{rollback}, form: undone, status: 204},
			{name: "update, rolled back", method: "PATCH", target: "/thing?id=eq.1", body: one, head: []string{rollback}, form: undone, status: 204},
			{name: "delete, rolled back", method: "DELETE", target: "/thing?id=eq.1", head: []string{rollback}, form: undone, status: 204},
			{name: "call, rolled back", method: "POST", target: "/rpc/add", head: []string{rollback}, form: callUndone, status: 200},
			{name: "insert by a serializable role, rolled back", role: serial, method: "POST", target: "/note", body: one, head: []string{rollback},
				form: "begin isolation level serializable read write settings main response constraints rollback |", status: 201},
			{name: "read, rolled back", method: "GET", target: "/thing", head: []string{rollback}, form: read, status: 200},
		}},
		{txEnd: "rollback", tests: []test{
			{name: "insert", method: "POST", target: "/note", body: one, form: undone, status: 201},
			{name: "insert that may not ask for a commit", method: "POST", target: "/note", body: one, head: []string{commit}, form: undone, status: 201},
			{name: "singular insert", method: "POST", target: "/note", body: one, head: []string{object, full}, form: undone, status: 201},
			{name: "put", method: "PUT", target: "/thing?id=eq.9", body: put, form: undone, status: 204},
			{name: "call", method: "POST", target: "/rpc/add", form: callUndone, status: 200},
			{name: "update beyond the limit", method: "PATCH", target: "/thing?id=gt.1", body: one, head: []string{strict}, form: undone, status: 400},
			{name: "read", method: "GET", target: "/thing", form: read, status: 200},
		}},
		{txEnd: "rollback-allow-override", preRequest: "before", tests: []test{
			{name: "insert", method: "POST", target: "/note", body: one, form: "begin settings pre-request main response constraints rollback |", status: 201},
			{name: "insert, committed", method: "POST", target: "/note", body: one, head: []string{commit}, form: "settings pre-request main response |", status: 201, notes: 1},
			{name: "singular insert, committed", method: "POST", target: "/note", body: one, head: []string{object, commit}, form: "begin settings pre-request main response | commit |", status: 201, notes: 1},
			{name: "read", method: "GET", target: "/thing", form: "begin read only settings pre-request main response constraints rollback |", status: 200},
			{name: "read, committed", method: "GET", target: "/thing", head: []string{commit}, form: "settings pre-request main response |", status: 200},
		}},
	} {
		t.Run(group.txEnd, func(t *testing.T) {
			flags := map[string]string{"db-tx-end": group.txEnd, "db-prepared-statements": "false"}
			if group.replicas != "" {
				flags["db-uri-read-replicas"] = group.replicas
			}
			if group.preRequest != "" {
				flags["db-pre-request"] = "api." + group.preRequest
			}
			w := startWriter(t, transactionSchema, flags)
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) {
					w.tb = t
					head := slices.Clone(test.head)
					if test.role != "" {
						head = append(head, w.as(test.role))
					}
					if group.replicas == "" {
						head = append(head, headerBookmark+": not one") // means nothing
					}
					// Once for the plan; what it does is undone below.
					w.ask(test.method, test.target, test.body, head...)
					w.sql("truncate api.note, api.thing; insert into api.thing values (1, 'a'), (2, 'b'), (3, 'c')")
					var r *reply
					form := w.forms(func() { r = w.ask(test.method, test.target, test.body, head...) })
					if r.status != test.status {
						t.Errorf("answer %v, want status %d", r, test.status)
					}
					if form != test.form {
						t.Errorf("form %q, want %q", form, test.form)
					}
					if mark := r.header.Peek(headerBookmark); len(mark) > 0 != strings.Contains(test.form, "bookmark") {
						t.Errorf("bookmark %q", mark)
					}
					if n := w.count("api.note"); n != test.notes {
						t.Errorf("%d new notes, want %d", n, test.notes)
					}
					want := test.things
					if want == "" {
						want = before
					}
					if got := w.sql("select string_agg(id || body, '' order by id) from api.thing"); got != want {
						t.Errorf("things %q, want %q", got, want)
					}
				})
			}
		})
	}
}

// sameConnection returns a function that reports whether the server still
// uses the connection it used when sameConnection was called.
func (w *writer) sameConnection() func() bool {
	w.tb.Helper()
	before := w.ask("POST", "/rpc/pid", "").body
	return func() bool { return w.ask("POST", "/rpc/pid", "").body == before }
}

// TestDeferredConstraints: a failure at commit fails the request and leaves
// nothing behind. The connection serves the next request.
func TestDeferredConstraints(t *testing.T) {
	for _, txEnd := range []string{"commit-allow-override", "rollback"} {
		t.Run(txEnd, func(t *testing.T) {
			w := startWriter(t, transactionSchema, map[string]string{"db-tx-end": txEnd})
			w.sql("insert into api.parent values (1, 'p'); insert into api.child values (1, 1)")
			same := w.sameConnection()
			for _, test := range []struct {
				name, method, target, body string
				head                       []string
				code                       string
			}{
				{"implicit", "POST", "/child", `{"id":2,"parent_id":99}`, nil, "23503"},
				{"implicit with representation", "POST", "/child", `{"id":2,"parent_id":99}`, []string{full}, "23503"},
				{"implicit, unique", "POST", "/child", `[{"id":5,"parent_id":1},{"id":5,"parent_id":1}]`, nil, "23505"},
				{"explicit", "POST", "/child", `{"id":2,"parent_id":99}`, []string{w.as("test_serial")}, "23503"},
				{"held", "POST", "/child", `{"id":2,"parent_id":99}`, []string{object, full}, "23503"},
				{"held and explicit", "POST", "/child", `{"id":2,"parent_id":99}`, []string{object, full, w.as("test_serial")}, "23503"},
				{"rolled back", "POST", "/child", `{"id":2,"parent_id":99}`, []string{"Prefer: tx=rollback"}, "23503"},
				{"rolled back, singular", "POST", "/child", `{"id":2,"parent_id":99}`, []string{"Prefer: tx=rollback", object}, "23503"},
				{"a refusal comes first", "POST", "/child", `[{"id":2,"parent_id":99},{"id":3,"parent_id":99}]`, []string{object}, "PGRST116"},
				{"a refusal comes first, rolled back", "POST", "/child", `[{"id":2,"parent_id":99},{"id":3,"parent_id":99}]`, []string{object, "Prefer: tx=rollback"}, "PGRST116"},
				{"update", "PATCH", "/child?id=eq.1", `{"parent_id":98}`, nil, "23503"},
				{"update with max-affected", "PATCH", "/child?id=eq.1", `{"parent_id":98}`, []string{"Prefer: handling=strict, max-affected=1"}, "23503"},
				{"delete", "DELETE", "/parent?id=eq.1", "", nil, "23503"},
				{"put", "PUT", "/parent?id=eq.2", `{"id":2,"name":"n"}`, nil, ""},
				{"call", "POST", "/rpc/orphan", `{"id":2}`, nil, "23503"},
				{"call, rolled back", "POST", "/rpc/orphan", `{"id":2}`, []string{"Prefer: tx=rollback"}, "23503"},
			} {
				t.Run(test.name, func(t *testing.T) {
					w.tb = t
					for range 2 { // as it comes, and with the statements known
						r := w.ask(test.method, test.target, test.body, test.head...)
						if test.code == "" {
							if r.status >= 300 {
								t.Errorf("answer %v", r)
							}
							continue
						}
						status := 409
						if test.code == "PGRST116" {
							status = 406
						}
						if r.status != status || r.code != test.code {
							t.Errorf("answer %v, want %d with %s", r, status, test.code)
						}
						if strings.Contains(r.body, "unknown") {
							t.Errorf("nothing is in doubt here: %v", r)
						}
						if got := w.sql("select string_agg(id || '-' || parent_id, ' ') from api.child"); got != "1-1" {
							t.Errorf("children %s", got)
						}
					}
					if !same() {
						t.Error("the connection was given up")
					}
				})
			}
		})
	}
}

// TestSerializationFailure: a writer that loses against another gets the error and
// is not run again.
func TestSerializationFailure(t *testing.T) {
	w := startWriter(t, transactionSchema+`
create table api.account (id int primary key, balance int);
insert into api.account values (1, 100), (2, 100);
create table public.attempts (at timestamptz);
create sequence public.tries;
-- waits for the test before it writes; sequences survive a rollback
create function public.wait() returns trigger language plpgsql security definer as $$
begin perform nextval('public.tries'); perform pg_advisory_xact_lock(1); return null; end $$;
create trigger wait before update on api.account for each statement execute function public.wait();
create function api.skew() returns void volatile language plpgsql as $$
begin
  perform sum(balance) from api.account;
  perform nextval('public.tries');
  perform pg_advisory_xact_lock(1);
  insert into api.note(body) values ('skew');
end $$;
grant all on api.account to test_serial, test_anon;
grant all on sequence public.tries to test_serial, test_anon;
`, nil)
	serial := w.as("test_serial")
	for _, test := range []struct {
		name, method, target, body string
		head                       []string
		meanwhile                  string
	}{
		{"update", "PATCH", "/account?id=eq.1", `{"balance":0}`, nil, "update api.account set balance = 50 where id = 1"},
		{"singular update", "PATCH", "/account?id=eq.1", `{"balance":0}`, []string{object}, "update api.account set balance = 50 where id = 1"},
		{"write skew", "POST", "/rpc/skew", "", nil, "select count(*) from api.note; update api.account set balance = 70 where id = 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.tb = t
			w.sql("select setval('public.tries', 1)")
			same := w.sameConnection()
			other := w.connect()
			w.sql("select pg_advisory_lock(1)")
			done := make(chan *reply, 1)
			go func() { done <- w.ask(test.method, test.target, test.body, append([]string{serial}, test.head...)...) }()
			w.await("exists (select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database()))")
			// The other writer, which does not fire triggers, commits first.
			if _, err := other.Exec(t.Context(), "set session_replication_role = replica; begin isolation level serializable; "+
				test.meanwhile+"; commit").ReadAll(); err != nil {
				t.Fatal(err)
			}
			w.sql("select pg_advisory_unlock(1)")
			r := <-done
			if r.status != 500 || r.code != "40001" {
				t.Errorf("answer %v, want 500 with 40001", r)
			}
			if strings.Contains(r.body, "unknown") {
				t.Errorf("nothing is in doubt here: %v", r)
			}
			if tries := w.sql("select last_value - 1 from public.tries"); tries != "1" {
				t.Errorf("tried %s times", tries)
			}
			if w.count("api.account where balance = 0") != 0 || w.count("api.note") != 0 {
				t.Error("something was written")
			}
			if !same() {
				t.Error("the connection was given up")
			}
			if r := w.ask("PATCH", "/account?id=eq.1", `{"balance":100}`, serial); r.status != 204 {
				t.Errorf("next write: %v", r)
			}
		})
	}
}

// TestTimeouts: settings of roles end statements, not connections.
func TestTimeouts(t *testing.T) {
	w := startWriter(t, transactionSchema+`
create table api.slow (id int);
create function public.sleep() returns trigger language plpgsql as $$ begin perform pg_sleep(10); return new; end $$;
create trigger sleep before insert on api.slow for each row execute function public.sleep();
grant all on api.slow to w_hurried;
`, nil)
	same := w.sameConnection()
	for _, head := range [][]string{{}, {object, full}, {object}} {
		r := w.ask("POST", "/slow", `{"id":1}`, append(head, w.as("w_hurried"))...)
		if r.status != 500 || r.code != "57014" {
			t.Errorf("statement timeout, %v: %v, want 500 with 57014", head, r)
		}
	}
	holder := w.connect()
	if _, err := holder.Exec(t.Context(), "begin; update api.thing set body = 'locked' where id = 1").ReadAll(); err != nil {
		t.Fatal(err)
	}
	for _, head := range [][]string{{}, {object, full}, {"Prefer: handling=strict, max-affected=5"}} {
		r := w.ask("PATCH", "/thing?id=in.(1,2)", `{"body":"x"}`, append(head, w.as("w_impatient"))...)
		if r.status != 500 || r.code != "55P03" {
			t.Errorf("lock timeout, %v: %v, want 500 with 55P03", head, r)
		}
	}
	if _, err := holder.Exec(t.Context(), "rollback").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if got := w.sql("select string_agg(id || body, '' order by id) from api.thing"); got != "1a2b3c" {
		t.Errorf("things %s: half applied", got)
	}
	if w.count("api.slow") != 0 {
		t.Error("slow rows were written")
	}
	if !same() {
		t.Error("the connection was given up")
	}
	if r := w.ask("PATCH", "/thing?id=in.(1,2)", `{"body":"x"}`, w.as("w_impatient")); r.status != 204 {
		t.Errorf("next write: %v", r)
	}
}

// TestResponseSettingsInvalid: as in PostgREST the transaction is over by the
// time response.headers and response.status are read, so the write stands.
func TestResponseSettingsInvalid(t *testing.T) {
	w := startWriter(t, transactionSchema, nil)
	for i, test := range []struct{ headers, status, code string }{
		{`{"a":"b"}`, "200", "PGRST111"},
		{`[{"a":1}]`, "200", "PGRST111"},
		{`[]`, "abc", "PGRST112"},
		{`x`, "x", "PGRST112"},
		{`[]`, "202", ""},
	} {
		r := w.ask("POST", "/rpc/gucs", fmt.Sprintf(`{"headers":%q,"status":%q}`, test.headers, test.status))
		status := 500
		if test.code == "" {
			status = 202
		}
		if r.status != status || r.code != test.code {
			t.Errorf("%q, %q: %v, want %d %s", test.headers, test.status, r, status, test.code)
		}
		if n := w.count("api.note"); n != i+1 {
			t.Errorf("%d notes after %d calls", n, i+1)
		}
	}
}
