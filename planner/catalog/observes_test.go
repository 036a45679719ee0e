package catalog

import (
	"context"
	"strconv"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog/purity"
)

// TestObserves: what can read a setting of the request while a relation is read is
// noticed, wherever it is; what only writes run is not taken for it.
func TestObserves(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	conn := connect(t, cluster.URI(db, pgtest.Superuser))
	const (
		header   = "current_setting('request.headers', true)"
		function = "create function s.f(text default '') returns text immutable language sql as $$ select " + header + " $$; "
		trigger  = "create function s.f() returns trigger language plpgsql as $$ begin perform " + header + "; return new; end $$; "
		foreign  = "create foreign data wrapper w; create server x foreign data wrapper w; "
	)
	for _, c := range []struct {
		code string
		read bool // reading s.t, or the view s.v if there is one, observes
	}{
		{"select", false},
		{"create view s.v as select a, upper(a) as b, now() as c, current_user as d from s.t where a <> 'current_setting()'", false},
		{"create function s.g(text) returns text language sql as 'select upper($1)'; create view s.v as select s.g(a) from s.t", false},
		{"create function s.g(text) returns text language plpgsql as 'begin return $1 || now(); end'; create view s.v as select s.g(a) from s.t", false},
		{"create view s.v as select nextval('s.t_id_seq') from s.t", false},

		{"create view s.v as select " + header + " as h", true},
		{"create view s.v as select (select setting from pg_settings where name = 'request.headers') as h", true},
		{"create view s.v as select setting from pg_show_all_settings() where name = 'request.headers'", true},
		{"create view s.v as select query_to_xml('select 1', true, true, '') as h", true},
		{"create view s.u as select " + header + " as h; create view s.v as select * from s.u", true},
		{function + "create view s.v as select s.f() as h from s.t", true},
		{function + "create function s.g() returns text language sql as 'select s.f()'; create view s.v as select s.g() as h from s.t", true},
		{function + "create function s.g() returns text language sql begin atomic select s.f(); end; create view s.v as select s.g() as h from s.t", true},
		{function + "create function s.g() returns text language plpgsql as 'begin return s.f(); end'; create view s.v as select s.g() as h from s.t", true},
		{"create function s.g() returns text language plpgsql as $$ begin return (select setting from pg_settings where name = 'request.headers'); end $$; create view s.v as select s.g() as h", true},
		{"create function s.g() returns text language plpgsql as $$ declare r text; begin show request.headers; return r; end $$; create view s.v as select s.g() as h", true},
		{"create function s.g(a text) returns text language plpgsql as $$ declare r text; begin execute a into r; return r; end $$; create view s.v as select s.g('') as h", true},
		{"create view s.u as select " + header + " as h; create function s.g() returns text language sql as 'select h from s.u'; create view s.v as select s.g() as h", true},
		{"create function s.g() returns text language internal as 'show_config_by_name_missing_ok'; create view s.v as select s.g() as h", true},
		{"create aggregate s.a(boolean) (sfunc = s.step, stype = text, initcond = 'request.headers'); create view s.v as select s.a(true) as h", true},
		{"create policy p on s.t using (a = " + header + "); alter table s.t enable row level security", true},
		{"alter table s.t enable row level security", true},
		{"alter table s.t enable row level security; create view s.v as select a from s.t", true},
		{function + "alter table s.t add g text generated always as (s.f()) stored", true},
		{function + "create index on s.t (s.f(a))", true},
		{function + "create index on s.t (a) where s.f() = 'x'", true},
		{function + "create index on s.t (a) where s.f() = 'x'; create view s.v as select a from s.t", true},
		{function + "alter table s.t add check (s.f() = a)", true},
		{function + "create table s.parted (a text) partition by list (s.f(a)); create view s.v as select a from s.parted", true},
		{function + "create domain s.d as text check (value = s.f()); alter table s.t add d s.d", true},
		{function + "create type s.row as (a text); create function s.cast(s.row) returns json language sql as 'select s.f()::json'; create cast (s.row as json) with function s.cast; alter table s.t add r s.row", true},
		{"alter table s.t add m s.mood", false},
		{"create function s.op(s.mood, s.mood) returns boolean language sql as $$ select " + header + " = '' $$; create operator s.=== (leftarg = s.mood, rightarg = s.mood, function = s.op); alter table s.t add m s.mood", true},
		{"create function s.op(int, int) returns boolean language sql as $$ select " + header + " = '' $$; create operator s.=== (leftarg = int, rightarg = int, function = s.op); create view s.v as select 1 === 1 as x", true},
		{foreign + "create foreign table s.away (a text) server x; create view s.v as select a from s.away", true},
		{foreign + "create foreign table s.away () inherits (s.t) server x", true},
		{function + "create table s.child () inherits (s.t); create index on s.child (s.f(a))", true},

		// Writes are never blind. What only they run does not matter to reads.
		{trigger + "create trigger x before insert on s.t for each row execute function s.f()", false},
		{"alter table s.t alter a set default " + header, false},
		{"create rule r as on insert to s.t where " + header + " = '' do instead nothing", false},
		{"create table s.other (t int references s.t); " + trigger + "create trigger x after insert on s.other for each row execute function s.f()", false},
	} {
		code := "create schema s; set search_path = s, pg_catalog; create table s.t (id serial primary key, a text); " +
			"create type s.mood as enum ('x'); create function s.step(text, boolean) returns text language sql as 'select current_setting($1, $2)'; "
		cluster.Exec(t, db, code+c.code)
		l := loader{ctx: context.Background(), query: pgtest.Querier(conn), cat: &Catalog{}, names: interner{}}
		if err := l.loadLeftovers(); err != nil {
			t.Fatal(err)
		}
		var oid uint32
		if err := l.query(l.ctx, "select coalesce(to_regclass('s.v'), 's.t'::regclass)::oid", nil, func(c [][]byte) error {
			n, err := strconv.ParseUint(string(c[0]), 10, 32)
			oid = uint32(n)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got := l.left.graph.Trace(purity.Node{Kind: purity.Read, OID: oid})&purity.Observes != 0; got != c.read {
			t.Errorf("%s: %t, want %t", c.code, got, c.read)
		}
		cluster.Exec(t, db, "drop schema s cascade; drop foreign data wrapper if exists w cascade")
	}
}
