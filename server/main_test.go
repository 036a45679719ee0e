package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
)

func TestMain(m *testing.M) {
	exec.QuickTime = time.Minute // requests share connections however busy the machine is
	pgtest.MainWaiting(m)
}

const testSecret = "a secret of at least thirty-two characters"

// testServer is a Server with a catalog and without sockets.
type testServer struct {
	*Server
	db *pgtest.Cluster
}

// startTest makes a database from sql and a server over its schema api, with
// anonymous role test_anon and further settings, as keys and values.
func startTest(tb testing.TB, sql string, settings ...string) *testServer {
	tb.Helper()
	db := pgtest.Start(tb)
	name := db.NewDB(tb)
	db.Exec(tb, name, sql)
	flags := map[string]string{
		"db-uri": db.URI(name, "postgres"), "db-schemas": "api", "db-anon-role": "test_anon", "jwt-secret": testSecret,
		"db-pool-acquisition-timeout": "60",
	}
	for i := 0; i < len(settings); i += 2 {
		flags[settings[i]] = settings[i+1]
	}
	s, err := newServer(Options{Source: config.LoadOptions{Flags: flags}, Version: "test"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.close)
	if err := s.loadCatalog(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return &testServer{Server: s, db: db}
}

func (s *testServer) sign(tb testing.TB, claims string) string {
	tb.Helper()
	return authtest.Sign([]byte(claims), []byte(testSecret))
}

// rawRequest writes a request as a client would.
func rawRequest(method, target, body string, headers map[string]string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost:3000\r\n", method, target)
	for name, value := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

func newRequestCtx() *fasthttp.RequestCtx {
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, nil)
	return ctx
}

// requestReader returns a function that makes ctx ready for raw, again and again.
func requestReader(tb testing.TB, ctx *fasthttp.RequestCtx, raw []byte) func() {
	source := bytes.NewReader(raw)
	buffered := bufio.NewReader(source)
	return func() {
		source.Reset(raw)
		buffered.Reset(source)
		ctx.Response.Reset()
		if err := ctx.Request.Read(buffered); err != nil {
			tb.Fatal(err)
		}
	}
}

const allocSchema = `
create schema api;
create table api.maker (id int primary key, name text);
create table api.item (
  id int primary key, name text, price numeric(10,2), made timestamptz, meta jsonb,
  maker_id int references api.maker);
create table api.part (id int primary key, item_id int references api.item, maker_id int references api.maker);
create table api.note (id int generated always as identity primary key, body text);
insert into api.maker select i, 'maker ' || i from generate_series(1, 10) i;
insert into api.item select i, 'name ' || i, i * 1.25, now(), '{"a": {"b": 1}, "c": 1}', 1 + i % 10 from generate_series(1, 200) i;
insert into api.part select i, 1 + i % 200, 1 + i % 10 from generate_series(1, 500) i;
create function api.add(a int, b int) returns int immutable language sql as 'select a + b';
grant usage on schema api to test_anon, test_user;
grant all on all tables in schema api to test_anon, test_user;
analyze;
`

// oneByOne leaves a test out of the short run with the race detector: its steps follow one
// another, and take long there.
func oneByOne(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("the steps of this test follow one another; it runs without -short")
	}
}
