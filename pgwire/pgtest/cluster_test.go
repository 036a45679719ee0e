package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestMain(m *testing.M) { Main(m) }

func value(t *testing.T, uri, sql string) string {
	t.Helper()
	conn := Connect(t, uri)
	defer conn.Close(context.Background())
	return conn.Value(sql)
}

func TestShared(t *testing.T) {
	c := Start(t)
	if c != Start(t) {
		t.Fatal("Start started twice")
	}
	var name string
	t.Run("database", func(t *testing.T) {
		name = c.NewDB(t)
		path := filepath.Join(t.TempDir(), "x.sql")
		if err := os.WriteFile(path, []byte("create table t(a int);\ninsert into t values (7);\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.LoadSQL(t, name, path)
		for _, uri := range []string{c.URI(name, Superuser), c.TCPURI(name, Superuser)} {
			if got := value(t, uri, "select a from t"); got != "7" {
				t.Errorf("%s: got %q", uri, got)
			}
		}
	})
	if got := value(t, c.URI("postgres", Superuser), "select count(*) from pg_database where datname = '"+name+"'"); got != "0" {
		t.Errorf("database %s was not dropped", name)
	}
}

func TestStopKillRestart(t *testing.T) {
	c := StartOwn(t)
	uri := c.URI("postgres", Superuser)
	c.Exec(t, "postgres", "create table t(a int); insert into t values (1)")
	c.Stop(t)
	if _, err := pgconn.Connect(context.Background(), uri); err == nil {
		t.Error("Stop left it running")
	}
	c.Restart(t)
	if got := value(t, uri, "select a from t"); got != "1" {
		t.Errorf("after Restart: %q", got)
	}
	c.Kill(t)
	if _, err := pgconn.Connect(context.Background(), uri); err == nil {
		t.Error("Kill left it running")
	}
	c.Restart(t)
	if got := value(t, uri, "select 5"); got != "5" {
		t.Errorf("after Kill and Restart: %q", got)
	}
}
