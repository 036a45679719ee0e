package planner

import (
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/festival"
)

// What a read may run besides PostgreSQL's own code: then it has to look for
// response.headers (user code), and may not share statements (per role).
func TestInspect(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	const none, code, both = "", "user code", "user code, per role"
	for _, test := range []struct{ target, accept, want string }{
		{"/genre", "", none},
		{"/movie?select=*,country(*),genre(name)&order=title&rating=gt.1&meta->>a=eq.1", "", none},
		{"/measurement?select=value.avg()", "", none},
		{"/movie?select=id::text,budget::numeric,released::date", "", none},
		// Computed fields, wherever they stand.
		{"/movie?select=label", "", both},
		{"/movie?label=eq.x", "", both},
		{"/movie?or=(id.eq.1,and(label.eq.x,id.eq.2))", "", both},
		{"/movie?order=label", "", both},
		{"/movie?select=label.max()", "", both},
		{"/country?select=code,movie(label)", "", both},
		{"/country?select=code,movie(title)&movie.label=eq.x", "", both},
		{"/country?select=code,movie(title)&movie.order=label", "", both},
		{"/movie?select=facts_doc->a", "", both},
		{"/country?select=code,...movie(title)&movie.order=label", "", both}, // to-many spreads select the fields of their order
		{"/country?select=code,...movie(title)&movie.order=title", "", none},
		// Arrows that are looked up on the search path.
		{"/country?select=facts->a->b", "", none},
		{"/country?select=facts->>a->b", "", both},
		{"/country?facts->>a->b=eq.1", "", both},
		{"/movie?select=title,country(facts)&order=country(facts)", "", none},
		{"/movie?select=title,country(facts)&order=country(facts->capital)", "", both},
		{"/country?select=code,...movie(title,country(facts))&movie.order=country(facts)", "", none},
		{"/country?select=code,...movie(title,country(facts))&movie.order=country(facts->capital)", "", both},
		// Aggregates of types that are not built in, also where they move out of a spread.
		{"/movie?select=...person!movie_director_fk(email.max())", "", both},
		{"/movie?select=...person!movie_director_fk(email.max()::text)", "", both},
		{"/movie?select=...person!movie_director_fk(id.max()::positive_int)", "", both},
		{"/movie?select=title,...person!movie_director_fk(id.max())", "", none},
		{"/movie?select=id.max(),...person!movie_director_fk(x:id.count())&x.email=eq.a", "", code},
		// Casts that are not PostgreSQL's.
		{"/movie?select=id::positive_int", "", both},
		{"/movie?select=id.sum()::positive_int", "", both},
		{"/movie?select=id::int4", "", none},
		{"/person?select=email::text", "", both}, // from a type that is not built in
		{"/customer?select=level::text", "", none},
		{"/sponsor?select=code::text", "", none}, // a domain casts like its base type
		// Operators of types that are not built in; enums and domains have
		// PostgreSQL's.
		{"/person?email=eq.x", "", code},
		{"/person?order=email", "", code},
		{"/customer?level=eq.guest&order=level", "", none},
		{"/sponsor?code=eq.ACME&order=code", "", none},
		{"/person?select=email.max()", "", both},
		{"/venue?address=eq.x", "", code},
		{"/venue?address->>city=eq.x", "", code}, // to_jsonb may run a cast
		// Conversions by PostgreSQL that may run a cast to json. (Of our own
		// rows Prepare knows.)
		{"/person?select=id,email", "", none},
		{"/movie?select=title,person!movie_director_fk(full_name)", "", none},
		{"/movie?select=title,person!movie_director_fk(email)", "", code},
		{"/movie?select=title,person!movie_director_fk(*)", "", code},
		{"/movie?select=title,...person!movie_director_fk(email)", "", code},
		{"/movie?select=title,person!movie_director_fk()", "", none},
		{"/person?select=email", "text/csv", code},
		{"/person", "text/csv", code},
		{"/person?select=full_name", "text/csv", none},
		{"/customer", "application/vnd.pgrst.array+json;nulls=stripped", none}, // an enum is
		// Representations.
		{"/palette?select=shade", "", both},
		{"/palette", "", both},
		{"/palette?select=id&shade=eq.x", "", both},
		{"/palette?select=id,ticket", "", none},
		// Views, policies, computed relationships, handlers.
		{"/uses_extras", "", both},
		{"/movie_card", "", none},
		{"/counter_view", "", none},
		{"/section?select=name,children(name)", "", both},
		{"/section?select=name,section(name)", "", none},
		{"/genre", "text/html", both},
		{"/award", "application/vnd.aurora.lines", both},
		{"/venue?select=name", "application/geo+json", both},
		{"/genre", "text/csv", none},
	} {
		var headers [][2]string
		if test.accept != "" {
			headers = append(headers, [2]string{"Accept", test.accept})
		}
		plan := mustPlan(t, p, test.target, headers...)
		got := none
		switch {
		case plan.UserCode && plan.PerRole:
			got = both
		case plan.UserCode:
			got = code
		case plan.PerRole:
			got = "per role"
		}
		if got != test.want {
			t.Errorf("%s (%s): %q, want %q", test.target, test.accept, got, test.want)
		}
	}
}

