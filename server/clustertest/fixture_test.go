package clustertest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/servertest"
)

func TestMain(m *testing.M) {
	exec.QuickTime = time.Minute // requests share connections even on a busy machine
	pgtest.MainWaiting(m)
}

// schema has a table to read, a table to write, and functions.
const schema = `
create schema api;
create table api.item (id int primary key, name text not null);
insert into api.item select i, 'item ' || i from generate_series(1, 100) i;
create table api.note (id int generated always as identity primary key, tag text not null, role text default current_user);
create function api.add_note(tag text) returns api.note language sql volatile as
  'insert into api.note (tag) values (tag) returning *';
create function api.nap(seconds float8) returns text language sql volatile as 'select pg_sleep(seconds); select ''rested''';
create function api.who() returns json language sql stable as $$
  select json_build_object('role', current_user, 'claims', current_setting('request.jwt.claims', true)::json->>'tag',
    'path', current_setting('search_path'), 'cluster', current_setting('cluster_name'))
$$;
create function api.listener() returns text language sql stable security definer as
  $$ select query from pg_stat_activity where query ilike 'listen%' and datname = current_database() $$;
create function api.cluster() returns text language sql volatile as $$ select current_setting('cluster_name') $$;
grant usage on schema api to test_anon, test_user, test_other, test_serial;
grant all on all tables in schema api to test_anon, test_user, test_other, test_serial;
alter default privileges in schema api grant all on tables to test_anon;
`

// eventually waits until a condition that other goroutines or processes bring
// about is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !pgtest.Until(servertest.Patience, ok) {
		t.Fatalf("never: %s", what)
	}
}

// app is a running server.
type app struct {
	*servertest.Server
	t *testing.T
}

// newDB creates a database with the schema.
func newDB(t *testing.T, c *pgtest.Cluster) string {
	t.Helper()
	name := c.NewDB(t)
	c.Exec(t, name, schema)
	return name
}

// launch starts a server without waiting for it.
func launch(t *testing.T, flags map[string]string) *app {
	t.Helper()
	return &app{Server: servertest.Launch(t, flags), t: t}
}

// start starts a server and waits until it is ready.
func start(t *testing.T, flags map[string]string) *app {
	t.Helper()
	a := launch(t, flags)
	a.awaitStatus("/item?limit=1", 200)
	return a
}

func (a *app) get(target string, headers ...string) servertest.Response {
	a.t.Helper()
	return a.Do("GET", target, "", headers...)
}

// awaitStatus repeats a request until the response has the status.
func (a *app) awaitStatus(target string, status int) servertest.Response {
	a.t.Helper()
	var last servertest.Response
	var err error
	for end := time.Now().Add(servertest.Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if last, err = a.Try("GET", target, ""); err == nil && last.Status == status {
			return last
		}
		if !a.Running() {
			break
		}
	}
	a.t.Fatalf("%s: never %d, but %v %v\n%s", target, status, last, err, a.Log.String())
	return last
}

func (a *app) awaitLog(text string) {
	a.t.Helper()
	eventually(a.t, "log line "+strconv.Quote(text), func() bool { return a.Log.Count(text) > 0 })
}

// ready returns the status of /ready, or 0 without a response.
func (a *app) ready() int {
	resp, err := a.Admin.Get("http://admin/ready")
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// metric returns a value from /metrics.
func (a *app) metric(name string) float64 {
	a.t.Helper()
	resp, err := a.Admin.Get("http://admin/metrics")
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		a.t.Fatalf("no figure %s in %s", name, text)
	}
	value, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		a.t.Fatal(err)
	}
	return value
}

// bearer returns an Authorization header with a token of a role.
func bearer(t *testing.T, role, tag string) []string {
	t.Helper()
	claims, err := json.Marshal(map[string]string{"role": role, "tag": tag})
	if err != nil {
		t.Fatal(err)
	}
	name, value := servertest.Bearer(string(claims))
	return []string{name, value}
}

// hosts returns a connection string with several clusters.
func hosts(db, attrs string, clusters ...*pgtest.Cluster) string {
	var dirs, ports []string
	for _, c := range clusters {
		dirs, ports = append(dirs, c.SocketDir()), append(ports, "5432")
	}
	return "postgresql:///" + db + "?" + url.Values{
		"host": {strings.Join(dirs, ",")}, "port": {strings.Join(ports, ",")},
		"user": {pgtest.Login}, "target_session_attrs": {attrs},
	}.Encode()
}

// awaitBody repeats a request until the response has the body.
func (a *app) awaitBody(method, target, body string) {
	a.t.Helper()
	var last servertest.Response
	eventually(a.t, method+" "+target+" gives "+body, func() bool {
		var err error
		last, err = a.Try(method, target, `{}`)
		return err == nil && last.Status == 200 && last.Body == body
	})
}

// value returns the first column of the first row, queried from the cluster
// directly.
func value(t *testing.T, c *pgtest.Cluster, db, sql string) string {
	t.Helper()
	conn := c.Connect(t, db)
	defer conn.Close(context.Background())
	return conn.Value(sql)
}
