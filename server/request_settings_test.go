package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// observersSchema has each kind of object that can read a setting of the request.
// api.tag() is what they read: a header and a claim.
const observersSchema = `
create extension if not exists hstore;
create schema api;
grant usage on schema api to test_anon, test_user;
alter default privileges in schema api grant all on tables to test_anon, test_user;
create function public.tag() returns text stable language sql as $$
  select concat_ws(' ', nullif(current_setting('request.headers', true), '')::json->>'x-tag', nullif(current_setting('request.jwt.claims', true), '')::json->>'sub') $$;
-- Not immutable, but nothing checks that.
create function public.fixed(int) returns text immutable language plpgsql as 'begin return tag(); end';
create function public.expected(text) returns boolean immutable language plpgsql as 'begin return $1 = tag(); end';

create table api.plain (id int primary key, a text);
insert into api.plain values (1, 'seen sub-1');
create view api.direct as select concat_ws(' ', current_setting('request.headers', true)::json->>'x-tag', current_setting('request.jwt.claims', true)::json->>'sub') as seen;
create view api.called as select tag() as seen;
create view api.outer as select seen from api.called;
create view api.listed as select (select setting from pg_settings where name = 'search_path') || tag() as seen;
create function api.seen() returns text stable language sql as 'select tag()';
create function api.changes() returns text volatile language plpgsql as 'begin return tag(); end';
create function api.seen(api.plain) returns text stable language sql as 'select tag()';
create function api.kin(api.plain) returns setof api.plain rows 1 stable language sql as 'select 1, tag()';

create table api.locked (a text);
insert into api.locked values ('seen sub-1'), ('other sub-1');
alter table api.locked enable row level security;
alter table api.locked force row level security;
create policy p on api.locked using (a = tag());
create view api.through as select a from api.locked;
alter view api.through owner to test_user;

create table api.defaults (id serial primary key, a text default tag());
create table api.generated (id serial primary key, a text generated always as (fixed(id)) stored);
create table api.checked (id serial primary key, a text check (expected(a)));
create domain api.dom as text check (expected(value));
create table api.domained (id serial primary key, a api.dom);
create function api.trigger() returns trigger language plpgsql as $$ begin new.a := tag(); return new; end $$;
create table api.triggered (id serial primary key, a text);
create trigger t before insert or update on api.triggered for each row execute function api.trigger();
create view api.instead as select 1 as id, ''::text as a;
create trigger t instead of insert on api.instead for each row execute function api.trigger();
create function api.later() returns trigger language plpgsql as $$ begin if tag() <> 'seen sub-1' then raise 'unexpected %', tag(); end if; return null; end $$;
create table api.deferred (id serial primary key, a text);
create constraint trigger t after insert on api.deferred deferrable initially deferred for each row execute function api.later();
create table api.parted (id int, a text) partition by list (id);
create table api.part partition of api.parted for values in (1);
create trigger t before insert on api.part for each row execute function api.trigger();
create table api.ruled (id int, a text);
create rule r as on insert to api.ruled do instead insert into api.plain values (new.id, tag()) returning id, a;
create table api.parent (id int primary key);
create table api.child (id int references api.parent on delete cascade);
create trigger t after delete on api.child for each row execute function api.later();
create table api.indexed (id serial, a text);
alter sequence api.indexed_id_seq restart 2;
create unique index on api.indexed (fixed(id));

create type api.pair as (x int, y int);
create type api.mood as enum ('fine');
create function api.as_json(api.mood) returns json language sql as 'select to_json(tag())';
create cast (api.mood as json) with function api.as_json;
create table api.moods (m api.mood);
insert into api.moods values ('fine');
create table api.pairs (p api.pair);
insert into api.pairs values ((1, 2));
create function api.same(api.pair, api.pair) returns boolean language sql as $$ select tag() = 'seen sub-1' $$;
create operator api.= (leftarg = api.pair, rightarg = api.pair, function = api.same);
create domain api.colour as int;
create function api.json(api.colour) returns json language sql as 'select to_json(tag())';
create cast (api.colour as json) with function api.json as implicit;
create table api.palette (c api.colour);
insert into api.palette values (1);
create domain api."text/seen" as text;
create function api.step(api."text/seen", api.plain) returns api."text/seen" language sql as 'select tag()::api."text/seen"';
create aggregate api.page(api.plain) (sfunc = api.step, stype = api."text/seen", initcond = '');
create table api.stored (h hstore);
insert into api.stored values ('a=>1');
create view api.extended as select h || hstore('seen', tag()) as h from api.stored;
grant all on all sequences in schema api to test_anon, test_user;
`

