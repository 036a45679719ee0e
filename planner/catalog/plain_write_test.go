package catalog

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// plainWrites has, for each way in which a write to s.t may run code of the database's
// owners, what creates it and a write that does. hit is such code.
var plainWrites = []plainWrite{
	{"default", "create table s.t (a int default h.hit())", "insert into s.t default values"},
	{"own call of set_config", "create table s.t (a text default set_config('response.status', '299', true))", "insert into s.t default values"},
	{"trigger", "create table s.t (a int); create trigger t before insert on s.t for each row execute function h.touched()", "insert into s.t values (1)"},
	{"constraint trigger", "create table s.t (a int); create constraint trigger t after insert on s.t for each row execute function h.touched()", "insert into s.t values (1)"},
	{"statement trigger", "create table s.t (a int); create trigger t after insert on s.t execute function h.touched()", "insert into s.t values (1)"},
	{"condition of a trigger", "create table s.t (a int); create trigger t before update on s.t for each row when (h.hit(new.a) = 1) execute function suppress_redundant_updates_trigger(); insert into s.t values (1)", "update s.t set a = 1"},
	{"trigger of a partition", "create table s.t (a int) partition by list (a); create table s.p partition of s.t for values in (1); create trigger t before insert on s.p for each row execute function h.touched()", "insert into s.t values (1)"},
	{"trigger that only a partition fires", "create table s.t (a int) partition by list (a); create table s.p partition of s.t for values in (1); create trigger t before insert on s.t for each row execute function h.touched(); alter table s.t disable trigger t; alter table s.p enable trigger t", "insert into s.t values (1)"},
	{"trigger of an always", "create table s.t (a int); create trigger t before insert on s.t for each row execute function h.touched(); alter table s.t enable always trigger t", "insert into s.t values (1)"},
	{"trigger of a child", "create table s.t (a int); create table s.p () inherits (s.t); create trigger t before update on s.p for each row execute function h.touched(); insert into s.p values (1)", "update s.t set a = 2"},
	{"default of a partition's domain", "create domain s.d as int check (h.hit(value) > 0); create table s.t (a int, b int) partition by list (a); create table s.p (b int, a int); alter table s.p alter b type s.d; alter table s.p alter b type int; alter table s.p add check (h.hit(b) > 0); alter table s.t attach partition s.p for values in (1)", "insert into s.t values (1, 1)"},
	{"cascade", "create table s.t (a int primary key); create table s.c (a int references s.t on delete cascade); create trigger t before delete on s.c for each row execute function h.touched(); insert into s.t values (1); insert into s.c values (1)", "delete from s.t"},
	{"cascade over two tables", "create table s.t (a int primary key); create table s.c (a int primary key references s.t on update cascade); create table s.c2 (a int references s.c on update cascade); create trigger t before update on s.c2 for each row execute function h.touched(); insert into s.t values (1); insert into s.c values (1); insert into s.c2 values (1)", "update s.t set a = 2"},
	{"default that a foreign key sets", "create table s.t (a int primary key); create table s.c (a int default h.hit() references s.t on delete set default); insert into s.t values (0), (1), (2); insert into s.c values (2)", "delete from s.t where a = 2"},
	{"view with a trigger", "create view s.t as select 1 as a; create trigger t instead of insert on s.t for each row execute function h.touched()", "insert into s.t values (1)"},
	{"updatable view", "create table s.b (a int default h.hit(), b int); create view s.t as select b from s.b", "insert into s.t values (1)"},
	{"default of a view", "create table s.b (a int); create view s.t as select a from s.b; alter view s.t alter a set default h.hit()", "insert into s.t default values"},
	{"check option", "create table s.b (a int); create view s.t as select a from s.b where h.hit(a) > 0 with check option", "insert into s.t values (1)"},
	{"column of a view", "create table s.b (a int); insert into s.b values (1); create view s.t as select a, h.hit(a) as b from s.b", "update s.t set a = 2 where b = 1"},
	{"rule", "create table s.t (a int); create table s.b (a int default h.hit(), b int); create rule r as on insert to s.t do also insert into s.b(b) values (1)", "insert into s.t values (1)"},
	{"policy", "create table s.t (a int); alter table s.t enable row level security; alter table s.t force row level security; create policy p on s.t with check (h.hit(a) > 0)", "set local role test_anon; insert into s.t values (1)"},
	{"policy that reads a view", "create table s.t (a int); create view s.v as select h.hit() as a; grant select on s.v to test_anon; alter table s.t enable row level security; create policy p on s.t with check (exists (select a from s.v where a = 1))", "set local role test_anon; insert into s.t values (1)"},
	{"check", "create table s.t (a int check (h.hit(a) > 0))", "insert into s.t values (1)"},
	{"generated column", "create table s.t (a int, b int generated always as (h.hit(a)) stored)", "insert into s.t values (1)"},
	{"index", "create table s.t (a int); create index on s.t (h.hit(a))", "insert into s.t values (1)"},
	{"index predicate", "create table s.t (a int); create index on s.t (a) where h.hit(a) > 0", "insert into s.t values (1)"},
	{"exclusion", "create table s.t (a int); alter table s.t add exclude using btree (h.hit(a) with =)", "insert into s.t values (1)"},
	{"operator class of an index", "create table s.t (a int); create index on s.t (a h.ops); insert into s.t values (1)", "insert into s.t values (2)"},
	{"operator class of a partition key", "create table s.t (a int) partition by range (a h.ops); create table s.p partition of s.t for values from (1) to (9); create table s.p2 partition of s.t for values from (9) to (19)", "insert into s.t values (10)"},
	{"expression of a partition key", "create table s.t (a int) partition by range (h.hit(a)); create table s.p partition of s.t for values from (1) to (9)", "insert into s.t values (1)"},
	{"operator class of a referenced table", "create table s.b (a int not null); create unique index on s.b (a h.ops); insert into s.b values (1), (2), (3); create table s.t (a int references s.b (a))", "set local enable_seqscan = off; insert into s.t values (2)"},
	{"index predicate of a referenced table", "create table s.b (a int primary key); create index on s.b (a) where h.hit(1) > a; insert into s.b values (1); create table s.t (a int references s.b)", "insert into s.t values (1)"},
	{"index predicate of a referring table", "create table s.t (a int primary key); insert into s.t values (1); create table s.c (a int references s.t); create index on s.c (a) where h.hit(1) > a", "delete from s.t"},
	{"statistics", "create table s.t (a int, b int); create statistics s.x on (a + h.hit(1)), b from s.t; insert into s.t values (1, 1); analyze s.t", "update s.t set b = 2 where a = 1"},
	{"domain", "create domain s.d as int check (h.hit(value) > 0); create table s.t (a s.d)", "insert into s.t values (1)"},
	{"default of a domain", "create domain s.d as int default h.hit(); create table s.t (a s.d)", "insert into s.t default values"},
	{"default of a domain over an array", "create domain s.d as int[] default array[h.hit()]; create table s.t (a s.d)", "insert into s.t default values"},
	{"domain over an array", "create domain s.d as int[] check (h.hit(value[1]) > 0); create table s.t (a s.d)", "insert into s.t values ('{1}')"},
	{"domain over a domain over an array", "create domain s.d as int[] check (h.hit(value[1]) > 0); create domain s.e as s.d; create table s.t (a s.e)", "insert into s.t values ('{1}')"},
	{"array of a domain", "create domain s.d as int check (h.hit(value) > 0); create table s.t (a s.d[])", "insert into s.t values ('{1}')"},
	{"domain over an array of a domain", "create domain s.d as int check (h.hit(value) > 0); create domain s.e as s.d[]; create table s.t (a s.e)", "insert into s.t values ('{1}')"},
	{"composite", "create domain s.d as int check (h.hit(value) > 0); create type s.k as (a s.d); create table s.t (a s.k)", "insert into s.t values ('(1)')"},
	{"composite in a composite", "create domain s.d as int check (h.hit(value) > 0); create type s.k as (a s.d); create type s.m as (a s.k); create table s.t (a s.m[])", "insert into s.t values ('{\"(\\\"(1)\\\")\"}')"},
	{"domain over a composite", "create domain s.d as int check (h.hit(value) > 0); create type s.k as (a s.d); create domain s.e as s.k; create table s.t (a s.e)", "insert into s.t values ('(1)')"},
	{"range over a domain", "create domain s.d as int check (h.hit(value) > 0); create type s.g as range (subtype = s.d); create table s.t (a s.g)", "insert into s.t values ('[1,2]')"},
	{"multirange over a domain", "create domain s.d as int check (h.hit(value) > 0); create type s.g as range (subtype = s.d, multirange_type_name = s.gs); create table s.t (a s.gs)", "insert into s.t values ('{[1,2]}')"},
	{"operator class of a range", "create type s.g as range (subtype = int, subtype_opclass = h.ops); create table s.t (a s.g)", "insert into s.t values ('[1,2]')"},
	{"operator class of a multirange", "create type s.g as range (subtype = int, subtype_opclass = h.ops, multirange_type_name = s.gs); create table s.t (a s.gs)", "insert into s.t values ('{[1,2]}')"},
	{"operator class of a range in a composite", "create type s.g as range (subtype = int, subtype_opclass = h.ops); create type s.k as (a s.g); create table s.t (a s.k)", "insert into s.t values ('(\"[1,2]\")')"},
	{"difference of a range", "create type s.g as range (subtype = int, subtype_diff = h.diff); create table s.t (a s.g); create index on s.t using gist (a); insert into s.t select int4range(i, i + 1)::text::s.g from generate_series(1, 200) i", "insert into s.t select int4range(i, i + 1)::text::s.g from generate_series(1, 900) i"},
	{"array of a composite with an operator class", "create type s.k as (a int); create function s.cmp(s.k, s.k) returns int immutable language plpgsql as $$ begin perform h.hit(); return btint4cmp($1.a, $2.a); end $$; create operator class s.k default for type s.k using btree as function 1 s.cmp(s.k, s.k); create table s.t (a s.k[] unique); insert into s.t values ('{(1)}')", "insert into s.t values ('{(2)}')"},
	{"row with a type of its own operator class", "create type s.k as (a int); create function s.cmp(s.k, s.k) returns int immutable language plpgsql as $$ begin perform h.hit(); return btint4cmp($1.a, $2.a); end $$; create operator class s.k default for type s.k using btree as function 1 s.cmp(s.k, s.k); create table s.t (a s.k unique); insert into s.t values ('(1)')", "insert into s.t values ('(2)')"},
	{"aggregate in a rule", "create aggregate s.g(int) (sfunc = h.hit, stype = int); create table s.t (a int); create table s.b (a int); create rule r as on insert to s.t do also insert into s.b select s.g(x) from generate_series(1, 2) x", "insert into s.t values (1)"},
	{"materialized view in a policy", "create table s.t (a int); create function s.hitset() returns setof int language sql as 'select h.hit()'; create view s.v as select * from s.hitset(); grant select on s.v to test_anon; alter table s.t enable row level security; create policy p on s.t with check (a in (table s.v))", "set local role test_anon; insert into s.t values (1)"},
	{"internal", "create function s.sc(text, text, bool) returns text language internal as 'set_config_by_name'; create table s.t (a text default s.sc('response.status', '299', true))", "insert into s.t default values"},
}

