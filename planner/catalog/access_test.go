package catalog

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestAccess(t *testing.T) {
	db := database(t, filepath.Join("testdata", "access.sql"))
	cat := load(t, db, "acc_login", Options{Schemas: []string{"code"}, ExtraSearchPath: []string{"away"}})
	for _, table := range cat.Tables {
		var got []string
		if table.RowSecurity {
			got = append(got, "rls")
		}
		if table.UserCode {
			got = append(got, "code")
		}
		if got := strings.Join(got, " "); got != table.Description {
			t.Errorf("%s: got %q, want %q", table.Name, got, table.Description)
		}
	}

	roles := func(o Options) []string {
		return slices.Sorted(maps.Keys(load(t, db, "acc_login", o).UsageRoles))
	}
	if got, want := roles(Options{Schemas: []string{"code"}, ExtraSearchPath: []string{"away"}}), []string{"acc_inner", "acc_login", "acc_reader"}; !slices.Equal(got, want) {
		t.Errorf("roles with USAGE on both schemas: got %q, want %q", got, want)
	}
	// Statements also name types of the other schema.
	if got, want := roles(Options{Schemas: []string{"code"}}), []string{"acc_inner", "acc_login", "acc_reader"}; !slices.Equal(got, want) {
		t.Errorf("roles with USAGE on the exposed schema and that of a type: got %q, want %q", got, want)
	}
	pgtest.Start(t).Exec(t, db, "drop view code.casts_builtin, code.casts_domain; alter table code.plain drop column mood cascade")
	if got, want := roles(Options{Schemas: []string{"code"}}), []string{"acc_inner", "acc_login", "acc_partly", "acc_reader"}; !slices.Equal(got, want) {
		t.Errorf("roles with USAGE on the exposed schema: got %q, want %q", got, want)
	}
}

// From 16 on a membership may come without the right to SET ROLE.
func TestUsageRolesWithoutSet(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, "create schema s; create role set_login login noinherit; create role set_no; create role set_yes; grant set_yes, set_no to set_login; grant usage on schema s to public")
	want := []string{"set_login", "set_no", "set_yes"}
	if load(t, db, "set_login", Options{Schemas: []string{"s"}}).Version.Num >= 160000 {
		cluster.Exec(t, db, "grant set_no to set_login with set false")
		want = []string{"set_login", "set_yes"}
	}
	got := slices.Sorted(maps.Keys(load(t, db, "set_login", Options{Schemas: []string{"s"}}).UsageRoles))
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// to_json calls a cast to json when it meets the type. The view's dependencies do
// not include that cast.
func TestJSONCastIsUserCode(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `
		create schema s;
		create type s.mood as enum ('sad');
		create table s.moody (m s.mood);
		create table s.moods (m s.mood[]);
		create table s.calm (id int);
		create view s.over as select to_json(m) as j from s.moody;
		create view s.made as select 'sad'::s.mood as m;
		create function s.mood_json(s.mood) returns json language sql as 'select null::json'`)
	code := func() (names []string) {
		for qi, table := range load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}}).Tables {
			if table.UserCode {
				names = append(names, qi.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	if got := code(); len(got) != 0 {
		t.Errorf("before: got %q", got)
	}
	cluster.Exec(t, db, "create cast (s.mood as json) with function s.mood_json(s.mood)")
	if got, want := code(), []string{"made", "moods", "moody", "over"}; !slices.Equal(got, want) {
		t.Errorf("after: got %q, want %q", got, want)
	}
}

// Virtual generated columns exist from 18 on. That version rejects user code in
// their expressions; later ones may accept it.
func TestVirtualColumnHasNoDefault(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, "create schema s; create table s.base (id int)")
	if load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}}).Version.Num < 180000 {
		return
	}
	cluster.Exec(t, db, "create table s.v (id int, twice int generated always as (id * 2) virtual)")
	table := load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}}).Table("s", "v")
	if table.UserCode || table.Column("twice").HasDefault {
		t.Errorf("got %+v %+v", table, table.Column("twice"))
	}
}

func TestMissingSchema(t *testing.T) {
	db := pgtest.Start(t).NewDB(t)
	for _, o := range []Options{
		{Schemas: []string{"nowhere"}},
		{Schemas: []string{"public"}, ExtraSearchPath: []string{"nowhere"}},
	} {
		_, err := tryLoad(t, db, pgtest.Superuser, o)
		if err == nil || !strings.Contains(err.Error(), `"schemas": ERROR: schema "nowhere" does not exist (SQLSTATE 3F000)`) {
			t.Errorf("%+v: got %v", o, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	db := pgtest.Start(t).NewDB(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Load(ctx, pgtest.Querier(connect(t, pgtest.Start(t).URI(db, pgtest.Superuser))), Options{Schemas: []string{"public"}})
	if err == nil {
		t.Error("no error")
	}
}
