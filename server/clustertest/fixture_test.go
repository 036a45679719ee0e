package clustertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
)

func TestMain(m *testing.M) {
	exec.QuickTime = time.Minute // requests share connections however busy the machine is
	pgtest.Main(m)
}

const secret = "a secret of at least thirty-two characters"

// schema has one of everything: something to read, to write and to call.
const schema = `
do $$ begin
  create role cluster_anon;
  create role cluster_one;
  create role cluster_two;
  create role cluster_serial;
  alter role cluster_serial set default_transaction_isolation = 'serializable';
  create role cluster_authenticator login noinherit;
  grant cluster_anon, cluster_one, cluster_two, cluster_serial to cluster_authenticator;
exception when duplicate_object or unique_violation then null; -- another test of the same cluster
end $$;
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
grant usage on schema api to cluster_anon, cluster_one, cluster_two, cluster_serial;
grant all on all tables in schema api to cluster_anon, cluster_one, cluster_two, cluster_serial;
alter default privileges in schema api grant all on tables to cluster_anon;
`

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// eventually waits for something that others bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !pgtest.Until(patience, ok) {
		t.Fatalf("never: %s", what)
	}
}

// app is a running server.
type app struct {
	t     *testing.T
	api   *http.Client
	admin *http.Client
	log   *transcript
	ended chan error // receives what Run returns, once
	stop  context.CancelFunc
}

type transcript struct{ pgtest.Transcript }

func (b *transcript) count(text string) int { return strings.Count(b.String(), text) }

// newDB makes a database with the schema.
func newDB(t *testing.T, c *pgtest.Cluster) string {
	t.Helper()
	name := c.NewDB(t)
	c.Exec(t, name, schema)
	return name
}

const authenticator = "cluster_authenticator"

// socketDir is a folder whose name is short enough for a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clustertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// launch starts a server and does not wait for it. A flag without a name is the
// configuration file, and one without a value is not given.
func launch(t *testing.T, flags map[string]string) *app {
	t.Helper()
	dir := socketDir(t)
	api, admin := filepath.Join(dir, "api"), filepath.Join(dir, "admin")
	all := map[string]string{
		"db-schemas": "api", "db-anon-role": "cluster_anon", "jwt-secret": secret, "db-pool-acquisition-timeout": "60",
		"server-unix-socket": api, "admin-server-unix-socket": admin, "log-level": "error",
	}
	for k, v := range flags {
		all[k] = v
	}
	file := all[""]
	maps.DeleteFunc(all, func(k, v string) bool { return k == "" || v == "" })
	a := &app{t: t, api: unixClient(api), admin: unixClient(admin), log: &transcript{}, ended: make(chan error, 1)}
	var ctx context.Context
	ctx, a.stop = context.WithCancel(context.Background())
	go func() {
		a.ended <- server.Run(ctx, server.Options{Source: config.LoadOptions{File: file, Flags: all}, Version: "test", Stdout: io.Discard, Stderr: a.log})
	}()
	t.Cleanup(func() {
		a.api.CloseIdleConnections()
		a.admin.CloseIdleConnections()
		a.stop()
		select {
		case <-a.ended:
		case <-time.After(patience):
			t.Error("the server does not end")
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", a.log)
		}
	})
	return a
}

// start starts a server and waits until it answers.
func start(t *testing.T, flags map[string]string) *app {
	t.Helper()
	a := launch(t, flags)
	a.awaitStatus("/item?limit=1", 200)
	return a
}

// result is what Run returned, when it has.
func (a *app) result() error {
	a.t.Helper()
	select {
	case err := <-a.ended:
		a.ended <- err
		return err
	case <-time.After(patience):
		a.t.Fatalf("the server goes on\n%s", a.log)
		return nil
	}
}

func (a *app) running() bool {
	select {
	case err := <-a.ended:
		a.ended <- err
		return false
	default:
		return true
	}
}

// unixClient speaks HTTP to a socket, whatever the host.
func unixClient(path string) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
}

