package catalog

import (
	"context"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

const printed = `
create schema s;
create type s.mood as enum ('sad');
create domain s.small as int;
create table s.a (id int primary key, name varchar(10) default 'x', mood s.mood);
create table s.b (id int, a int);
create view s.v as select id from s.a;
create function s.f() returns int language sql as 'select 1';
create function s.g(s.mood, int) returns int language sql as 'select 1';
create role print_role login;
create role print_member;
`

// TestFingerprint: every change of the catalog's sources changes the fingerprint,
// and ordinary writes do not.
func TestFingerprint(t *testing.T) {
	cluster := pgtest.StartOwn(t) // roles belong to the cluster, and other tests make some
	db := cluster.NewDB(t)
	cluster.Exec(t, db, printed)
	conn := connect(t, cluster.URI(db, "print_role"))
	owner := connect(t, cluster.URI(db, pgtest.Superuser))
	ask := func(what func(context.Context, Querier) (string, error)) string {
		t.Helper()
		text, err := what(context.Background(), pgtest.Querier(conn))
		if err != nil || text == "" {
			t.Fatalf("%q %v", text, err)
		}
		return text
	}
	print, moment := ask(Fingerprint), ask(Moment)
	if again := ask(Fingerprint); again != print {
		t.Errorf("changes by itself:\n%s\n%s", print, again)
	}
	if again := ask(Moment); again != moment {
		t.Errorf("the moment passes by itself: %s, %s", moment, again)
	}
	for _, c := range []struct {
		sql     string
		changes bool
	}{
		{"create table s.c (id int)", true},
		{"alter table s.c rename to d", true},
		{"alter table s.d add column x int", true},
		{"alter table s.d rename column x to y", true},
		{"alter table s.a alter column name type varchar(20)", true},
		{"alter table s.d alter column y set default 7", true},
		{"alter table s.d alter column y set default 8", true},
		{"alter table s.d alter column y set not null", true},
		{"alter table s.d drop column y", true},
		{"comment on table s.d is 'text'", true},
		{"comment on column s.d.id is 'text'", true},
		{"comment on schema s is 'text'", true},
		{"drop table s.d", true},
		{"alter table s.b add foreign key (a) references s.a", true},
		{"create or replace view s.v as select id, 1 as one from s.a", true},
		{"create or replace view s.v as select id, 2 as one from s.a", true},
		{"alter view s.v set (security_barrier = on)", true},
		{"create or replace function s.f() returns int language sql as 'select 2'", true},
		{"alter function s.f() set work_mem = '1MB'", true},
		{"create function s.f(x int) returns int language sql as 'select 1'", true},
		{"alter type s.mood add value 'glad'", true},
		{"create domain s.other as s.small", true},
		{"alter table s.a enable row level security", true},
		{"create policy p on s.a using (id > 1)", true},
		{"create table s.part (id int) partition by list (id)", true},
		{"create table s.part1 partition of s.part for values in (1)", true},
		{"grant usage on schema s to print_role", true},
		{"grant print_member to print_role", true},
		{"alter role print_role set pgrst.db_max_rows = 1", true},
		{"alter role print_role set pgrst.db_max_rows = 2", true},
		{"alter role print_role reset all", true},
		{"drop function s.f(int)", true},
		{"create trigger t before update on s.a for each row execute function suppress_redundant_updates_trigger()", true},
		{"alter table s.a disable trigger t", true},
		{"create index on s.a (lower(name))", true},
		{"create unique index on s.b (id)", true},
		{"reindex table concurrently s.b", false},
		{"alter index s.b_id_idx rename to b_other", true},
		{"create unique index on s.b (a) where id > 1", true},
		{"create operator s.+ (leftarg = s.mood, rightarg = int, function = s.g)", true},

		{"insert into s.a values (1, 'a', 'sad'), (2, repeat('a', 9), 'sad')", false},
		{"create temp table temporary (id int primary key, name text default 'x', check (id > 1))", false},
		{"create temp view fleeting as select 1 as one", false},
		{"create index on s.a (name)", false},
		{"reindex table s.a", false},
		{"cluster s.a using a_pkey", false},
		{"vacuum full s.a", false},
		{"vacuum freeze s.a", false},
		{"vacuum freeze pg_attribute", false},
		{"vacuum full pg_attribute", false},
		{"analyze", false},
		{"truncate s.a cascade", false},
		{"create table pg_temp.more (id int); drop table pg_temp.more", false},
		{"create sequence s.numbers; select nextval('s.numbers'); drop sequence s.numbers", false},
	} {
		if _, err := owner.Exec(context.Background(), c.sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		nextPrint, nextMoment := ask(Fingerprint), ask(Moment)
		if (nextPrint != print) != c.changes {
			t.Errorf("%s: changed %t, want %t\n%s\n%s", c.sql, nextPrint != print, c.changes, print, nextPrint)
		}
		if c.changes && nextMoment == moment {
			t.Errorf("%s: not seen in the moment %s", c.sql, moment)
		}
		print, moment = nextPrint, nextMoment
	}
}
