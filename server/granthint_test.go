package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

const hintSchema = `
create schema api; create schema hidden; create schema closed;
create table hidden.secret (id int primary key);
create table api.author (id serial primary key, name text);
create table api.book (id int primary key, author_id int references api.author, title text, "Odd name" text);
create table api.tag (id int primary key);
create table api.book_tag (book_id int references api.book, tag_id int references api.tag, primary key (book_id, tag_id));
create table closed.thing (id int);
create view api.shown as select * from hidden.secret;
create function api.add(a int, b int default 1) returns int language sql as 'select a + b';
create function api.add(c text) returns text language sql as 'select c';
create function api.initial(api.author) returns text language sql immutable as 'select left($1.name, 1)';
create function api.whole(b api.book) returns text language plpgsql as 'begin return b.title; end';
create function api.peek() returns bigint language plpgsql as 'begin return (select count(*) from hidden.secret); end';
create function api.refuse() returns int language plpgsql as $$ begin raise 'permission denied for table book' using errcode = '42501'; end $$;
revoke execute on all functions in schema api from public;
create table api.books (id int primary key);
create table api.kept (id int primary key);
alter table api.kept enable row level security;
alter view api.shown owner to test_other;
grant usage on schema api, hidden to test_other;
grant usage on schema api to test_anon, test_user;
grant all on api.kept to test_anon;
grant select on api.shown to test_anon;
grant execute on function api.peek(), api.refuse() to test_anon;
alter role test_login set search_path = '';
`

// TestGrantHint: a request fails, its hint is executed, until the request succeeds. So a hint is what was missing, and
// one thing at a time.
func TestGrantHint(t *testing.T) {
	c := pgtest.Start(t)
	for _, test := range []struct {
		name, method, target, body string
		headers                    []string
		before                     string
		hints                      []string
	}{
		{name: "select", method: "GET", target: "/book?select=id", hints: []string{"SELECT on api.book to test_anon: GRANT SELECT ON api.book TO test_anon;"}},
		{name: "columns", method: "GET", target: `/book?select=id,"Odd%20name"&title=eq.x&order=author_id`, before: "grant select (id) on api.book to test_anon",
			hints: []string{`SELECT (author_id, title, "Odd name") on api.book to test_anon: GRANT SELECT (author_id, title, "Odd name") ON api.book TO test_anon;`}},
		{name: "star", method: "GET", target: "/author", before: "grant select (id) on api.author to test_anon", hints: []string{"SELECT (name) on api.author to test_anon: GRANT SELECT (name) ON api.author TO test_anon;"}},
		{name: "embeds", method: "GET", target: "/book?select=title,author(name)", before: "grant select (title) on api.book to test_anon",
			hints: []string{"SELECT (author_id) on api.book to test_anon: GRANT SELECT (author_id) ON api.book TO test_anon;", "SELECT on api.author to test_anon: GRANT SELECT ON api.author TO test_anon;"}},
		{name: "many to many", method: "GET", target: "/book?select=id,tag(id)", before: "grant select on api.book, api.tag to test_anon", hints: []string{"SELECT on api.book_tag to test_anon: GRANT SELECT ON api.book_tag TO test_anon;"}},
		{name: "schema", method: "GET", target: "/thing", headers: []string{"Accept-Profile", "closed"},
			hints: []string{"USAGE on the schema closed to test_anon: GRANT USAGE ON SCHEMA closed TO test_anon;", "SELECT on closed.thing to test_anon: GRANT SELECT ON closed.thing TO test_anon;"}},
		{name: "insert", method: "POST", target: "/author", body: `{"name":"x"}`,
			hints: []string{"INSERT on api.author to test_anon: GRANT INSERT ON api.author TO test_anon;", "USAGE on the sequence api.author_id_seq to test_anon: GRANT USAGE ON SEQUENCE api.author_id_seq TO test_anon;"}},
		{name: "insert into columns", method: "POST", target: "/author", body: `{"id":7,"name":"x"}`, before: "grant insert (name) on api.author to test_anon",
			hints: []string{"INSERT (id) on api.author to test_anon: GRANT INSERT (id) ON api.author TO test_anon;"}},
		{name: "upsert", method: "POST", target: "/book", body: `{"id":7,"title":"x"}`, headers: []string{"Prefer", "resolution=merge-duplicates"}, before: "grant insert, select on api.book to test_anon",
			hints: []string{"UPDATE on api.book to test_anon: GRANT UPDATE ON api.book TO test_anon;"}},
		{name: "update", method: "PATCH", target: "/book?id=eq.1", body: `{"title":"x"}`, headers: []string{"Prefer", "return=representation"},
			hints: []string{"UPDATE on api.book to test_anon: GRANT UPDATE ON api.book TO test_anon;", "SELECT on api.book to test_anon: GRANT SELECT ON api.book TO test_anon;"}},
		{name: "delete", method: "DELETE", target: "/book?id=eq.1", before: "grant select on api.book to test_anon", hints: []string{"DELETE on api.book to test_anon: GRANT DELETE ON api.book TO test_anon;"}},
		{name: "call", method: "GET", target: "/rpc/add?a=1", hints: []string{"EXECUTE on the function api.add to test_anon: GRANT EXECUTE ON FUNCTION api.add(integer, integer) TO test_anon;"}},
		{name: "call of another", method: "POST", target: "/rpc/add", body: `{"c":"1"}`, hints: []string{"EXECUTE on the function api.add to test_anon: GRANT EXECUTE ON FUNCTION api.add(text) TO test_anon;"}},
		{name: "computed column", method: "GET", target: "/book?select=whole", before: "grant select on api.book to test_anon", hints: []string{"EXECUTE on the function api.whole to test_anon: GRANT EXECUTE ON FUNCTION api.whole(api.book) TO test_anon;"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := c.NewDB(t)
			c.Exec(t, db, hintSchema+test.before)
			s := servertest.Start(t, map[string]string{"db-uri": c.URI(db, pgtest.Login), "db-schemas": "api,closed", "client-error-hints": "grant", "db-pool": "1"})
			for _, want := range test.hints {
				r := s.Do(test.method, test.target, test.body, test.headers...)
				hint := hintOf(t, r)
				if r.Status != 401 || r.Code != "42501" || hint != "Grant "+want {
					t.Fatalf("%v\nhint %q\nwant %q", r, hint, "Grant "+want)
				}
				_, sql, _ := strings.Cut(hint, ": ")
				c.Exec(t, db, sql)
			}
			if r := s.Do(test.method, test.target, test.body, test.headers...); !r.OK() {
				t.Errorf("after the grants: %v", r)
			}
		})
	}
}