// TestObservers: code of each kind that reads the headers or the claims of the
// request gets them, also if others go without. Another header gives
// another response, so that the code has certainly run.
func TestObservers(t *testing.T) {
	for _, setting := range []string{"all", "auto", "headers"} {
		t.Run(setting, func(t *testing.T) {
			w := startWriter(t, observersSchema, map[string]string{login: "test_login", direct: "yes", "db-request-settings": setting, "db-aggregates-enabled": "true"})
			bearer := "Authorization: Bearer " + w.token(`{"role":"test_user","sub":"sub-1"}`)
			w.sql(`set request.headers = '{"x-tag":"other"}'; set request.jwt.claims = '{"sub":"sub-1"}'`) // for the row in the index
			for _, c := range []struct{ method, target, body, accept string }{
				{"GET", "/direct", "", ""}, {"GET", "/called", "", ""}, {"GET", "/outer", "", ""}, {"GET", "/listed", "", ""},
				{"GET", "/rpc/seen", "", ""}, {"POST", "/rpc/seen", "", ""}, {"POST", "/rpc/changes", "", ""},
				{"GET", "/plain?select=seen", "", ""}, {"GET", "/plain?select=id&seen=eq.seen%20sub-1", "", ""}, {"GET", "/plain?select=kin(a)", "", ""},
				{"GET", "/locked", "", ""}, {"GET", "/through", "", ""}, {"GET", "/locked?select=a.max()", "", ""},
				{"POST", "/defaults", "{}", ""}, {"POST", "/generated", "{}", ""}, {"POST", "/checked", `{"a":"seen sub-1"}`, ""},
				{"POST", "/domained", `{"a":"seen sub-1"}`, ""}, {"GET", "/plain?select=a::dom", "", ""},
				{"POST", "/triggered", "{}", ""}, {"POST", "/instead", "{}", ""}, {"POST", "/deferred", "{}", ""}, {"POST", "/parted", `{"id":1}`, ""},
				{"POST", "/ruled", `{"id":2}`, ""}, {"DELETE", "/parent", "", ""}, {"POST", "/indexed", "{}", ""},
				{"GET", "/moods", "", ""}, {"GET", "/pairs?p=eq.(3,4)&select=count()", "", ""}, {"GET", "/palette", "", ""}, {"GET", "/plain", "", "text/seen"},
				{"GET", "/extended", "", ""},
			} {
				what := c.method + " " + c.target
				ask := func(tag string) *reply {
					if c.method != "GET" {
						w.sql(`truncate api.parent cascade; insert into api.parent values (1); insert into api.child values (1);
							delete from api.plain where id > 1; delete from api.indexed where id > 1;
							insert into api.indexed (id) values (1) on conflict do nothing`)
					}
					head := []string{bearer, "X-Tag: " + tag, full}
					if c.accept != "" {
						head = append(head, "Accept: "+c.accept)
					}
					return w.ask(c.method, c.target, c.body, head...)
				}
				for range 3 { // the second has the plan, the third the prepared statement
					r := ask("seen")
					if r.status >= 300 {
						t.Errorf("%s: %v", what, r)
					}
					if other := ask("other"); withoutID(other.body) == withoutID(r.body) {
						t.Errorf("%s: the setting is not read: %v", what, other)
					}
				}
			}
		})
	}
}

// withoutID removes serial numbers.
func withoutID(body string) string {
	_, rest, found := strings.Cut(body, `"a":`)
	if found && strings.HasPrefix(body, `[{"id":`) {
		return rest
	}
	return body
}

