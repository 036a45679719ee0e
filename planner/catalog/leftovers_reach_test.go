package catalog

import (
	"slices"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// reachable has tables r1, r2, ... of which each reaches bad(), which leaves a
// setting, when it is read, and w1, w2, ... which reach it when they are written
// to. Nothing leads from c1, c2, ... to it.
const reachable = `
create function s.bad() returns int language sql as $$ select set_config('my.who', 'x', false)::int $$;
create function s.bad(text) returns bool language plpgsql as $$ begin execute $1; return true; end $$;
create function s.touched() returns trigger language plpgsql as $$ begin perform s.bad(); return new; end $$;
create function s.fine() returns int stable language sql as $$ select length(current_setting('request.jwt.claims', true)::json->>'sub') $$;
create function s.finer() returns int stable language plpgsql as $$
declare n int := 0;
begin
  for i in 1..3 loop n := n + s.fine(); end loop;
  return n;
end $$;
create function s.outer_bad() returns int language plpgsql as $$ begin return s.finer() + s.bad(); end $$;
create function s.atomic() returns int language sql begin atomic select s.outer_bad(); end;
create function s.noted() returns trigger language plpgsql as $$ begin new.a := s.fine(); return new; end $$;
create domain s.checked as text check (s.bad(value));
create type s.pair as (one int, two s.checked);
create type s.mood as enum ('sad');
create domain s.short as text check (length(value) < 9);
create function s.mood_is(s.mood, int) returns bool language sql as $$ select s.bad() = 1 $$;

create view s.r1 as select s.bad() as a;
create view s.r2 as select * from s.r1;
create view s.r3 as select s.atomic() as a;
create table s.r4 (a int); alter table s.r4 enable row level security; create policy p on s.r4 using (a = s.outer_bad());
create view s.r5 as select * from s.r4;
create table s.r6 (a s.checked);
create table s.r7 (a s.pair[]);
create view s.r8 as select null::s.r7 as a;
create view s.r9 as select pg_try_advisory_lock(1);
create table s.r10 (a int); create table s.r11 (a int) inherits (s.r10); create policy p on s.r11 using (a = s.bad()); alter table s.r11 enable row level security;
create view s.r12 as select 1 from s.c1 where exists (select from s.r4);

create table s.w1 (a int default s.bad());
create table s.w2 (a int check (a > s.bad()));
create table s.w3 (a int); create trigger t before insert on s.w3 for each row execute function s.touched();
create view s.w4 as select * from s.w3;
create table s.w5 (a int primary key); create table s.w6 (a int references s.w5 on delete cascade);
create trigger t before delete on s.w6 for each row execute function s.touched();
create table s.w7 (a int) partition by list (a); create table s.w8 partition of s.w7 for values in (1);
create trigger t before insert on s.w8 for each row execute function s.touched();
create table s.w9 (a int); create rule r as on insert to s.w9 do also select s.bad();
create table s.w10 (a int); create rule r as on insert to s.w10 do also notify x;
create table s.w11 (a int default currval('s.n'));
create table s.w12 (a text); create index on s.w12 (s.pure(a));
create view s.w13 as select name from pg_settings;
create table s.w14 (a int); create trigger t before insert on s.w14 for each row when (s.bad() = new.a) execute function s.noted();

create table s.c2 (a int check (a > 0), b s.short default 'x'); create trigger t before insert on s.c2 for each row execute function s.noted();
create view s.c3 as select a, s.finer() as b, now() as c, random() as d from s.c2;
create table s.c4 (a int, b text); alter table s.c4 enable row level security; create policy p on s.c4 using (b = current_setting('x', true) and a = s.finer());
create table s.c5 (a int primary key); create table s.c6 (a int references s.c5 on delete cascade);
create table s.c7 (a citext primary key, b hstore);
create function s.joined(text, text) returns text language sql immutable as 'select $1 || $2';
create aggregate s.sum(text) (sfunc = s.joined, stype = text);`

// TestLeftoversOfRelations: whatever reading or writing leads to counts, and what
// it does not lead to does not.
func TestLeftoversOfRelations(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `create extension citext; create extension hstore; create schema s; create sequence s.n; create table s.c1 (a int);
		create function s.pure(text) returns text immutable language plpgsql as $$ begin perform set_config('my.who', 'x', false); return $1; end $$;`+reachable)
	cat := load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}})
	seen := map[byte]int{}
	for qi, table := range cat.Tables {
		kind := qi.Name[0]
		seen[kind]++
		reads, writes := SessionLeftovers, SessionLeftovers
		if kind != 'r' {
			reads = NoLeftovers
		}
		if kind == 'c' {
			writes = NoLeftovers
		}
		if table.ReadLeftovers != reads || table.WriteLeftovers != writes {
			t.Errorf("%s: reading leaves %d, want %d; writing %d, want %d", qi.Name, table.ReadLeftovers, reads, table.WriteLeftovers, writes)
		}
		if plain := slices.Contains([]string{"c1", "c5", "c6", "c7"}, qi.Name); table.PlainWrite != plain {
			t.Errorf("%s: a write is plain: %v", qi.Name, table.PlainWrite)
		}
	}
	if seen['r'] != 12 || seen['w'] != 13 || seen['c'] != 7 {
		t.Errorf("tables: %v", seen)
	}
	for name, want := range map[string]Leftovers{
		"bad": 1, "outer_bad": 1, "atomic": 1, "touched": 1, "fine": 0, "finer": 0, "FINER": 0, "noted": 0, "mood_is": 1,
		"set_config": 1, "now": 0, "nothing": 1, "citext_eq": 0,
	} {
		if got := cat.FunctionLeftovers(name); got != want {
			t.Errorf("%s leaves %d, want %d", name, got, want)
		}
	}
	if got := cat.Routines[QI{"s", "finer"}][0].Leftovers; got != NoLeftovers {
		t.Errorf("finer leaves %d", got)
	}
	if !cat.FunctionRuns("sum") || !cat.FunctionRuns("nothing") || cat.FunctionRuns("max") || cat.FunctionRuns("citext_eq") {
		t.Error("functions that run code of the database's owners")
	}
	if cat.Types != SessionLeftovers || cat.Ambient != NoLeftovers {
		t.Errorf("types leave %d, everything %d", cat.Types, cat.Ambient)
	}
}

