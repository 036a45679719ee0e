package catalog

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func connect(tb testing.TB, uri string) *pgconn.PgConn {
	tb.Helper()
	conn, err := pgconn.Connect(context.Background(), uri)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// load reads a database as one of its users.
func load(tb testing.TB, db, user string, o Options) *Catalog {
	tb.Helper()
	cat, err := tryLoad(tb, db, user, o)
	if err != nil {
		tb.Fatal(err)
	}
	if len(cat.Unreadable) > 0 {
		tb.Errorf("unreadable views: %v", cat.Unreadable)
	}
	return cat
}

func tryLoad(tb testing.TB, db, user string, o Options) (*Catalog, error) {
	tb.Helper()
	ctx := context.Background()
	conn := connect(tb, pgtest.Start(tb).URI(db, user))
	if _, err := conn.Exec(ctx, "begin isolation level repeatable read, read only").ReadAll(); err != nil {
		tb.Fatal(err)
	}
	cat, err := Load(ctx, pgtest.Querier(conn), o)
	if err == nil {
		_, err = conn.Exec(ctx, "commit").ReadAll()
	}
	return cat, err
}

// database creates one from a file. Roles belong to the cluster, so each file
// is used by one test and has names of its own for its roles.
func database(tb testing.TB, path string) string {
	tb.Helper()
	cluster := pgtest.Start(tb)
	db := cluster.NewDB(tb)
	cluster.LoadSQL(tb, db, path)
	return db
}

// The schema of the conformance corpus, all three exposed schemas, as the user
// the server would be.
func TestFestival(t *testing.T) {
	cat := load(t, database(t, filepath.Join("..", "..", "server", "spectest", "testdata", "corpus", "schema.sql")), "authenticator", Options{
		Schemas:           []string{"api", "api_v2", "Archive Room"},
		ExtraSearchPath:   []string{"public", "extras"},
		HoistedTxSettings: defaultHoisted,
	})
	golden(t, "festival.json", lines(t, cat.AppendJSON(nil)))
}

// The defaults of db-hoisted-tx-settings.
var defaultHoisted = []string{"statement_timeout", "plan_filter.statement_cost_limit", "default_transaction_isolation"}

func TestCorners(t *testing.T) {
	cat := load(t, database(t, filepath.Join("testdata", "corners.sql")), pgtest.Superuser, Options{
		Schemas:           []string{"api", `Odd "Schema\`},
		ExtraSearchPath:   []string{"side"},
		HoistedTxSettings: defaultHoisted,
	})
	golden(t, "corners.txt", render(cat))
}

func TestHoistedSettings(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `create schema s; create function s.f() returns int language sql
		set work_mem = '1MB' set statement_timeout = '1s' set "own.Name" = 'a=b, "c"' as 'select 1'`)
	for _, test := range []struct {
		patterns []string
		want     []Setting
	}{
		{nil, nil},
		{[]string{"work_mem"}, []Setting{{"work_mem", "1MB"}}},
		{[]string{"^own", "time.*="}, []Setting{{"statement_timeout", "1s"}, {"own.Name", `a=b, "c"`}}},
		// Nothing set matches everything, as it does for PostgREST.
		{[]string{""}, []Setting{{"work_mem", "1MB"}, {"statement_timeout", "1s"}, {"own.Name", `a=b, "c"`}}},
	} {
		cat := load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}, HoistedTxSettings: test.patterns})
		if got := cat.Routines[QI{"s", "f"}][0].Settings; !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.patterns, got, test.want)
		}
	}
}