func TestInspectWrites(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	for _, test := range []struct {
		method, target, body string
		userCode, perRole    bool
	}{
		{"POST", "/genre", `{"id":1}`, false, false},
		{"POST", "/customer", `{"handle":"x"}`, false, false}, // gen_random_uuid is built in
		{"POST", "/task", `{"name":"x"}`, true, false},        // so is all of these defaults
		{"POST", "/secret_note", `{"id":1}`, false, true},
		{"PATCH", "/genre", `{"name":"x"}`, false, false},
		{"DELETE", "/secret_note", "", false, true},
		{"DELETE", "/genre?select=name,movie(title)", "", false, false},
		{"DELETE", "/genre?select=name,movie(label)", "", true, true},
	} {
		plan, err := newQuery(t, test.method, test.target, [][2]string{{"Prefer", "return=representation"}}, test.body).plan(p)
		if err != nil {
			t.Fatalf("%s: %v", test.target, err)
		}
		if plan.UserCode != test.userCode || plan.PerRole != test.perRole {
			t.Errorf("%s %s: user code %v, per role %v", test.method, test.target, plan.UserCode, plan.PerRole)
		}
	}
}

func TestDefaultsCall(t *testing.T) {
	for expr, want := range map[string]bool{
		"":                                  false,
		"5":                                 false,
		"2.50":                              false,
		"'a.b'::text":                       false,
		"now()":                             false,
		"nextval('api.x_id_seq'::regclass)": false,
		"'it''s a.b'::text":                 false,
		"api.slug()":                        true,
		"upper(api.slug('x'::text))":        true,
		`"Odd Schema"."Odd Func"()`:         true,
		"'x'::api.mood":                     false, // a type
		"lower('X'::text)::api.mood":        false,
		"('x'::api.mood)::text":             false,
		`api."odd "" name"(1)`:              true,
	} {
		table := &catalog.Table{Columns: []*catalog.Column{{Name: "a"}, {Name: "b", Default: expr, HasDefault: expr != ""}}}
		if got := defaultsCall(table); got != want {
			t.Errorf("%s: %v", expr, got)
		}
	}
}

