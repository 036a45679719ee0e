package server

import (
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// resetSchema has functions that leave things in their session, and some that
// look for them.
const resetSchema = `
create schema api;
create table api.item (id serial primary key, owner text default current_user, who text default current_setting('app.who', true));
create function api.leave() returns text language plpgsql as $$
begin
  perform set_config('app.who', current_user::text, false);
  create temp table mine as select 'of ' || current_user as secret;
  return 'left';
end $$;
create function api.look() returns text stable language plpgsql as $$
declare found text;
begin
  begin
    select secret into found from mine;
  exception when undefined_table then null;
  end;
  return concat_ws(' ', nullif(current_setting('app.who', true), ''), found);
end $$;
create function api.current() returns bigint language sql as $$ select currval('api.item_id_seq') $$;
create function api.last() returns bigint language sql as $$ select lastval() $$;
create function api.seed() returns text language plpgsql as $$ begin perform setseed(0.25); return 'done'; end $$;
create function api.numbers() returns text language sql volatile as $$ select random() || ' ' || random() $$;
grant usage on schema api to public;
grant all on all tables in schema api to public;
grant all on all sequences in schema api to public;
`

// TestSequencesAndSeedOfOthers: a role does not learn the sequence values of another
// one, and cannot choose the seed of its random numbers.
func TestSequencesAndSeedOfOthers(t *testing.T) {
	for name, sql := range map[string]string{
		"currval": resetSchema + "drop function api.last(); drop function api.leave(); drop function api.seed();",
		"lastval": resetSchema + "drop function api.current(); drop function api.leave(); drop function api.seed();",
	} {
		t.Run(name, func(t *testing.T) {
			w := startWriter(t, sql, map[string]string{direct: "yes", login: "test_login", "db-anon-role": "test_user"})
			if r := w.ask("POST", "/item", "{}", w.as("test_anon")); r.status != 201 {
				t.Fatal(r)
			}
			function := map[string]string{"currval": "current", "lastval": "last"}[name]
			if r := w.ask("POST", "/rpc/"+function, ""); r.code != "55000" {
				t.Errorf("bob is told what alice's sequence said: %v", r)
			}
		})
	}
	t.Run("seed", func(t *testing.T) {
		w := startWriter(t, resetSchema+"drop function api.leave(); drop function api.last(); drop function api.current();",
			map[string]string{direct: "yes", login: "test_login", "db-anon-role": "test_user"})
		seen := map[string]bool{}
		for range 3 {
			if r := w.ask("POST", "/rpc/seed", "", w.as("test_anon")); r.body != `"done"` {
				t.Fatal(r)
			}
			r := w.ask("POST", "/rpc/numbers", "")
			if r.status != 200 || seen[r.body] {
				t.Errorf("alice knows bob's random numbers: %v", r)
			}
			seen[r.body] = true
		}
	})
}

// TestLockOfView: what a view leaves that calls functions of PostgreSQL only is
// removed, too.
func TestLockOfView(t *testing.T) {
	w := startWriter(t, resetSchema+`
		create view api.lock as select pg_try_advisory_lock(42) as taken;
		create view api.locks as select count(*) as n from pg_locks where locktype = 'advisory' and pid = pg_backend_pid();
		grant select on api.lock, api.locks to public;`,
		map[string]string{direct: "yes", login: "test_login", "db-anon-role": "test_user"})
	for range 2 {
		if r := w.ask("GET", "/lock", "", w.as("test_anon")); r.body != `[{"taken":true}]` {
			t.Fatal(r)
		}
		if r := w.ask("GET", "/locks", ""); r.body != `[{"n":0}]` {
			t.Errorf("the session has a lock of another role: %v", r)
		}
	}
}

// TestRequestBehindFailedReset: if the session of a connection cannot be reset, its
// request runs on another one, and the log says so.
func TestRequestBehindFailedReset(t *testing.T) {
	w := startWriter(t, resetSchema, map[string]string{direct: "yes", login: "test_login", "db-anon-role": "test_user", "db-tx-end": "commit-allow-override", "log-level": "warn"})
	said := 0
	locker := w.connect()
	for _, test := range []struct{ name, method, target, body, head, want string }{
		{"read", "GET", "/rpc/look", "", "Accept: */*", `""`},
		{"call", "POST", "/rpc/look", "", "Accept: */*", `""`},
		{"write", "POST", "/item?select=who,owner", "{}", "Prefer: return=representation", `[{"who":null,"owner":"test_user"}]`},
		{"write in a block", "POST", "/item?select=who", "{}", "Prefer: return=representation, tx=rollback", `[{"who":null}]`},
		{"document", "GET", "/", "", "Accept: */*", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			// The plan is known, so that the first attempt may be on a shared connection.
			for range 2 {
				if r := w.ask(test.method, test.target, test.body, test.head); r.status >= 300 {
					t.Fatal(r)
				}
			}
			if r := w.ask("POST", "/rpc/leave", "", w.as("test_anon")); r.body != `"left"` {
				t.Fatal(r)
			}
			w.sql("truncate api.item")
			const mine = " from pg_class where relname = 'mine' and relpersistence = 't'"
			table := w.sql("select relnamespace::regnamespace || '.mine'" + mine)
			if _, err := locker.Exec(t.Context(), "begin; lock table "+table+" in access share mode").ReadAll(); err != nil {
				t.Fatal(err)
			}
			done := make(chan *reply, 1)
			go func() { done <- w.ask(test.method, test.target, test.body, test.head) }()
			const waits = " from pg_locks where locktype = 'relation' and not granted and relation = (select oid" + mine + ")"
			w.await("count(*) = 1" + waits)
			w.sql("select pg_cancel_backend(pid)" + waits)
			r := <-done
			if r.status >= 300 || test.want != "" && r.body != test.want {
				t.Errorf("got %v, want %s", r, test.want)
			}
			if rows := w.count("api.item"); test.name == "write" && rows != 1 || test.name != "write" && rows != 0 {
				t.Errorf("%d rows were written", rows)
			}
			if _, err := locker.Exec(t.Context(), "rollback").ReadAll(); err != nil {
				t.Fatal(err)
			}
			w.await("count(*) = 0" + mine) // the server process of the retired connection has ended
			said++
			if !pgtest.Until(time.Minute, func() bool {
				w.log.Flush()
				return strings.Count(w.said.String(), "could not be reset") == said
			}) {
				t.Errorf("not said %d times: %s", said, w.said.String())
			}
		})
	}
	if s := w.pool.Stats(); s.InUse != 0 {
		t.Errorf("connections are still in use: %+v", s)
	}
}
