// Package festival provides tests with the database of the recorded responses:
// its catalog as the server loads it, and connections to it.
package festival

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

const database = "festival"

var (
	once    sync.Once // roles belong to the cluster, so the fixture can be loaded only once
	uri     func(user string) string
	fixture = sync.OnceValues(func() (*catalog.Catalog, error) { return Load(uri("authenticator")) })
)

// Catalog returns the catalog of the fixture.
func Catalog(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	cluster := pgtest.Start(tb)
	once.Do(func() {
		cluster.Exec(tb, "postgres", "create database "+database+" template template0 encoding 'UTF8' locale 'C'")
		_, here, _, _ := runtime.Caller(0)
		corpus := filepath.Join(filepath.Dir(here), "..", "..", "server", "spectest", "testdata", "corpus")
		cluster.LoadSQL(tb, database, filepath.Join(corpus, "schema.sql"))
		cluster.LoadSQL(tb, database, filepath.Join(corpus, "data.sql"))
		// Stands in for the function of PostGIS.
		cluster.Exec(tb, database, "create function extras.st_asgeojson(anyelement) returns text language sql as 'select null::text'")
		uri = func(user string) string { return cluster.URI(database, user) }
	})
	cat, err := fixture()
	if err != nil {
		tb.Fatal(err)
	}
	return cat
}

// Load reads the catalog of the database at uri.
func Load(uri string) (*catalog.Catalog, error) {
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, uri)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "begin isolation level repeatable read, read only").ReadAll(); err != nil {
		return nil, err
	}
	return catalog.Load(ctx, pgtest.Querier(conn), catalog.Options{
		Schemas: []string{"api"}, ExtraSearchPath: []string{"public", "extras"},
		HoistedTxSettings: []string{"statement_timeout", "default_transaction_isolation"},
	})
}

// Connect returns a connection to the fixture with the search path of a request
// to schema api.
func Connect(tb testing.TB) *pgconn.PgConn {
	tb.Helper()
	Catalog(tb)
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, uri(pgtest.Superuser))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(ctx) })
	if _, err := conn.Exec(ctx, "set search_path = api, public, extras").ReadAll(); err != nil {
		tb.Fatal(err)
	}
	return conn
}

// Fields returns the descriptions of the columns of a statement.
func Fields(tb testing.TB, conn *pgconn.PgConn, sql string) []pgconn.FieldDescription {
	tb.Helper()
	d, err := conn.Prepare(context.Background(), "", sql, nil)
	if err != nil {
		tb.Fatalf("%v\n%s", err, sql)
	}
	return d.Fields
}