// TestLeftoversOfSequences: taking a value leaves something only where requests
// can run something that may read it.
func TestLeftoversOfSequences(t *testing.T) {
	cluster := pgtest.Start(t)
	for _, c := range []struct {
		code string
		want Leftovers
	}{
		{"select", NoLeftovers},
		{"create function s.f() returns bigint language sql as 'select lastval()'", SessionLeftovers},
		{"create function s.f(a text) returns void language plpgsql as 'begin execute a; end'", SessionLeftovers},
		{"create function o.f(a s.t) returns bigint language sql as 'select lastval()'", SessionLeftovers}, // a computed column
		{"create view s.v as select currval('s.n')", SessionLeftovers},
		{"create function o.f() returns bigint language sql as 'select lastval()'", NoLeftovers}, // out of reach
		{"create function s.f() returns text language sql as $$ select set_config('my.who', 'x', false) $$", NoLeftovers},
	} {
		db := cluster.NewDB(t)
		cluster.Exec(t, db, "create schema s; create schema o; create sequence s.n; create table s.t (a serial); create table s.u (a int generated always as identity);"+c.code)
		cat := load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}})
		for _, name := range []string{"t", "u"} {
			if table := cat.Tables[QI{"s", name}]; table.WriteLeftovers != c.want || table.ReadLeftovers != NoLeftovers {
				t.Errorf("%s: writing to %s leaves %d, want %d; reading %d", c.code, name, table.WriteLeftovers, c.want, table.ReadLeftovers)
			}
		}
	}
}
