package server_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
	"github.com/fastgrest/fastgrest/server/config"
)

const (
	watchSecret   = "a secret of at least thirty-two characters"
	watchPatience = 2 * time.Minute
)

// watchSchema has something of every kind that is logged otherwise.
const watchSchema = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'watch_anon') then
    create role watch_anon; create role watch_user;
  end if;
end $$;
create schema api;
create table api.maker (id int primary key, name text);
create table api.film (id int primary key, title text, maker int references api.maker);
insert into api.film values (1, 'Metropolis'), (2, 'Nosferatu');
create table api.secret (id int);
create view api.broken as select 1 / (id - id) as x from api.film;
create function api.too_slow() returns void language plpgsql stable as
  $$ begin raise 'canceling statement due to statement timeout' using errcode = '57014'; end $$;
create function api.volatile() returns void language sql volatile as 'select';
create function api.blocked() returns void language sql volatile as 'select pg_advisory_xact_lock(1)';
create function api.die() returns void language sql volatile security definer as 'select pg_terminate_backend(pg_backend_pid())';
create function api.bad_headers() returns void language sql stable as $$ select set_config('response.headers', 'x', true) $$;
create function api.bad_status() returns void language sql stable as $$ select set_config('response.status', 'x', true) $$;
create function api.die_reading() returns text language sql stable security definer as $$ select pg_terminate_backend(pg_backend_pid()); select 'alive' $$;
create function api.greet() returns text language sql stable as $$select 'hello'$$;
create function api.sleeps() returns void language sql stable as 'select pg_sleep(0.3)';
create function api.prepare_request() returns void language sql volatile as 'select';
grant usage on schema api to watch_anon, watch_user;
grant select, insert on api.film, api.maker to watch_anon, watch_user;
grant select on api.broken to watch_anon;
`

// running is a server in this process, as Run runs it, that a test watches from outside.
type running struct {
	out, errs  transcript
	api, admin *http.Client // over unix sockets, whatever the host in the URL
	stop       context.CancelCauseFunc
	ended      chan error
	socket     string // of the API
	database   string
	cluster    *pgtest.Cluster
}

// transcript is one that is read by the line.
type transcript struct{ pgtest.Transcript }

func (w *transcript) lines() []string {
	text := strings.TrimSuffix(w.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// matching lists the lines that match an expression.
func (w *transcript) matching(expr string) (list []string) {
	re := regexp.MustCompile(expr)
	for _, line := range w.lines() {
		if re.MatchString(line) {
			list = append(list, line)
		}
	}
	return list
}

// await waits for a line that matches.
func (w *transcript) await(t *testing.T, expr string) string {
	t.Helper()
	for began := time.Now(); time.Since(began) < watchPatience; time.Sleep(5 * time.Millisecond) {
		if found := w.matching(expr); len(found) > 0 {
			return found[0]
		}
	}
	t.Fatalf("no line matches %s in:\n%s", expr, w.String())
	return ""
}

// watch starts a server over a database of its own and waits until it answers.
func watch(t *testing.T, flags map[string]string) *running {
	t.Helper()
	r := launch(t, flags)
	r.errs.await(t, "API server listening on")
	return r
}

func launch(t *testing.T, flags map[string]string) *running {
	t.Helper()
	cluster := pgtest.Start(t)
	r := &running{ended: make(chan error, 1), cluster: cluster, database: cluster.NewDB(t)}
	cluster.Exec(t, r.database, watchSchema)
	dir, err := os.MkdirTemp("", "watch") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	api, admin := filepath.Join(dir, "api"), filepath.Join(dir, "admin")
	r.socket = api
	r.api, r.admin = overSocket(t, api), overSocket(t, admin)
	all := map[string]string{
		"db-uri": cluster.URI(r.database, pgtest.Superuser), "db-schemas": "api", "db-anon-role": "watch_anon",
		"jwt-secret": watchSecret, "db-channel-enabled": "false",
		"server-unix-socket": api, "admin-server-unix-socket": admin,
	}
	maps.Copy(all, flags)
	ctx, stop := context.WithCancelCause(context.Background())
	r.stop = stop
	go func() {
		r.ended <- server.Run(ctx, server.Options{
			Source: config.LoadOptions{Flags: all}, Version: "1.2.3", Stdout: &r.out, Stderr: &r.errs,
		})
	}()
	t.Cleanup(func() { r.end(t, nil) })
	return r
}

// end ends the server for a reason and waits until all is written.
func (r *running) end(t *testing.T, why error) {
	t.Helper()
	r.stop(why)
	select {
	case err := <-r.ended:
		r.ended <- err
	case <-time.After(watchPatience):
		t.Error("the server does not end")
	}
}

func overSocket(t *testing.T, path string) *http.Client {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: watchPatience}
}

// ask sends one request; headers are pairs.
func ask(t *testing.T, client *http.Client, method, target string, headers ...string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(method, "http://api"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", "watcher")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// as is a header that makes the request a role's.
func as(t *testing.T, role string) (name, value string) {
	t.Helper()
	return signed(t, `{"role":"`+role+`"}`)
}

func signed(t *testing.T, claims string) (name, value string) {
	t.Helper()
	return "Authorization", "Bearer " + authtest.Sign([]byte(claims), []byte(watchSecret))
}

// hasIPv6 reports whether this machine has an IPv6 loopback: containers often have none.
func hasIPv6(t *testing.T) bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Logf("without IPv6, since this machine has none: %v", err)
		return false
	}
	l.Close()
	return true
}
