package server

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/faulttest"
	"github.com/fastgrest/fastgrest/server/nodes"
)

// writer is a server with tools to inspect its effects on the database.
type writer struct {
	*Server
	tb      testing.TB
	cluster *pgtest.Cluster
	db      *pgtest.Conn // past the server
	proxy   *faulttest.Proxy
	uri     string            // of the database, past the proxy
	said    pgtest.Transcript // of diagnostics
}

// Flags of startWriter itself.
const (
	direct     = "direct"     // leave the proxy out
	login      = "login"      // as whom to connect
	own        = "own"        // a cluster that the test may restart
	replicated = "replicated" // with two read replicas, and a cluster of its own
)

// startWriter makes a database from sql and a server over its schema api. The
// traffic between server and database goes through a recording proxy.
func startWriter(tb testing.TB, sql string, flags map[string]string) *writer {
	tb.Helper()
	start := pgtest.Start
	switch {
	case flags[own] != "":
		start = func(tb testing.TB) *pgtest.Cluster { return pgtest.StartOwn(tb) }
	case flags[replicated] != "":
		start = func(tb testing.TB) *pgtest.Cluster { return pgtest.StartReplicated(tb) }
	}
	cluster := start(tb)
	name := cluster.NewDB(tb)
	cluster.Exec(tb, name, sql)
	w := &writer{tb: tb, cluster: cluster, uri: cluster.URI(name, pgtest.Superuser), db: cluster.Connect(tb, name)}
	user := cmp.Or(flags[login], pgtest.Login)
	uri := cluster.URI(name, user)
	var proxied string
	w.proxy, proxied = faulttest.Front(tb, uri)
	if flags[direct] == "" {
		uri = proxied
	}
	all := map[string]string{
		"db-uri": uri, "db-schemas": "api", "db-anon-role": "test_anon", "jwt-secret": testSecret, "db-pool": "1", "log-level": "crit",
		"db-pool-acquisition-timeout": "60",
	}
	for k, v := range flags {
		if k != direct && k != login && k != own && k != replicated {
			all[k] = v
		}
	}
	if flags[replicated] != "" {
		all["db-uri-read-replicas"] = cluster.StartReplica(tb).URI(name, user) + "," + cluster.StartReplica(tb).URI(name, user)
	}
	var err error
	if w.Server, err = newServer(Options{Source: config.LoadOptions{Flags: all}, Version: "test", Stdout: &bytes.Buffer{}, Stderr: &w.said}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.close)
	if err := w.loadCatalog(context.Background()); err != nil {
		tb.Fatal(err)
	}
	if flags[replicated] != "" {
		w.watchNodes()
	}
	return w
}

// watchNodes runs the nodes.
func (w *writer) watchNodes() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.nodes.Run(ctx) })
	w.tb.Cleanup(func() { stop(); running.Wait() })
}

// awaitReplicas waits until both replicas serve reads and have what was committed before.
// It asks for the insert position, because the clusters of tests commit asynchronously: the
// record of a commit may not be on the disk yet.
func (w *writer) awaitReplicas() {
	w.tb.Helper()
	at, err := nodes.ParseBookmark(w.sql("select '1/' || pg_current_wal_insert_lsn()"))
	if err != nil {
		w.tb.Fatal(err)
	}
	both := w.nodes.Replicas()
	serves := func(n *nodes.Node, other []*nodes.Node) bool {
		return w.nodes.Pick(w.snapshot.Load().position, at, other) == n
	}
	if !pgtest.Until(time.Minute, func() bool { return serves(both[0], both[1:]) && serves(both[1], both[:1]) }) {
		w.tb.Fatalf("a replica does not serve: %+v", w.nodes.Figures())
	}
}

// connect makes another connection for the test itself.
func (w *writer) connect() *pgtest.Conn {
	w.tb.Helper()
	return pgtest.Connect(w.tb, w.uri)
}

// sql runs statements directly in the database and returns the first value, if any.
func (w *writer) sql(sql string) string {
	w.tb.Helper()
	return w.db.For(w.tb).Value(sql)
}

func (w *writer) count(table string) int {
	w.tb.Helper()
	return w.db.For(w.tb).Count("select count(*) from " + table)
}

// await waits until a condition on the database holds.
func (w *writer) await(condition string) {
	w.tb.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if w.sql("select "+condition) == "t" {
			return
		}
	}
	w.tb.Fatalf("never came true: %s", condition)
}

// reply is the result of a request.
type reply struct {
	status int
	body   string
	header fasthttp.ResponseHeader
	code   string // of an error object
}

func (r *reply) String() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// ask sends a request. head are lines of its head.
func (w *writer) ask(method, target, body string, head ...string) *reply {
	w.tb.Helper()
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, target)
	typed := false
	for _, line := range head {
		raw.WriteString(line + "\r\n")
		typed = typed || strings.HasPrefix(line, "Content-Type:")
	}
	if !typed {
		raw.WriteString("Content-Type: application/json\r\n")
	}
	fmt.Fprintf(&raw, "Content-Length: %d\r\n\r\n%s", len(body), body)
	ctx := newRequestCtx()
	if err := ctx.Request.Read(bufio.NewReaderSize(&raw, raw.Len())); err != nil {
		w.tb.Fatal(err)
	}
	w.handle(ctx)
	r := &reply{status: ctx.Response.StatusCode(), body: string(ctx.Response.Body())}
	ctx.Response.Header.CopyTo(&r.header)
	var object struct{ Code string }
	if r.status >= 300 && json.Unmarshal([]byte(r.body), &object) == nil {
		r.code = object.Code
	}
	return r
}

// token is a token with these claims.
func (w *writer) token(claims string) string {
	w.tb.Helper()
	return authtest.Sign([]byte(claims), []byte(testSecret))
}

// as is the head line that makes a request one of a role's.
func (w *writer) as(role string) string {
	w.tb.Helper()
	return "Authorization: Bearer " + w.token(`{"role":"`+role+`"}`)
}

// forms names what a request had executed, flight by flight. It needs
// db-prepared-statements to be off, so that all SQL is on the wire.
func (w *writer) forms(run func()) string {
	w.tb.Helper()
	w.proxy.Record()
	run()
	statements, err := w.proxy.Recorded().Statements()
	if err != nil {
		w.tb.Fatal(err)
	}
	var out []string
	for _, s := range statements {
		switch {
		case s == "":
			s = "|"
		case strings.HasPrefix(s, "SELECT pg_catalog.num_nonnulls("):
			s = "settings"
		case s == sqlgen.ResponseSettings:
			s = "response"
		case strings.HasPrefix(s, "SELECT headers, status, inserted FROM"): // of a part of a batch
			name := "take"
			if strings.Contains(s, "pgrst.passed") {
				name = "check"
			}
			if strings.Contains(s, "search_path") {
				name += "+settings"
			}
			s = name
		case s == sqlgen.Bookmark:
			s = "bookmark"
		case s == sqlgen.AllPassed:
			s = "all-passed"
		case strings.HasPrefix(s, "begin"), s == "commit", s == "rollback":
		case strings.HasPrefix(s, "savepoint"):
			s = "savepoint"
		case strings.HasPrefix(s, "rollback to savepoint"):
			s = "resume"
		case s == "set constraints all immediate":
			s = "constraints"
		case strings.HasPrefix(s, `SELECT "api"."before"()`):
			s = "pre-request"
		default:
			s = "main"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

const (
	object  = "Accept: application/vnd.pgrst.object+json"
	full    = "Prefer: return=representation"
	minimal = "Prefer: return=minimal"
)