// ambientWrites do so by code that any table may run.
var ambientWrites = []plainWrite{
	{"check with an operator", "create operator s.### (leftarg = int, rightarg = int, function = h.hit); create table s.t (a int check (a operator(s.###) 1 > 0))", "insert into s.t values (1)"},
	{"operator class of a point in a composite", "create operator class s.p default for type point using hash as operator 1 ~=, function 2 h.hash(point, int8); create table s.t (a point[]) partition by hash (a); create table s.p partition of s.t for values with (modulus 2, remainder 0); create table s.q partition of s.t for values with (modulus 2, remainder 1)", "insert into s.t values ('{\"(1,1)\"}')"},
	{"cast", "create table s.t (a int check (a = 1)); create cast (int as point) with function h.point(int) as implicit; create table s.b (a point); create rule r as on insert to s.t do also insert into s.b values (new.a)", "insert into s.t values (1)"},
}

type plainWrite struct{ name, create, write string }

// marking has the code that leaves a mark.
const marking = `
create schema h; grant usage on schema h to test_anon;
create function h.hit() returns int language plpgsql as $$ begin perform set_config('response.status', '299', true); return 1; end $$;
create function h.hit(int) returns int immutable language plpgsql as $$ begin return h.hit(); end $$;
create function h.hit(int, int) returns int immutable language plpgsql as $$ begin return h.hit(); end $$;
create function h.touched() returns trigger language plpgsql as $$ begin perform h.hit(); return coalesce(new, old); end $$;
create function h.diff(int, int) returns float8 immutable language plpgsql as $$ begin perform h.hit(); return $1 - $2; end $$;
create function h.cmp(int, int) returns int immutable language plpgsql as $$ begin perform h.hit(); return btint4cmp($1, $2); end $$;
create function h.hash(point, int8) returns int8 immutable language plpgsql as $$ begin return h.hit(); end $$;
create function h.point(int) returns point immutable language plpgsql as $$ begin perform h.hit(); return point($1, $1); end $$;
create operator class h.ops for type int using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 h.cmp(int, int);`