func hintOf(t *testing.T, r servertest.Response) string {
	t.Helper()
	var object struct{ Hint string }
	if err := json.Unmarshal([]byte(r.Body), &object); err != nil {
		t.Fatalf("%v: %v", err, r)
	}
	return object.Hint
}

// TestNoGrantHint: without the setting no byte changes. With it, what the request does not name is not told, and an
// error that has a hint, or another reason, stays as it is.
func TestNoGrantHint(t *testing.T) {
	c := pgtest.Start(t)
	db := c.NewDB(t)
	c.Exec(t, db, hintSchema)
	flags := map[string]string{"db-uri": c.URI(db, pgtest.Login), "db-schemas": "api,closed", "jwt-secret": servertest.Secret}
	off := servertest.Start(t, flags)
	flags["client-error-hints"] = "grant"
	on := servertest.Start(t, flags)
	flags["client-error-verbosity"] = "minimal"
	minimal := servertest.Start(t, flags)
	name, token := servertest.Bearer(`{"role":"test_serial"}`)
	unknown, stranger := servertest.Bearer(`{"role":"test_nobody_at_all"}`)

	f := func(target, want string, headers ...string) {
		t.Helper()
		if r := off.Do("GET", target, "", headers...); r.Body != want {
			t.Errorf("off: %s\n got %v\nwant %s", target, r, want)
		}
		if r := on.Do("GET", target, "", headers...); r.Body != want {
			t.Errorf("on: %s\n got %v\nwant %s", target, r, want)
		}
	}
	f("/shown", `{"code":"42501","details":null,"hint":null,"message":"permission denied for table secret"}`)
	f("/rpc/peek", `{"code":"42501","details":null,"hint":null,"message":"permission denied for schema hidden"}`)
	f("/rpc/refuse", `{"code":"42501","details":null,"hint":null,"message":"permission denied for table book"}`)
	f("/book?select=nothing", off.Do("GET", "/book?select=nothing", "").Body)
	f("/book", off.Do("GET", "/book", "", unknown, stranger).Body, unknown, stranger)

	for target, want := range map[string]string{
		"/book":        `{"code":"42501","details":null,"hint":null,"message":"permission denied for table book"}`,
		"/rpc/add?a=1": `{"code":"42501","details":null,"hint":null,"message":"permission denied for function add"}`,
	} {
		if r := off.Do("GET", target, ""); r.Body != want {
			t.Errorf("off: %v", r)
		}
		if r := on.Do("GET", target, ""); hintOf(t, r) == "" || r.Status != 401 {
			t.Errorf("on: %v", r)
		}
		if r := minimal.Do("GET", target, ""); strings.Contains(r.Body, "rant") {
			t.Errorf("minimal: %v", r)
		}
	}
	if r := on.Do("GET", "/book", "", name, token); r.Status != 403 || !strings.HasPrefix(hintOf(t, r), "Grant USAGE on the schema api to test_serial: ") {
		t.Errorf("with a token: %v", r)
	}
	if r, err := servertest.Send(on.API, "HEAD", "/book", ""); err != nil || r.Status != 401 || r.Body != "" {
		t.Errorf("%v %v", r, err)
	}
	if r := on.Do("POST", "/kept", `{"id":1}`); r.Code != "42501" || hintOf(t, r) != "" {
		t.Errorf("row security: %v", r)
	}
}
