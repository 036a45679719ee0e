package server

import (
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/clients"
)

const goneSchema = allocSchema + `
create table public.written (tag text);
grant all on public.written to test_anon;
-- waits waits until a test lets go of a lock
create function public.waits(lock int) returns int volatile language sql as 'select pg_advisory_xact_lock_shared(lock); select lock';
create function api.nap(seconds float8) returns text stable language sql as 'select pg_sleep(seconds); select ''rested''';
create function api.held(lock int) returns int stable language plpgsql as 'begin return public.waits(lock); end';
create function api.write_held(lock int, tag text) returns int volatile language plpgsql as
  'begin perform public.waits(lock); insert into public.written values (tag); return lock; end';
create view api.slow as select 1 as n, pg_sleep(600)::text as slept;
grant all on api.slow to test_anon;
`

// goneTest is a server whose clients disconnect.
type goneTest struct {
	*testServer
	t      *testing.T
	direct *pgtest.Conn // to the database, bypassing the server
	tcp    string
	socket string
	apis   []*clients.Server
}

func startGone(t *testing.T, settings ...string) *goneTest {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	g := &goneTest{testServer: startTest(t, goneSchema, settings...), t: t}
	g.direct = pgtest.Connect(t, g.config().DBURI)
	g.socket = filepath.Join(t.TempDir(), "api")
	for _, network := range []string{"tcp", "unix"} {
		address := map[string]string{"tcp": "127.0.0.1:0", "unix": g.socket}[network]
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		if network == "tcp" {
			g.tcp = l.Addr().String()
		}
		api := g.apiServer(g.config(), l)
		g.apis = append(g.apis, api)
		go api.Serve()
		t.Cleanup(func() {
			began := time.Now()
			if err := api.Shutdown(time.Minute); err != nil {
				t.Error(err)
			}
			if time.Since(began) >= time.Minute {
				t.Error("connections are left")
			}
		})
	}
	return g
}

func (g *goneTest) value(sql string) string {
	g.t.Helper()
	return g.direct.Value(sql)
}

// running counts the server's running statements.
func (g *goneTest) running() string {
	return g.value("select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and application_name like 'fastgrest%'")
}

// held counts those that wait for the test's lock.
func (g *goneTest) held() string {
	return g.value("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
}

func (g *goneTest) eventually(what string, ok func() bool) {
	g.t.Helper()
	if !pgtest.Until(2*time.Minute, ok) {
		g.t.Fatalf("never: %s; pool %+v", what, g.pool.Stats())
	}
}

func (g *goneTest) eventuallyRunning(n string) {
	g.t.Helper()
	g.eventually("statements that run: "+n, func() bool { return g.running() == n })
}

// eventuallyFree waits until no connection of the pool is used or awaited.
func (g *goneTest) eventuallyFree() {
	g.t.Helper()
	g.eventually("the pool is free", func() bool { s := g.pool.Stats(); return s.InUse == 0 && s.Waiting == 0 })
}

// looks waits until the server has checked its sockets a few more times, so that
// it has detected any client that disconnected before. It sends requests, closes
// their connections and waits until the server has cancelled them.
func (g *goneTest) looks() {
	g.t.Helper()
	naps := func() string {
		return g.value("select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'")
	}
	for range 2 {
		c := g.send("tcp", "GET /rpc/nap?seconds=600")
		g.eventually("it runs", func() bool { return naps() == "1" })
		c.Close()
		g.eventually("it does not", func() bool { return naps() == "0" })
	}
}

func (g *goneTest) dial(network string) net.Conn {
	g.t.Helper()
	address := g.tcp
	if network == "unix" {
		address = g.socket
	}
	c, err := net.Dial(network, address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return c
}

// raw is a request from its line.
func rawLine(line string) string {
	method, target, _ := strings.Cut(line, " ")
	target, body, _ := strings.Cut(target, " ")
	return string(rawRequest(method, target, body, nil))
}

func (g *goneTest) send(network, line string) net.Conn {
	g.t.Helper()
	c := g.dial(network)
	if _, err := io.WriteString(c, rawLine(line)); err != nil {
		g.t.Fatal(err)
	}
	return c
}

// works checks that an ordinary request succeeds.
func (g *goneTest) works() {
	g.t.Helper()
	resp := get(g.t, "http://"+g.tcp+"/item?id=eq.1&select=id", "application/json")
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != `[{"id":1}]` {
		g.t.Errorf("afterwards: %d %s %v", resp.StatusCode, b, err)
	}
}

// The ways in which a client disconnects.
var ways = []struct {
	name, network string
	leave         func(net.Conn)
}{
	{"closed", "tcp", func(c net.Conn) { c.Close() }},
	{"reset", "tcp", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() }},
	{"closed unix socket", "unix", func(c net.Conn) { c.Close() }},
	{"closed with a request unread", "tcp", func(c net.Conn) { io.WriteString(c, rawLine("GET /item")); c.Close() }},
}
