package catalog

import (
	"context"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog/purity"
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
	conn := connect(t, cluster.URI(db, pgtest.Superuser))
	if _, err := conn.Exec(context.Background(), "set search_path = pg_catalog, pg_temp").ReadAll(); err != nil {
		t.Fatal(err)
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
		{plpgsql("begin perform currval('s.t_id_seq'); end"), SessionLeftovers},
		{"create view s.v as select currval('s.t_id_seq')", SessionLeftovers},
		{"alter table s.t alter id set default currval('s.t_id_seq')", SessionLeftovers},
		{plpgsql("begin perform setseed(0.5); end"), SessionLeftovers},
		{"create view s.v as select setseed(0.5) is null as done", SessionLeftovers},
		{plpgsql("begin perform nextval('s.t_id_seq'), random(); end"), NoLeftovers},
		{plpgsql("begin perform set_limit(0.5); end"), SessionLeftovers},
		{"create policy p on s.t using (set_config('my.who', 'a', false) is not null)", SessionLeftovers},
		{"create policy p on s.t for insert with check (set_config('my.who', 'a', false) is not null)", SessionLeftovers},
		{"alter table s.t alter a set default set_config('my.who', 'a', false)", SessionLeftovers},
		{"alter table s.t add check (set_config('my.who', a, false) is not null)", SessionLeftovers},
		{"create function s.f(a text default set_config('my.who', 'a', false)) returns text language sql as 'select $1'", SessionLeftovers},
		{"create function s.f() returns text language sql begin atomic select set_config('my.who', 'a', false); end", SessionLeftovers},

		// What hides from those who only read.
		{plpgsql("begin perform U&\"set\\005fconfig\"('my.who', a, false); end"), SessionLeftovers},
		{sql("select U&\"pg!005fadvisory!005flock\" uescape '!'(1)::text"), SessionLeftovers},
		{plpgsql("begin perform set_config('my.who', 'x, true)', false); end"), SessionLeftovers},
		{plpgsql("begin perform set_config('my.who', E'\\', true)', false); end"), SessionLeftovers},
		{plpgsql("begin perform set_config('my.who', a /* , true) */, false); end"), SessionLeftovers},
		{plpgsql("begin perform set_config('my.who', $q$, true)$q$, false); end"), SessionLeftovers},
		{plpgsql("begin update pg_settings set setting = 'x' where name = 'my.who'; end"), SessionLeftovers},
		{"create view s.v as select name, setting from pg_settings", SessionLeftovers},
		{sql("select query_to_xml('select set' || '_config(''my.who'', ''x'', false)', true, true, '')::text"), SessionLeftovers},
		{"create view s.v as select query_to_xml(name, true, true, '') from (values ('select 1')) x(name)", SessionLeftovers},
		{sql("select word from ts_stat('select ...')"), SessionLeftovers},
		{"create view s.v as select * from ts_stat('select to_tsvector(''a'')')", SessionLeftovers},
		{sql("select ts_rewrite('a'::tsquery, 'select ...')::text"), SessionLeftovers},
		{plpgsql("begin do E'begin s\\145t my.who to x; end'; end"), SessionLeftovers},
		{plpgsql("begin do language plpgsql 'x'; end"), SessionLeftovers},
		{plpgsql("begin create or replace function s.g() returns void language sql as 'select'; end"), SessionLeftovers},
		{plpgsql("begin /* a /* b */ c */ set my.who to 'x'; end"), SessionLeftovers},
		{plpgsql("begin -- a\rset my.who to 'x'; end"), SessionLeftovers},
		{plpgsql("begin perform '--'; /* a */ set my.who to 'x'; end"), SessionLeftovers},
		{plpgsql("begin <<here>> begin end; set\"my.who\"to'x'; end"), SessionLeftovers},
		{"create function s.f() returns void language sql set search_path = pg_temp as 'select 1 as a into x'", SessionLeftovers},
		{sql("select 'x' as value into marker; select a"), SessionLeftovers},
		{"create aggregate s.setting(text, boolean) (sfunc = set_config, stype = text, initcond = 'my.who')", SessionLeftovers},
		{"create operator s.!! (rightarg = bigint, function = pg_advisory_lock)", SessionLeftovers},
		{"create operator s.@@ (leftarg = int4, rightarg = int4, function = pg_try_advisory_lock)", SessionLeftovers},
		{"create rule r as on insert to s.t where set_config('my.who', 'x', false) is not null do also nothing", SessionLeftovers},
		{"create trigger r before update on s.t for each row when (set_config('my.who', 'x', false) is not null) execute function suppress_redundant_updates_trigger()", SessionLeftovers},
		{"create domain s.d as text check (set_config('my.who', 'x', false) is not null)", SessionLeftovers},
		{plpgsql("begin perform set_config('my.who', set_config('my.who', 'x', false), true); end"), SessionLeftovers},
		// And what looks like it, and is not.
		{plpgsql("begin perform set_config('my.who', current_setting('request.jwt.claims')::json->>'sub', true); end"), NoLeftovers},
		{plpgsql("begin -- create a note, as they do, set in stone\n perform set_config('my.n', (4 / 2 - 1)::text || 'it''s', true); end"), NoLeftovers},
		{plpgsql("begin insert into s.t values (1) on conflict do nothing; update s.t set a = $1; select a into a from s.t; end"), NoLeftovers},
		{sql("insert into s.t (a) values (a) on conflict (id) do update set a = excluded.a returning a"), NoLeftovers},
		{plpgsql("begin perform set_config('my.who', $1, true), set_config('my.n', length(a)::text, true); end"), NoLeftovers},
		{"create trigger r before update on s.t for each row when (old.a is distinct from new.a) execute function suppress_redundant_updates_trigger()", NoLeftovers},

		// What policies ask for.
		{sql("select split_part(current_setting('request.jwt.claims', true)::json->>'sub', ' ', 2)::int::text"), NoLeftovers},
		{sql("select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''), (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid::text"), NoLeftovers},
		{plpgsql("begin perform g(a) from s.t; end"), SessionLeftovers}, // no such function
		{plpgsql("begin perform '\\', set_config('my.who', 'x', true); end"), NoLeftovers},
		{plpgsql("begin perform '\\', set_config('my.who', 'x', true); end") + "; create function s.g() returns void language plpgsql as $$ begin set local standard_conforming_strings = off; end $$", SessionLeftovers},

		{plpgsql("begin execute 'prepare p as select 1'; end"), StatementLeftovers},
	} {
		cluster.Exec(t, db, "create schema if not exists s; create table if not exists s.t (id serial primary key, a text); "+c.code)
		l := loader{ctx: context.Background(), query: pgtest.Querier(conn), cat: &Catalog{}, names: interner{}}
		if err := l.loadLeftovers(); err != nil {
			t.Fatal(err)
		}
		if got := l.left.worst(); got != c.want {
			t.Errorf("%s: %d, want %d", c.code, got, c.want)
		}
		cluster.Exec(t, db, "drop schema s cascade")
	}
}

// worst is what running anything in the database may leave.
func (l *leftovers) worst() Leftovers {
	g := l.graph
	t := g.All(purity.Function) | g.All(purity.Operator) | g.All(purity.Columns) | g.All(purity.Read) | g.All(purity.Write) | g.All(purity.Type)
	l.offer(t)
	return l.level(t)
}
