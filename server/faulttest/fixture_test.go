package faulttest_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/faulttest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// schema has a log table that records every written row in the transaction of
// the write. A write happened as often as the log has it.
const schema = `
create schema api;
create table public.log (tag text, op text);
create function public.note_it() returns trigger language plpgsql security definer as $$
begin
  insert into public.log values (coalesce(new.tag, old.tag), tg_op);
  return null;
end $$;
create table api.note (tag text, n int);
create table api.thing (tag text primary key, n int);
create table api.part (thing text references api.thing, name text);
create trigger t after insert or update or delete on api.note for each row execute function public.note_it();
create trigger t after insert or update or delete on api.thing for each row execute function public.note_it();
create function api.add_note(tag text) returns api.note language sql volatile as
  'insert into api.note values (tag, 1) returning *';
create function api.escaped(tag text) returns void language sql volatile as
  $$ insert into api.note values (tag); select set_config('response.headers', '[{"X-A":"\u00e9"}]', true) $$;
grant usage on schema api to test_anon, test_serial;
grant all on all tables in schema api to test_anon, test_serial;
`

// fixture is a running server with the proxy between it and its database.
type fixture struct {
	*faulttest.Proxy
	*servertest.Server
	t      *testing.T   // the test; reconnect may be called with one of its subtests
	db     *pgtest.Conn // not through the proxy
	serial string       // token

	database    string
	direct, uri string // connection strings without the proxy: of the test, and of a server
	proxied     string // connection string through the proxy
}

// start starts a server with a new database.
func start(t *testing.T, cluster *pgtest.Cluster, flags map[string]string) *fixture {
	t.Helper()
	name := cluster.NewDB(t)
	cluster.Exec(t, name, schema)
	return startOn(t, cluster, name, flags)
}

func startOn(t *testing.T, cluster *pgtest.Cluster, name string, flags map[string]string) *fixture {
	t.Helper()
	f := &fixture{t: t, database: name, direct: cluster.URI(name, pgtest.Superuser), uri: cluster.URI(name, pgtest.Login),
		serial: servertest.Token(`{"role":"` + pgtest.Serial + `"}`)}
	f.Proxy, f.proxied = faulttest.Front(t, f.uri)
	all := map[string]string{"db-uri": f.proxied, "db-channel-enabled": "false", "db-pool": "1"}
	maps.Copy(all, flags)
	f.Server = servertest.Start(t, all)
	f.db = pgtest.Connect(t, f.direct)
	return f
}

// reconnect replaces the test's own connection, as soon as PostgreSQL accepts
// it.
func (f *fixture) reconnect(t *testing.T) {
	t.Helper()
	f.db.Close(context.Background())
	if !pgtest.Until(servertest.Patience, func() bool {
		c, err := pgconn.Connect(context.Background(), f.direct)
		if err == nil {
			c.Close(context.Background())
		}
		return err == nil
	}) {
		t.Fatal("the database accepts no connections")
	}
	f.db = pgtest.Connect(f.t, f.direct)
}

// eventually repeats a request until the database is available. It repeats only
// requests that cannot have had an effect.
func (f *fixture) eventually(t *testing.T, r request, tag string) servertest.Response {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a := f.do(t, r, tag)
		if a.Code != "PGRST000" || time.Now().After(end) {
			return a
		}
	}
}

// request is an HTTP request; %s in target and body stands for the tag.
type request struct {
	method, target, body string
	headers              []string // alternates names and values
}

func (f *fixture) do(t *testing.T, r request, tag string) servertest.Response {
	t.Helper()
	a, err := f.try(r, tag)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.target, err)
	}
	return a
}

func (f *fixture) try(r request, tag string) (servertest.Response, error) {
	fill := strings.NewReplacer("%serial", f.serial, "%s", tag).Replace
	headers := slices.Clone(r.headers)
	for i := range headers {
		headers[i] = fill(headers[i])
	}
	return f.Try(r.method, fill(r.target), fill(r.body), headers...)
}
