package planner

import (
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/festival"
)

// TestBlind: a plan is blind if it reads nothing but tables and views that run
// PostgreSQL's own code, and none of that reads settings.
func TestBlind(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `create schema api; create schema extras;
		create table api.t (id int primary key, a text, j json, at timestamptz default now());
		create table api.child (id int primary key, t int references api.t, mood text);
		create table api.other (id int primary key, child int references api.child);
		create table api.tag (t int references api.t, other int references api.other, primary key (t, other));
		create view api.plain as select id, upper(a) as b from api.t;
		create table api.locked (id int primary key, t int references api.t);
		alter table api.locked enable row level security;
		create view api.header as select id, t, current_setting('request.headers', true) as h from api.child;
		create function api.twice(api.t) returns text stable language sql as 'select $1.a || $1.a';
		create function api.kin(api.t) returns setof api.other rows 1 stable language sql as 'select * from api.other';
		create domain api.small as int check (value < 9);
		create table api.typed (id int primary key, p api.t, s api.small);
		create function api.f() returns int stable language sql as 'select 1';
		create domain api."text/bad" as text;
		create function api.step(api."text/bad", api.child) returns api."text/bad" language sql as 'select $1';
		create aggregate api.body(api.child) (sfunc = api.step, stype = api."text/bad")`)
	load := func() *Planner {
		cat, err := festival.Load(cluster.URI(db, pgtest.Superuser))
		if err != nil {
			t.Fatal(err)
		}
		return New(cat, defaults)
	}
	type test struct {
		method, target, accept, body string
		want                         bool
	}
	check := func(p *Planner, tests []test) {
		t.Helper()
		for _, test := range tests {
			var headers [][2]string
			if test.accept != "" {
				headers = append(headers, [2]string{"Accept", test.accept})
			}
			plan, err := newQuery(t, test.method, test.target, headers, test.body).plan(p)
			if err != nil {
				t.Errorf("%s %s: %v", test.method, test.target, err)
			} else if plan.Blind != test.want {
				t.Errorf("%s %s %s: %t, want %t", test.method, test.target, test.accept, plan.Blind, test.want)
			}
		}
	}
	simple := []test{
		{"GET", "/t", "", "", true},
		{"HEAD", "/t?id=eq.1", "", "", true},
		{"GET", "/t?select=id::text,child(mood,other(*))&a=eq.x&order=id&child.mood=like.x*", "", "", true},
		{"GET", "/t?select=*,other(*)", "", "", true}, // through tag
		{"GET", "/t?select=id.sum(),j->a&j->>b=eq.1", "", "", true},
		{"GET", "/t?a=fts.word", "", "", true},
		{"GET", "/t", "text/csv", "", true},
		{"GET", "/plain", "", "", true},
	}
	check(load(), append(simple, []test{
		{"GET", "/header", "", "", false},
		{"GET", "/t?select=id,header(id)", "", "", false},
		{"GET", "/locked", "", "", false},
		{"GET", "/t?select=id,locked(id)", "", "", false},
		{"GET", "/t?select=twice", "", "", false},
		{"GET", "/t?twice=eq.1", "", "", false},
		{"GET", "/t?order=twice", "", "", false},
		{"GET", "/t?select=id,kin(id)", "", "", false},
		{"GET", "/t?select=id::small", "", "", false},
		{"GET", "/t?select=unheard_of", "", "", false},
		{"GET", "/typed?p->>a=eq.x", "", "", false},
		{"GET", "/child", "text/bad", "", false},
		{"GET", "/rpc/f", "", "", false},
		{"POST", "/t", "", `{"id":1}`, false},
		{"PATCH", "/t", "", `{"a":1}`, false},
		{"DELETE", "/t?id=eq.1", "", "", false},
	}...))
	// Operators, casts and functions that statements may use without naming them.
	for _, code := range []string{
		`create function api.op(int, int) returns boolean language sql as $$ select current_setting('request.method') = '' $$;
		 create operator api.=== (leftarg = int, rightarg = int, function = api.op)`,
		`create function api.to_tsvector(text) returns tsvector language sql as $$ select pg_catalog.to_tsvector(current_setting('request.path')) $$`,
	} {
		cluster.Exec(t, db, code)
		for i := range simple {
			simple[i].want = false
		}
		check(load(), simple)
		cluster.Exec(t, db, "drop function if exists api.op cascade; drop function if exists api.to_tsvector(text)")
	}
	cluster.Exec(t, db, `create function api.step(int, int) returns int language sql as $$ select current_setting('request.path')::int $$;
		create aggregate api.sum(int) (sfunc = api.step, stype = int)`)
	check(load(), []test{{"GET", "/t?select=id.sum()", "", "", false}, {"GET", "/t?select=id.max()", "", "", true}})
	if (&catalog.Catalog{}).FunctionObserves("new") != true {
		t.Error("a function that the catalog does not have is blind")
	}
}
