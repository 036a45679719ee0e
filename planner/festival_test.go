package planner

import (
	"bytes"
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// festivalDB is the fixture of the conformance corpus, loaded once; roles
// belong to the cluster, so it could not be loaded twice.
const festivalDB = "festival"

var festivalOnce sync.Once

var festivalCatalog = sync.OnceValues(func() (*catalog.Catalog, error) { return loadCatalog(festivalURI("authenticator")) })

var festivalURI func(user string) string

// festival returns the catalog of the fixture, as the server would have it.
func festival(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	cluster := pgtest.Start(tb)
	festivalOnce.Do(func() {
		cluster.Exec(tb, "postgres", "create database "+festivalDB+" template template0 encoding 'UTF8' locale 'C'")
		corpus := filepath.Join("..", "server", "spectest", "testdata", "corpus")
		cluster.LoadSQL(tb, festivalDB, filepath.Join(corpus, "schema.sql"))
		cluster.LoadSQL(tb, festivalDB, filepath.Join(corpus, "data.sql"))
		// What PostGIS would bring.
		cluster.Exec(tb, festivalDB, "create function extras.st_asgeojson(anyelement) returns text language sql as 'select null::text'")
		festivalURI = func(user string) string { return cluster.URI(festivalDB, user) }
	})
	cat, err := festivalCatalog()
	if err != nil {
		tb.Fatal(err)
	}
	return cat
}

func loadCatalog(uri string) (*catalog.Catalog, error) {
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, uri)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "begin isolation level repeatable read, read only").ReadAll(); err != nil {
		return nil, err
	}
	query := func(ctx context.Context, sql string, args []string, each func([][]byte) error) error {
		values := make([][]byte, len(args))
		for i, arg := range args {
			values[i] = []byte(arg)
		}
		result := conn.ExecParams(ctx, sql, values, nil, nil, nil)
		for result.NextRow() {
			if err := each(result.Values()); err != nil {
				result.Close()
				return err
			}
		}
		_, err := result.Close()
		return err
	}
	return catalog.Load(ctx, query, catalog.Options{
		Schemas: []string{"api"}, ExtraSearchPath: []string{"public", "extras"},
		HoistedTxSettings: []string{"statement_timeout", "default_transaction_isolation"},
	})
}

// connect returns a connection to the fixture with the search path of a
// request to schema api.
func connect(tb testing.TB) *pgconn.PgConn {
	tb.Helper()
	festival(tb)
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, festivalURI(pgtest.Superuser))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(ctx) })
	if _, err := conn.Exec(ctx, "set search_path = api, public, extras").ReadAll(); err != nil {
		tb.Fatal(err)
	}
	return conn
}

// defaults are a server's default settings, and aggregates.
var defaults = Options{MaxRows: -1, Aggregates: true, LegacyTargetNames: true, ExecutionPlans: true, CacheMaxEntries: 1000}

// query is what a Request is made of; it owns what a Request borrows.
type query struct {
	Request
	parsed  parser.Query
	prefer  header.Prefer
	payload body.Payload
	key     []byte

	raw, content []byte
}

// newQuery reads a request the way the server does.
func newQuery(tb testing.TB, method, target string, headers [][2]string, content string) *query {
	tb.Helper()
	q := &query{}
	if err := q.read(method, target, headers, content); err != nil {
		tb.Fatalf("%s %s: %v", method, target, err)
	}
	return q
}

var actions = map[string]Action{"GET": Read, "HEAD": ReadHead, "POST": Insert, "PATCH": Update, "PUT": Upsert, "DELETE": Delete}
var callActions = map[string]Action{"GET": CallGet, "HEAD": CallHead, "POST": CallPost}

func (q *query) read(method, target string, headers [][2]string, content string) error {
	path, raw, _ := strings.Cut(target, "?")
	name, call := strings.CutPrefix(path, "/rpc/")
	mode := parser.ModeRelation
	q.Action = actions[method]
	if call {
		q.Action = callActions[method]
		mode = parser.ModeCallRead
		if method == "POST" {
			mode = parser.ModeCall
		}
	}
	name, err := url.PathUnescape(strings.TrimPrefix(name, "/"))
	if err != nil {
		return err
	}
	q.Schema, q.Target = "api", []byte(name)
	q.Query, q.Prefer = &q.parsed, &q.prefer
	q.prefer.Reset()
	q.ContentType = header.Media{Kind: header.JSON}
	inHeader := parser.AllRange
	for _, h := range headers {
		switch value := []byte(h[1]); h[0] {
		case "Prefer":
			q.prefer.Add(value, true)
		case "Accept":
			q.Accept, q.HasAccept = value, true
		case "Content-Type":
			q.ContentType = header.ParseContentType(value)
		case "Range":
			inHeader = header.ParseRange(value)
		}
	}
	q.raw, q.content = []byte(raw), []byte(content)
	if err := q.parsed.Parse(q.raw, mode); err != nil {
		return err
	}
	if method != "GET" {
		inHeader = parser.AllRange
	}
	limits := q.parsed.RootRange()
	q.Top = limits.LimitZero(inHeader.Intersect(limits))
	return q.readPayload(q.content, call)
}

func (q *query) readPayload(content []byte, call bool) error {
	if q.Action <= ReadHead || q.Action == Delete || q.Action == CallGet || q.Action == CallHead {
		return nil
	}
	var err error
	switch kind := q.ContentType.Kind; {
	case kind == header.JSON && q.parsed.HasColumns:
		q.payload.SetRaw(content)
	case kind == header.JSON:
		err = q.payload.ParseJSON(content, call)
	case kind == header.CSV:
		_, err = q.payload.ParseCSV(nil, content, 1<<20)
	case kind == header.Form && call:
		err = q.payload.ParseArgs(content)
	case kind == header.Form:
		_, err = q.payload.ParseForm(nil, content)
	default:
		return nil
	}
	q.PayloadObject, q.Columns = q.payload.IsObject, q.payload.Keys
	if q.parsed.HasColumns {
		q.Columns = q.parsed.Columns
	}
	return err
}

// plan plans the request, from the cache if it is there.
func (q *query) plan(p *Planner) (*Plan, error) {
	q.key = p.AppendKey(q.key[:0], &q.Request)
	if plan := p.Lookup(q.key); plan != nil {
		return plan, nil
	}
	return p.Plan(q.key, &q.Request)
}

// mustPlan plans GET of target.
func mustPlan(tb testing.TB, p *Planner, target string, headers ...[2]string) *Plan {
	tb.Helper()
	plan, err := newQuery(tb, "GET", target, headers, "").plan(p)
	if err != nil {
		tb.Fatalf("%s: %v", target, err)
	}
	return plan
}

// scribble overwrites what the request was read from, so that whatever a plan
// has borrowed from it shows.
func (q *query) scribble() {
	for _, b := range [][]byte{q.Target, q.Accept, q.key, q.raw, q.content} {
		copy(b, bytes.Repeat([]byte("#"), len(b)))
	}
}
