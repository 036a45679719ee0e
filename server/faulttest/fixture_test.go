package faulttest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/faulttest"
)

// schema keeps a log of every row that was written, in the transaction that
// wrote it: what is in the log happened, as often as it is there.
const schema = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'fault_anon') then
    create role fault_anon;
    create role fault_serial;
    alter role fault_serial set default_transaction_isolation = 'serializable';
    create role fault_authenticator login noinherit;
    grant fault_anon, fault_serial to fault_authenticator;
  end if;
exception when unique_violation then null; -- another test just did
end $$;
create schema api;
create table public.log (tag text, op text);
create function public.note_it() returns trigger language plpgsql security definer as $$
begin
  insert into public.log values (coalesce(new.tag, old.tag), tg_op);
  return null;
end $$;
create table api.note (tag text, n int);
create table api.thing (tag text primary key, n int);
create trigger t after insert or update or delete on api.note for each row execute function public.note_it();
create trigger t after insert or update or delete on api.thing for each row execute function public.note_it();
create function api.add_note(tag text) returns api.note language sql volatile as
  'insert into api.note values (tag, 1) returning *';
grant usage on schema api to fault_anon, fault_serial;
grant all on all tables in schema api to fault_anon, fault_serial;
`

const secret = "a secret of at least thirty-two characters"

// fixture is a running server with the proxy between it and its database.
type fixture struct {
	*faulttest.Proxy
	db     *pgconn.PgConn // past the proxy
	http   *http.Client
	serial string // token
	log    *pgtest.Transcript

	api         string // its socket
	database    string
	direct, uri string // how the test connects to it, and a server past the proxy
	proxied     string // and one behind it
}

// start starts a server over a database of its own.
func start(t *testing.T, cluster *pgtest.Cluster, flags map[string]string) *fixture {
	t.Helper()
	name := cluster.NewDB(t)
	cluster.Exec(t, name, schema)
	return startOn(t, cluster, name, flags)
}

func startOn(t *testing.T, cluster *pgtest.Cluster, name string, flags map[string]string) *fixture {
	t.Helper()
	direct := cluster.URI(name, pgtest.Superuser)
	dir, err := os.MkdirTemp("", "fault") // t.TempDir is too long for a socket, and a list of hosts if the test's name has a comma
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	parsed, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	socket := func(dir string) string { return filepath.Join(dir, ".s.PGSQL."+parsed.Query().Get("port")) }
	listener, err := net.Listen("unix", socket(dir))
	if err != nil {
		t.Fatal(err)
	}
	upstream := socket(parsed.Query().Get("host"))
	f := &fixture{Proxy: faulttest.NewProxy(listener, func() (net.Conn, error) { return net.Dial("unix", upstream) }), log: &pgtest.Transcript{}, database: name, direct: direct, uri: cluster.URI(name, "fault_authenticator")}
	t.Cleanup(f.Close)

	api := filepath.Join(dir, "api")
	f.api = api
	f.proxied = "postgresql:///" + name + "?" + url.Values{"host": {dir}, "port": {parsed.Query().Get("port")}, "user": {"fault_authenticator"}}.Encode()
	all := map[string]string{
		"db-uri":     f.proxied,
		"db-schemas": "api", "db-anon-role": "fault_anon", "jwt-secret": secret,
		"db-channel-enabled": "false", "db-pool": "1", "db-pool-acquisition-timeout": "60", "server-unix-socket": api, "log-level": "error",
	}
	for k, v := range flags {
		all[k] = v
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{
			Source: config.LoadOptions{Flags: all}, Version: "test", Stdout: io.Discard, Stderr: f.log, Ready: func() { close(ready) },
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() && os.Getenv("FAULTTEST_LOG") != "" {
			t.Logf("server's log:\n%s", f.log.String())
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the server did not start: %v\n%s", err, f.log.String())
	}
	f.http = unixClient(api)
	t.Cleanup(f.http.CloseIdleConnections)
	f.serial = authtest.Sign([]byte(`{"role":"fault_serial"}`), []byte(secret))
	f.reconnect(t)
	t.Cleanup(func() { f.db.Close(context.Background()) })
	return f
}

// unixClient speaks HTTP to a socket, whatever the host.
func unixClient(path string) *http.Client {
	return &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{
		ExpectContinueTimeout: 2 * time.Minute,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
}

// reconnect makes the test's own connection anew, as soon as the server lets it.
func (f *fixture) reconnect(t *testing.T) {
	t.Helper()
	if f.db != nil {
		f.db.Close(context.Background())
	}
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if f.db, err = pgconn.Connect(context.Background(), f.direct); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// eventually sends a request until there is a database to answer it. The write
// before has had its answer, and nothing is sent twice that may have arrived.
func (f *fixture) eventually(t *testing.T, r request, tag string) answer {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a := f.do(t, r, tag)
		if a.code != "PGRST000" || time.Now().After(end) {
			return a
		}
	}
}

// exec runs SQL past the proxy.
func (f *fixture) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := f.db.Exec(context.Background(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// value is the first column of the first row, read past the proxy.
func (f *fixture) value(t *testing.T, sql string, args ...string) string {
	t.Helper()
	params := make([][]byte, len(args))
	for i, a := range args {
		params[i] = []byte(a)
	}
	r := f.db.ExecParams(context.Background(), sql, params, nil, nil, nil).Read()
	if r.Err != nil || len(r.Rows) != 1 {
		t.Fatalf("%s: %d rows, %v", sql, len(r.Rows), r.Err)
	}
	return string(r.Rows[0][0])
}

func (f *fixture) count(t *testing.T, sql string, args ...string) int {
	t.Helper()
	n, err := strconv.Atoi(f.value(t, sql, args...))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// request is one HTTP request; %s in target and body stands for the tag.
type request struct {
	method, target, body string
	headers              []string // name, value, ...
}

// answer is what came of it.
type answer struct {
	status  int
	headers http.Header
	body    string
	code    string // of an error object
	message string
	details string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }
func (a answer) ok() bool       { return a.status < 300 }

func (f *fixture) do(t *testing.T, r request, tag string) answer {
	t.Helper()
	a, err := f.try(r, tag)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.target, err)
	}
	return a
}

func (f *fixture) try(r request, tag string) (answer, error) {
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(strings.ReplaceAll(r.body, "%s", tag))
	}
	req, err := http.NewRequest(r.method, "http://api"+strings.ReplaceAll(r.target, "%s", tag), body)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(r.headers); i += 2 {
		req.Header.Set(r.headers[i], strings.ReplaceAll(r.headers[i+1], "%serial", f.serial))
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, headers: resp.Header, body: string(text)}
	if !a.ok() {
		var object struct{ Code, Message, Details string }
		if err := json.Unmarshal(text, &object); err != nil {
			return a, fmt.Errorf("not an error object: %s", text)
		}
		a.code, a.message, a.details = object.Code, object.Message, object.Details
	}
	return a, nil
}