// answer is what came of a request.
type answer struct {
	status int
	header http.Header
	body   string
	code   string // of an error object
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// try sends a request. headers are name, value, ...
func (a *app) try(method, target, body string, headers ...string) (answer, error) {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, "http://api"+target, content)
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := a.api.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	got := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if got.status >= 400 {
		var object struct{ Code string }
		if err := json.Unmarshal(text, &object); err != nil {
			return got, fmt.Errorf("status %d and no error object: %q", got.status, text)
		}
		got.code = object.Code
	}
	return got, nil
}

func (a *app) do(method, target, body string, headers ...string) answer {
	a.t.Helper()
	got, err := a.try(method, target, body, headers...)
	if err != nil {
		a.t.Fatalf("%s %s: %v\n%s", method, target, err, a.log)
	}
	return got
}

func (a *app) get(target string, headers ...string) answer {
	a.t.Helper()
	return a.do("GET", target, "", headers...)
}

// awaitStatus asks until the answer has the status.
func (a *app) awaitStatus(target string, status int) answer {
	a.t.Helper()
	var last answer
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if last, err = a.try("GET", target, ""); err == nil && last.status == status {
			return last
		}
		if !a.running() {
			break
		}
	}
	a.t.Fatalf("%s: never %d, but %v %v\n%s", target, status, last, err, a.log)
	return last
}

func (a *app) awaitLog(text string) {
	a.t.Helper()
	eventually(a.t, "log line "+strconv.Quote(text), func() bool { return a.log.count(text) > 0 })
}

// ready is the status of /ready, 0 if nobody answers.
func (a *app) ready() int {
	resp, err := a.admin.Get("http://admin/ready")
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// metric is a figure of /metrics.
func (a *app) metric(name string) float64 {
	a.t.Helper()
	resp, err := a.admin.Get("http://admin/metrics")
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

// bearer is a header with a token of a role.
func bearer(t *testing.T, role, tag string) []string {
	t.Helper()
	claims, err := json.Marshal(map[string]string{"role": role, "tag": tag})
	if err != nil {
		t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + authtest.Sign(claims, []byte(secret))}
}

// hosts is a connection string of several clusters.
func hosts(db, attrs string, clusters ...*pgtest.Cluster) string {
	var dirs, ports []string
	for _, c := range clusters {
		dirs, ports = append(dirs, c.SocketDir()), append(ports, "5432")
	}
	return "postgresql:///" + db + "?" + url.Values{
		"host": {strings.Join(dirs, ",")}, "port": {strings.Join(ports, ",")},
		"user": {authenticator}, "target_session_attrs": {attrs},
	}.Encode()
}

// awaitBody asks until the answer has the body.
func (a *app) awaitBody(method, target, body string) {
	a.t.Helper()
	var last answer
	eventually(a.t, method+" "+target+" gives "+body, func() bool {
		var err error
		last, err = a.try(method, target, `{}`)
		return err == nil && last.status == 200 && last.body == body
	})
}

// value is the first column of the first row, asked of the cluster itself.
func value(t *testing.T, c *pgtest.Cluster, db, sql string) string {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), c.URI(db, pgtest.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	text, rows := query(t, conn, sql)
	if rows != 1 {
		t.Fatalf("%s: %d rows", sql, rows)
	}
	return text
}

// session is a connection to the cluster itself, for what takes several statements.
func session(t *testing.T, c *pgtest.Cluster, db string) func(sql string) string {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), c.URI(db, pgtest.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return func(sql string) string {
		t.Helper()
		text, _ := query(t, conn, sql)
		return text
	}
}

func query(t *testing.T, conn *pgconn.PgConn, sql string) (first string, rows int) {
	t.Helper()
	r := conn.ExecParams(context.Background(), sql, nil, nil, nil, nil).Read()
	if r.Err != nil {
		t.Fatalf("%s: %v", sql, r.Err)
	}
	if len(r.Rows) == 0 {
		return "", 0
	}
	return string(r.Rows[0][0]), len(r.Rows)
}