// TestRequestSettings: the settings that db-request-settings names are made, and
// with auto those that something may read.
func TestRequestSettings(t *testing.T) {
	const four = "method path headers cookies"
	for _, c := range []struct{ setting, preRequest, plain, called, write string }{
		{"all", "", four, four, four},
		{"auto", "", "", four, four},
		{"auto", "api.before", four, four, four},
		{"none", "", "", "", ""},
		{"none", "api.before", "", "", ""},
		{"headers, method", "", "method headers", "method headers", "method headers"},
		{"cookies", "api.before", "cookies", "cookies", "cookies"},
	} {
		flags := map[string]string{login: "test_login", "db-prepared-statements": "false", "db-request-settings": c.setting}
		if c.preRequest != "" {
			flags["db-pre-request"] = c.preRequest
		}
		w := startWriter(t, observersSchema+"create function api.before() returns void language sql as 'select'", flags)
		for _, test := range []struct{ method, target, body, want string }{
			{"GET", "/plain", "", c.plain}, {"HEAD", "/plain?id=eq.1", "", c.plain}, {"GET", "/called", "", c.called},
			{"GET", "/locked", "", c.called}, {"GET", "/rpc/seen", "", c.called}, {"POST", "/defaults", "{}", c.write},
		} {
			for range 2 { // the first request of a plan does not know the columns
				w.proxy.Record()
				if r := w.ask(test.method, test.target, test.body, "X-Tag: seen", "Cookie: a=b"); r.status >= 300 {
					t.Fatal(test.target, r)
				}
			}
			statements, err := w.proxy.Recorded().Statements()
			if err != nil {
				t.Fatal(err)
			}
			made := ""
			for _, s := range statements {
				if strings.HasPrefix(s, "SELECT pg_catalog.num_nonnulls(") {
					made = s
				}
			}
			var got []string
			for _, name := range strings.Fields(four) {
				if strings.Contains(made, "'request."+name+"'") {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("%s, pre-request %q: %s %s makes %q, want %q", c.setting, c.preRequest, test.method, test.target, got, test.want)
			}
			for _, always := range []string{"role", "search_path", "request.jwt.claims"} {
				if !strings.Contains(made, "'"+always+"'") {
					t.Errorf("%s: %s is not set: %s", test.target, always, made)
				}
			}
		}
	}
}

// TestBlindAmongOthers: a request without settings does not see those of the
// requests before it on the connection. The view that shows this has been changed
// behind the schema cache's back.
func TestBlindAmongOthers(t *testing.T) {
	w := startWriter(t, observersSchema+`
		create view api.late as select a as seen, a as claims from api.plain;
		create function api.leave() returns void volatile language plpgsql as $$ begin
			perform set_config('request.headers', '{"x-tag":"left"}', false), set_config('request.path', '/left', false);
		end $$;`, map[string]string{login: "test_login", direct: "yes", "db-request-settings": "auto"})
	for range 2 {
		if r := w.ask("GET", "/late", ""); r.status != 200 {
			t.Fatal(r)
		}
	}
	const seen = `concat_ws(' ', nullif(current_setting('request.headers', true), ''), nullif(current_setting('request.method', true), ''),
		nullif(current_setting('request.path', true), ''), nullif(current_setting('request.cookies', true), ''))`
	w.sql("create or replace view api.late as select " + seen + " as seen, current_setting('request.jwt.claims', true)::json->>'sub' as claims")
	for i := range 20 {
		sub := fmt.Sprintf("sub-%d", i)
		bearer := "Authorization: Bearer " + w.token(`{"role":"test_user","sub":"`+sub+`"}`)
		for _, before := range []func() *reply{
			func() *reply { return w.ask("GET", "/called", "", bearer, "X-Tag: seen", "Cookie: a=b") },
			func() *reply { return w.ask("POST", "/defaults", "{}", bearer, "X-Tag: seen") },
			func() *reply { return w.ask("POST", "/rpc/leave", "{}", bearer) },
			func() *reply { return w.ask("GET", "/called?nothing=eq.1", "", bearer, "X-Tag: seen") },
		} {
			before()
			if r := w.ask("GET", "/late", "", bearer, "X-Tag: mine"); r.body != `[{"seen":"","claims":"`+sub+`"}]` {
				t.Fatal(r)
			}
		}
	}
	if err := w.loadCatalog(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r := w.ask("GET", "/late", "", "X-Tag: mine")
		if !strings.Contains(r.body, `\"x-tag\":\"mine\"`) || !strings.Contains(r.body, "GET /late") {
			t.Error(r)
		}
	}
}