// TestPlainWrites: a write is plain only if it runs no code of the database's owners.
// PostgreSQL says what runs, because the code leaves a mark.
func TestPlainWrites(t *testing.T) {
	cluster := pgtest.Start(t)
	testPlainWrites(t, cluster, plainWrites)
	for i := range ambientWrites {
		testPlainWrites(t, cluster, ambientWrites[i:i+1])
	}
}

func testPlainWrites(t *testing.T, cluster *pgtest.Cluster, writes []plainWrite) {
	db := cluster.NewDB(t)
	cluster.Exec(t, db, marking)
	schemas := []string{"none"}
	cluster.Exec(t, db, "create schema none; create table none.t (a int primary key, b text default now()::text)")
	for i, test := range writes {
		schema := fmt.Sprintf("s%d", i)
		schemas = append(schemas, schema)
		own := func(sql string) string { return nameOfSchema.ReplaceAllString(sql, schema+".") }
		cluster.Exec(t, db, "create schema "+schema+"; grant usage on schema "+schema+" to test_anon; "+own(test.create+"; grant all on s.t to test_anon"))
		conn := cluster.Connect(t, db)
		conn.Value("begin; " + own(test.write))
		if mark := conn.Value("select current_setting('response.status', true)"); mark != "299" {
			t.Errorf("%s: the write leaves no mark", test.name)
		}
		conn.Value("rollback")
	}
	tables := load(t, db, pgtest.Superuser, Options{Schemas: schemas}).Tables
	for i, test := range writes {
		if tables[QI{schemas[i+1], "t"}].PlainWrite {
			t.Errorf("%s: a write is plain", test.name)
		}
	}
	if plain := tables[QI{"none", "t"}].PlainWrite; plain != (len(writes) > 1) {
		t.Errorf("table without such code: a write is plain: %v", plain)
	}
}

var nameOfSchema = regexp.MustCompile(`\bs\.`)
