package catalog

import (
	"context"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestHasField asks PostgreSQL for every name of a function whether it can stand
// behind a relation like a column.
func TestHasField(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `create schema s; create schema o;
		create table s.t (id int, "Odd name" int); create table s.heir () inherits (s.t); create table s.other (id int); create view s.v as select * from s.t;
		create function s.own(s.t) returns int language sql as 'select 1';
		create function o.elsewhere(s.t) returns int language sql as 'select 1';
		create function s.with_default(s.t, int default 1) returns int language sql as 'select 1';
		create function s.of_two(s.t, int) returns int language sql as 'select 1';
		create function s.any_row(record) returns int language plpgsql as 'begin return 1; end';
		create function s.poly(anyelement) returns int language sql as 'select 1';
		create function s.many(variadic anyarray) returns int language sql as 'select 1';
		create function s.of_view(s.v) returns int language sql as 'select 1'`)
	cat := load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}})
	conn := connect(t, cluster.URI(db, pgtest.Superuser))
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "set search_path = s, o").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, `create function works(field text) returns boolean language plpgsql as $$ begin
		execute 'select 1 from s.t where (t.' || field || ') is null limit 0'; return true; exception when others then return false; end $$`).ReadAll(); err != nil {
		t.Fatal(err)
	}
	names, err := conn.Exec(ctx, `select name from (
		select proname::text from pg_proc where pronargs > 0 and pronargs - pronargdefaults <= 1 and prokind = 'f' and prorettype not in ('trigger'::regtype, 'void'::regtype) and proname not like 'pg_stat%'
		union select 'id' union select 'Odd name') f (name) where works(quote_ident(name))`).ReadAll()
	if err != nil || len(names[0].Rows) < 20 {
		t.Fatal(err, names)
	}
	for _, row := range names[0].Rows {
		if !cat.HasField(QI{"s", "t"}, string(row[0])) {
			t.Errorf("%s works, and is not known", row[0])
		}
	}
	for _, c := range []struct {
		relation, name string
		want           bool
	}{
		{"t", "own", true}, {"heir", "own", true}, {"other", "own", false}, {"v", "own", false}, {"v", "of_view", true},
		{"t", "elsewhere", true}, {"t", "of_two", false}, {"t", "count", false}, {"t", "sum", false}, {"t", "nothing", false},
		{"missing", "nothing", true},
	} {
		if got := cat.HasField(QI{"s", c.relation}, c.name); got != c.want {
			t.Errorf("%s.%s: got %v", c.relation, c.name, got)
		}
	}
}
