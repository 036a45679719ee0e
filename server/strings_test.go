package server

import (
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var stringsSchema = pgtest.Role("strings_anon") + `
grant strings_anon to postgres;
create schema api;
create table api.item (id int primary key, name text, "a\b" text default E'c:\\x');
create unique index on api.item (name) where "a\b" <> E'\\';
insert into api.item values (1, E'a\\', 'x'), (2, E'\\'' or true --', 'y');
create function api.echo(a text) returns text language sql stable as 'select a';
create function api.conforming() returns text language sql stable as 'select current_setting(''standard_conforming_strings'')';
grant usage on schema api to strings_anon;
grant all on api.item to strings_anon;
`

// TestWithoutConformingStrings: where standard_conforming_strings is off, for the
// database, for the authenticator or for the role of the request, a backslash
// in a plain constant is an escape. No constant of ours has one.
func TestWithoutConformingStrings(t *testing.T) {
	for _, off := range []string{
		"do $$ begin execute format('alter database %I set standard_conforming_strings = off', current_database()); end $$",
		"do $$ begin execute format('alter role postgres in database %I set standard_conforming_strings = off', current_database()); end $$",
		"alter role strings_anon set standard_conforming_strings = off",
	} {
		s := startTest(t, stringsSchema+off, "db-anon-role", "strings_anon", "app.settings.path", `C:\new' --`)
		for _, c := range []struct{ method, target, body, prefer, want string }{
			{"GET", "/rpc/conforming", "", "", `"off"`}, // the database's functions keep what they rely on
			{"GET", `/item?name=eq.a\&select=id`, "", "", `[{"id":1}]`},
			{"GET", `/item?name=in.("a\\","b")&select=id`, "", "", `[{"id":1}]`},
			{"GET", `/item?select=id,"x\\'%20or%20true%20--":name&id=eq.1`, "", "", `[{"id":1,"x\\' or true --":"a\\"}]`},
			{"GET", `/item?select=id,name->>"\'%20or%20true%20--"&id=eq.1`, "", "", ""},
			{"GET", `/rpc/echo?a=\'||current_user--`, "", "", `"\\'||current_user--"`},
			{"POST", `/item?columns=id,"a\\b"`, `{"id":3}`, "missing=default, return=representation", `[{"id":3,"name":null,"a\\b":"c:\\x"}]`},
			{"POST", `/item?on_conflict=name&select=id`, `{"id":1,"name":"a\\"}`, "resolution=merge-duplicates, return=representation", `[{"id":1}]`},
			{"DELETE", `/item?name=eq.\'%20or%20true%20--`, "", "return=representation", `[{"id":2,"name":"\\' or true --","a\\b":"y"}]`},
		} {
			headers := map[string]string{}
			if c.prefer != "" {
				headers["Prefer"] = c.prefer
			}
			ctx := newRequestCtx()
			requestReader(t, ctx, rawRequest(c.method, c.target, c.body, headers))()
			s.handle(ctx)
			if got := string(ctx.Response.Body()); c.want != "" && got != c.want {
				t.Errorf("%s\n%s %s: %d %s, want %s", off, c.method, c.target, ctx.Response.StatusCode(), got, c.want)
			} else if ctx.Response.StatusCode() >= 500 {
				t.Errorf("%s\n%s %s: %d %s", off, c.method, c.target, ctx.Response.StatusCode(), got)
			}
		}
		s.db.Exec(t, "postgres", "alter role strings_anon reset standard_conforming_strings")
	}
}