// plannerOf returns a planner for a database of its own that is made by the commands.
func plannerOf(t *testing.T, sql string) *Planner {
	t.Helper()
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, sql)
	cat, err := festival.Load(cluster.URI(db, pgtest.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	return New(cat, defaults)
}

// checkOwners compares whether plans of reads run code of the database's owners.
func checkOwners(t *testing.T, p *Planner, reads map[string]bool) {
	t.Helper()
	for target, want := range reads {
		if plan := mustPlan(t, p, target); plan.UserCode != want || plan.PerRole != want || plan.Blind == want {
			t.Errorf("%s: user code %v, per role %v, blind %v", target, plan.UserCode, plan.PerRole, plan.Blind)
		}
	}
}

// TestInspectOwnOperators: the owners have an operator for a domain.
func TestInspectOwnOperators(t *testing.T) {
	p := plannerOf(t, `create schema api; create schema extras; create table api.t (id int primary key, a text);
		create domain api.word as text; create type api.mood as enum ('a', 'b');
		create function api.same(api.word, api.word) returns bool language sql immutable as 'select lower($1) = lower($2::text)';
		create operator api.= (leftarg = api.word, rightarg = api.word, function = api.same);
		create table api.parent (word api.word primary key, mood api.mood);
		create table api.child (id int primary key, word api.word references api.parent);
		create table api.junction (word api.word references api.parent, id int references api.child, primary key (word, id));`)
	checkOwners(t, p, map[string]bool{
		"/t?select=id,a&id=eq.1":                        false,
		"/t?select=a->b":                                false,
		"/t?select=a->>b->c":                            true,
		"/parent?select=word,mood&mood=eq.a":            false,
		"/parent?word=eq.a":                             true,
		"/parent?select=mood&or=(word.eq.a)":            true,
		"/parent?select=word&distinct=true":             true,
		"/parent?distinct=true":                         true,
		"/t?distinct=true":                              false,
		"/child?select=id&id=eq.1&order=id":             false,
		"/child?select=id,parent!child_word_fkey(mood)": true, // the join compares
		"/parent?select=mood,child!child_word_fkey(id)": true,
		"/parent?select=mood,child!junction(id)":        true,
		"/child?select=id,junction(id)":                 false,
	})
	q := newQuery(t, "PATCH", "/parent", [][2]string{{"Prefer", "params=multiple-objects"}}, `[{"word":"a","mood":"b"}]`)
	if plan, err := q.plan(p); err != nil || !plan.Bulk || !plan.UserCode || !plan.PerRole {
		t.Errorf("a bulk update: %v, %+v", err, plan)
	}
}

// TestInspectAmbient: the owners have an operator and a cast for types of PostgreSQL's own.
func TestInspectAmbient(t *testing.T) {
	p := plannerOf(t, `create schema api; create schema extras; create table api.t (id int primary key, doc json);
		create function api.same(json, json) returns bool language sql stable as 'select $1::text = $2::text';
		create operator api.= (leftarg = json, rightarg = json, function = api.same);
		create function api.bytes(int) returns bytea language sql immutable as 'select pg_catalog.int4send($1)';
		create cast (int as bytea) with function api.bytes`)
	checkOwners(t, p, map[string]bool{
		"/t":                      false,
		"/t?select=doc":           false,
		"/t?doc=eq.1":             true,
		"/t?order=doc":            true,
		"/t?select=id::bytea":     true,
		"/t?select=id.max()::int": true,
	})
}

// TestInspectLeftovers: a plan leaves what something that it runs leaves.
func TestInspectLeftovers(t *testing.T) {
	p := plannerOf(t, `create schema api; create schema extras;
		create function api.bad() returns int language sql as $$ select set_config('my.who', 'x', false)::int $$;
		create function api.owner() returns text stable language sql as $$ select nullif(current_setting('request.jwt.claims', true), '')::json->>'sub' $$;
		create table api.t (id int primary key, owner text);
		alter table api.t enable row level security;
		create policy p on api.t using (owner = api.owner());
		create table api.child (id int primary key, t int references api.t, mood text);
		create table api.other (id int primary key, child int references api.child);
		create view api.locked as select 1 as id, pg_try_advisory_lock(1) as locked;
		create function api.marked(api.t) returns int language sql as 'select api.bad()';
		create function api.upper(api.t) returns text language sql as 'select pg_catalog.upper($1.owner)';
		create function api.kin(api.t) returns setof api.other rows 1 language sql as 'select * from api.other where id > api.bad()';
		create domain api.small as int check (value < 9 and api.bad() > 0);
		create function api.touch() returns trigger language plpgsql as 'begin perform api.bad(); return new; end';
		create trigger touch before insert on api.other for each row execute function api.touch();
		create domain api."text/bad" as text;
		create function api.bad_step(api."text/bad", api.child) returns api."text/bad" language sql as 'select api.bad()::text::api."text/bad"';
		create aggregate api.bad_body(api.child) (sfunc = api.bad_step, stype = api."text/bad");`)
	for _, test := range []struct {
		method, target, accept, body string
		want                         catalog.Leftovers
	}{
		{"GET", "/t", "", "", 0},
		{"GET", "/t?select=id::text,child(mood,other(*))&owner=eq.x&order=id", "", "", 0},
		{"GET", "/t?select=upper", "", "", 0},
		{"GET", "/t?select=id.sum()", "", "", 0},
		{"GET", "/t?select=marked", "", "", 1},
		{"GET", "/t?marked=eq.1", "", "", 1},
		{"GET", "/t?order=marked", "", "", 1},
		{"GET", "/child?select=id,t(marked)", "", "", 1},
		{"GET", "/t?select=id,kin(id)", "", "", 1},
		{"GET", "/t?select=id::small", "", "", 1},
		{"GET", "/t?select=id.sum()::small", "", "", 1},
		{"GET", "/t?select=unheard_of", "", "", 1},
		{"GET", "/t?select=id,...child(mood)&child.order=mood", "", "", 0},
		{"GET", "/other?select=id,...child(...t(id))&child.t.order=marked", "", "", 1},
		{"GET", "/child?select=id,...other(id)&other.order=unheard_of", "", "", 1},
		{"GET", "/child?select=...t(id.sum())", "", "", 0},
		{"GET", "/child?select=...t(id.sum()::small)", "", "", 1},
		{"GET", "/child?select=mood->a->b", "", "", 0},
		{"GET", "/child?select=mood->>a->b", "", "", 1}, // the operator may take any type as its right operand
		{"GET", "/child?mood->>a->b=eq.1", "", "", 1},
		{"GET", "/child?select=id,t(owner)&order=t(owner->a)", "", "", 1},
		{"GET", "/locked", "", "", 1}, // without user code
		{"GET", "/child", "text/bad", "", 1},
		{"GET", "/child", "text/csv", "", 0},
		{"GET", "/rpc/owner", "", "", 0},
		{"GET", "/rpc/bad", "", "", 1},
		{"POST", "/t", "", `{"id":1}`, 0},
		{"POST", "/other", "", `{"id":1}`, 1},
		{"DELETE", "/child?id=eq.1", "", "", 0},
	} {
		var headers [][2]string
		if test.accept != "" {
			headers = append(headers, [2]string{"Accept", test.accept})
		}
		plan, err := newQuery(t, test.method, test.target, headers, test.body).plan(p)
		if err != nil {
			t.Errorf("%s %s: %v", test.method, test.target, err)
			continue
		}
		if plan.Leftovers != test.want {
			t.Errorf("%s %s %s: %d, want %d", test.method, test.target, test.accept, plan.Leftovers, test.want)
		}
	}
}
