package catalog

import (
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestLeftovers: what could change a session for the next request is noticed,
// and what ordinary code does is not taken for it.
func TestLeftovers(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, "create schema s; create table s.t (id serial primary key, a text)")
	plpgsql := func(body string) string {
		return "create function s.f(a text default 'x') returns void language plpgsql as $f$" + body + "$f$"
	}
	sql := func(body string) string {
		return "create function s.f(a text default 'x') returns text language sql as $f$" + body + "$f$"
	}
	for _, c := range []struct {
		code string
		want Leftovers
	}{
		{"select", NoLeftovers},
		{plpgsql("begin end"), NoLeftovers},
		{plpgsql("begin update s.t set a = 'b' where id = 1; insert into s.t values (1) on conflict (id) do update set a = 'c'; end"), NoLeftovers},
		{plpgsql("begin\n update s.t\n set a = 'b';\nend"), NoLeftovers},
		{plpgsql("begin perform set_config('my.who', a, true); end"), NoLeftovers},
		{plpgsql("begin perform set_config('my.who', coalesce(a, 'b'), true), set_config('response.headers', '[]', true); end"), NoLeftovers},
		{plpgsql("begin set local my.who = 'a'; set constraints all immediate; end"), NoLeftovers},
		{plpgsql("begin perform pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2); end"), NoLeftovers},
		{sql("select current_setting('my.who', true)"), NoLeftovers},
		{"create view s.v as select set_config from (values (1)) x(set_config)", NoLeftovers},

		{plpgsql("begin perform set_config('my.who', a, false); end"), SessionLeftovers},
		{plpgsql("begin perform set_config('my.who', a, a = 'true'); end"), SessionLeftovers},
		{plpgsql("begin perform set_config(a, 'b', true); end"), SessionLeftovers},
		{plpgsql("begin perform set_config('my.who', f(a, true), false); end"), SessionLeftovers},
		{plpgsql("begin perform set_config('a.b', 'c', true), set_config('my.who', a, false); end"), SessionLeftovers},
		{plpgsql("begin perform Set_Config('my.who', a, is_local => false); end"), SessionLeftovers},
		{plpgsql("begin SET my.who = 'a'; end"), SessionLeftovers},
		{plpgsql("begin -- a comment\n /* and\n another */ set role postgres; end"), SessionLeftovers},
		{plpgsql("begin if true then set session my.who to 'x'; end if; end"), SessionLeftovers},
		{plpgsql("begin execute a; end"), SessionLeftovers},
		{plpgsql("begin create temporary table x (a int); end"), SessionLeftovers},
		{plpgsql("begin create table pg_temp.x (a int); end"), SessionLeftovers},
		{plpgsql("begin listen x; end"), SessionLeftovers},
		{plpgsql("begin perform pg_advisory_lock(1); end"), SessionLeftovers},
		{plpgsql("begin perform pg_try_advisory_lock_shared(1); end"), SessionLeftovers},
		{sql("select set_config('my.who', a, false)"), SessionLeftovers},
		{sql("select a; set my.who to 'x'; select a"), SessionLeftovers},
		{"create procedure s.p() language plpgsql as $$ begin perform set_config('my.who', 'x', false); end $$", SessionLeftovers},
		{"create view s.v as select set_config('my.who', 'a', false)", SessionLeftovers},
		{"create view s.v as select pg_try_advisory_lock(1)", SessionLeftovers},
		{"create policy p on s.t using (set_config('my.who', 'a', false) is not null)", SessionLeftovers},
		{"create policy p on s.t for insert with check (set_config('my.who', 'a', false) is not null)", SessionLeftovers},
		{"alter table s.t alter a set default set_config('my.who', 'a', false)", SessionLeftovers},
		{"alter table s.t add check (set_config('my.who', a, false) is not null)", SessionLeftovers},
		{"create function s.f(a text default set_config('my.who', 'a', false)) returns text language sql as 'select $1'", SessionLeftovers},
		{"create function s.f() returns text language sql begin atomic select set_config('my.who', 'a', false); end", SessionLeftovers},

		{plpgsql("begin execute 'prepare p as select 1'; end"), StatementLeftovers},
	} {
		cluster.Exec(t, db, "create schema if not exists s; create table if not exists s.t (id serial primary key, a text); "+c.code)
		if got := load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}}).Leftovers; got != c.want {
			t.Errorf("%s: %d, want %d", c.code, got, c.want)
		}
		cluster.Exec(t, db, "drop schema s cascade")
	}
}
