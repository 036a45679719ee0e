package server_test

import (
	"maps"
	"net"
	"net/http"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// watchSchema has something of every kind that is logged otherwise.
const watchSchema = `
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
create function api.large() returns text language sql stable as $$select repeat('x', 64000000)$$;
create function api.sleeps() returns void language sql stable as 'select pg_sleep(0.3)';
create function api.prepare_request() returns void language sql volatile as 'select';
grant usage on schema api to test_anon, test_user;
grant select, insert on api.film, api.maker to test_anon, test_user;
grant select on api.broken to test_anon;
`

// running is a server over a database of its own.
type running struct {
	*servertest.Server
	database string
	cluster  *pgtest.Cluster
}

// watch starts a server over a separate database and waits until it is ready.
func watch(t *testing.T, flags map[string]string) *running {
	t.Helper()
	r := launch(t, flags)
	r.Log.Await(t, "API server listening on")
	return r
}

func launch(t *testing.T, flags map[string]string) *running {
	t.Helper()
	cluster := pgtest.Start(t)
	database := cluster.NewDB(t)
	cluster.Exec(t, database, watchSchema)
	all := map[string]string{
		"db-uri": cluster.URI(database, pgtest.Superuser), "db-channel-enabled": "false",
		"db-pool-acquisition-timeout": "", "log-level": "", // the defaults
	}
	maps.Copy(all, flags)
	return &running{Server: servertest.Launch(t, all), database: database, cluster: cluster}
}

// ask sends a request. headers are name, value, ...
func ask(t *testing.T, client *http.Client, method, target string, headers ...string) (status int, body string) {
	t.Helper()
	r, err := servertest.Send(client, method, target, "", append([]string{"User-Agent", "watcher"}, headers...)...)
	if err != nil {
		t.Fatal(err)
	}
	return r.Status, r.Body
}

// as is the header that makes a request one of a role's.
func as(t *testing.T, role string) (name, value string) {
	t.Helper()
	return servertest.Bearer(`{"role":"` + role + `"}`)
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
