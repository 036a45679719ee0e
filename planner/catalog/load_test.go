package catalog

import (
	"context"
	"os"
	"path/filepath"
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

// querier runs statements the way Load is promised they are run.
func querier(conn *pgconn.PgConn) Querier {
	return func(ctx context.Context, sql string, args []string, each func([][]byte) error) error {
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
	cat, err := Load(ctx, querier(conn), o)
	if err == nil {
		_, err = conn.Exec(ctx, "commit").ReadAll()
	}
	return cat, err
}

// database creates one from a file in testdata. Roles belong to the cluster, so
// each file creates roles of its own, and they go with the process.
func database(tb testing.TB, file string) string {
	tb.Helper()
	cluster := pgtest.Start(tb)
	db := cluster.NewDB(tb)
	path := filepath.Join("testdata", file)
	if _, err := os.Stat(path); err != nil {
		tb.Fatal(err)
	}
	cluster.LoadSQL(tb, db, path)
	return db
}

func TestFestivalLoads(t *testing.T) {
	db := database(t, "festival.sql")
	cat := load(t, db, "authenticator", Options{Schemas: []string{"api"}, ExtraSearchPath: []string{"public", "extras"}, HoistedTxSettings: []string{"statement_timeout"}})
	t.Log(cat.Summary(), cat.Timings, cat.Version, cat.UsageRoles)
	for _, tb := range cat.Tables {
		if tb.UserCode || tb.RowSecurity || tb.IsView {
			t.Log(tb.QI, tb.IsView, tb.PrimaryKey, "rls", tb.RowSecurity, "code", tb.UserCode)
		}
	}
}
