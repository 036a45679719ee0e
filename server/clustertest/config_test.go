package clustertest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

const otherSecret = "another secret of at least thirty-two characters"

// fileWriter returns a file and a function that rewrites it.
func fileWriter(t *testing.T, name string) (path string, write func(text string)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	return path, func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConfigWhileSchemaFails replaces a secret while the schema cannot be
// loaded and the next attempt is far away.
func TestConfigWhileSchemaFails(t *testing.T) {
	t.Parallel()
	path, write := fileWriter(t, "secret")
	write(otherSecret)
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, db, "create schema extra")
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-schemas": "api,extra", "jwt-secret": "@" + path})
	a.awaitLog("listening for database notifications")
	token := bearer(t, "test_user", "x")
	if got := a.get("/item?limit=1", token...); got.Status != 401 {
		t.Fatalf("with another secret: %v", got)
	}
	cluster.Exec(t, db, "drop schema extra; notify pgrst")
	a.awaitLog("Attempting to reconnect to the database in 2 seconds...")
	write(servertest.Secret)
	cluster.Exec(t, db, "notify pgrst, 'reload config'")
	eventually(t, "the new secret", func() bool { return a.get("/item?limit=1", token...).Status == 200 })
	if n := a.ready(); n != 503 {
		t.Errorf("/ready: %d", n)
	}
}

// TestConfigWhileSchemaLoads replaces a secret while a schema load hangs.
func TestConfigWhileSchemaLoads(t *testing.T) {
	path, write := fileWriter(t, "secret")
	write(otherSecret)
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-channel-enabled": "false", "jwt-secret": "@" + path})
	lock := cluster.Connect(t, db).Value
	lock("begin")
	lock("lock table pg_catalog.pg_description in access exclusive mode")
	loads := a.loads()
	signal(t, syscall.SIGUSR1)
	eventually(t, "the load waits for the lock", func() bool {
		return lock("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and usename = '"+pgtest.Login+"'") == "1"
	})
	write(servertest.Secret)
	signal(t, syscall.SIGUSR2)
	token := bearer(t, "test_user", "x")
	eventually(t, "the new secret", func() bool { return a.get("/item?limit=1", token...).Status == 200 })
	if got := a.loads(); got != loads {
		t.Errorf("the schema was loaded: this test shows nothing")
	}
	lock("commit")
	eventually(t, "another catalog", func() bool { return a.loads() > loads })
}

// TestConfigEndsFailure checks that the schema is loaded at once after a reload
// corrects the configuration that made it fail.
func TestConfigEndsFailure(t *testing.T) {
	path, write := fileWriter(t, "conf")
	write(`db-schemas = "api,nowhere"`)
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := launch(t, map[string]string{"": path, "db-uri": cluster.URI(db, pgtest.Login), "db-config": "false", "db-schemas": ""})
	const next = 8 * time.Second
	a.awaitLog("Attempting to reconnect to the database in 8 seconds...")
	began := time.Now()
	write(`db-schemas = "api"`)
	signal(t, syscall.SIGUSR2)
	a.awaitStatus("/item?limit=1", 200)
	if took := time.Since(began); took > next-time.Second {
		t.Errorf("the schema was loaded after %v, and so by the next attempt", took)
	}
}

// TestStoredConfigWithoutCatalog checks that settings in the database apply
// while the schema cannot be loaded.
func TestStoredConfigWithoutCatalog(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, db, "alter role test_login set pgrst.db_anon_role = 'test_anon'")
	a := launch(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-anon-role": "", "db-schemas": "nowhere"})
	if got := a.awaitStatus("/item", 503); got.Code != "PGRST002" {
		t.Error(got)
	}
}

// TestStoredConfigStays checks that settings from the database stay in force
// while the database cannot be read.
func TestStoredConfigStays(t *testing.T) {
	t.Parallel()
	a, exec := own(t, map[string]string{"db-pre-config": "api.configure"},
		"grant usage on schema api to test_login; create function api.configure() returns void language sql as $$ select set_config('pgrst.db_max_rows', '3', true) $$")
	eventually(t, "db-max-rows", func() bool { return a.rows("/item") == 3 })
	exec("create or replace function api.configure() returns void language plpgsql as $$ begin raise 'no'; end $$; notify pgrst, 'reload config'")
	a.awaitLog("Failed to query database settings for the config parameters.")
	if n := a.rows("/item"); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
}

// TestHangup checks that SIGHUP reloads configuration and schema, and that the
// configuration is read once, even if the schema load reads it too.
func TestHangup(t *testing.T) {
	for _, stored := range []string{"false", "true"} {
		t.Run("db-config="+stored, func(t *testing.T) {
			path, write := fileWriter(t, "conf")
			write("db-max-rows = 5")
			cluster := pgtest.StartOwn(t)
			db := newDB(t, cluster)
			a := start(t, map[string]string{"": path, "db-uri": cluster.URI(db, pgtest.Login), "db-config": stored, "db-channel-enabled": "false"})
			reloaded, loads := a.Log.Count("Config reloaded"), a.loads()
			rows := 6
			cluster.Exec(t, db, "create table api.fresh (id int)")
			write("db-max-rows = 6")
			if stored == "true" {
				rows = 7
				cluster.Exec(t, db, "alter role test_login set pgrst.db_max_rows = 7")
			}
			signal(t, syscall.SIGHUP)
			eventually(t, "db-max-rows", func() bool { return a.rows("/item") == rows })
			a.awaitStatus("/fresh", 200)
			eventually(t, "another catalog", func() bool { return a.loads() > loads })
			if n := a.Log.Count("Config reloaded") - reloaded; n != 1 {
				t.Errorf("the configuration was reloaded %d times:\n%s", n, a.Log.String())
			}
			if n := a.loads() - loads; n != 1 {
				t.Errorf("the schema was loaded %v times", n)
			}
		})
	}
}

// TestChannelFollows checks that a reload changes the notification channel.
func TestChannelFollows(t *testing.T) {
	path, write := fileWriter(t, "conf")
	write("db-max-rows = 5")
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"": path, "db-uri": cluster.URI(db, pgtest.Login)})
	a.awaitLog(`listening for database notifications on the "pgrst" channel`)
	write(`db-channel = "other"`)
	signal(t, syscall.SIGUSR2)
	a.awaitLog(`listening for database notifications on the "other" channel`)
	cluster.Exec(t, db, "notify other, 'reload config'")
	a.awaitLog(`Received a config reload message on the "other" channel`)
}

// TestNeedsRestart checks that a reload logs the settings that need a restart,
// once, and repeats no warning of the start. The log shows the size that the
// pool still has.
func TestNeedsRestart(t *testing.T) {
	path, write := fileWriter(t, "conf")
	write("db-pool = 5\nserver-port = 1\ndb-pol = 1")
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"": path, "db-uri": cluster.URI(db, pgtest.Login), "db-channel-enabled": "false"})
	write("db-pool = 6\nserver-port = 2\ndb-pol = 1\ndb-max-rows = 4")
	for want := range 2 {
		signal(t, syscall.SIGUSR2)
		eventually(t, "reloaded", func() bool { return a.Log.Count("Config reloaded") >= 2+want })
	}
	if n := a.Log.Count("WARNING: changed, but needs a restart to take effect: db-pool, server-port\n"); n != 1 {
		t.Errorf("%d warnings, want one", n)
	}
	if n := a.Log.Count(`WARNING: "db-pol" is not the name of a setting`); n != 1 {
		t.Errorf("%d warnings of the unknown setting, want one", n)
	}
	signal(t, syscall.SIGUSR1)
	eventually(t, "a second load", func() bool { return a.Log.Count("Schema cache loaded in ") == 2 })
	if n := a.Log.Count("Connection Pool initialized with a maximum size of 5 connections"); n != 2 {
		t.Errorf("%d lines with the size of the pool, want 2:\n%s", n, a.Log.String())
	}
}

// TestAnonRoleWarning checks the warning about an anonymous role that requests
// cannot take.
func TestAnonRoleWarning(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, db, "create role cluster_stranger")
	for role, want := range map[string]string{
		"cluster_nobody":   `WARNING: the role "cluster_nobody" (db-anon-role) does not exist, so requests without a token fail`,
		"cluster_stranger": `WARNING: the connection may not become the role "cluster_stranger" (db-anon-role), so requests without a token fail: GRANT it to the role of db-uri`,
		"test_anon":        "",
	} {
		a := launch(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-anon-role": role, "db-channel-enabled": "false"})
		a.awaitLog("Schema cache loaded in ")
		if got := strings.Contains(a.Log.String(), "WARNING"); got != (want != "") || !strings.Contains(a.Log.String(), want) {
			t.Errorf("%s: %s", role, a.Log.String())
		}
		a.Stop(nil)
		a.Result()
	}
	a := launch(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-anon-role": "", "jwt-secret": "", "db-channel-enabled": "false"})
	a.awaitLog("WARNING: neither db-anon-role nor jwt-secret is set, so every request is refused\n")
}

// TestStartLog checks the order of the log lines at the start.
func TestStartLog(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-channel-enabled": "false"})
	a.awaitLog("API server listening on")
	order := regexp.MustCompile(`(?s)Starting .*Successfully connected to PostgreSQL.*Connection Pool initialized.*Config reloaded\n` +
		`.*Schema cache queried in ([0-9.]+) milliseconds.*Schema cache loaded \d+ Relations.*Schema cache loaded in ([0-9.]+) milliseconds`).FindStringSubmatch(a.Log.String())
	if order == nil {
		t.Fatalf("log:\n%s", a.Log.String())
	}
	for i, figure := range order[1:] {
		if ms, err := strconv.ParseFloat(figure, 64); err != nil || ms <= 0 {
			t.Errorf("time %d: %s ms", i, figure)
		}
	}
}

// TestUnreachableLog checks that a request without a connection is logged in
// its access line only.
func TestUnreachableLog(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-channel-enabled": "false", "log-level": "debug"})
	cluster.Halt(t, syscall.SIGQUIT)
	eventually(t, "no connection", func() bool { got := a.get("/item"); return got.Status == 503 && got.Code == "PGRST000" })
	eventually(t, "the access line", func() bool { return a.Out.Count(`"GET /item HTTP/1.1" 503`) > 0 })
	if n := a.Log.Count(`"code":"PGRST000"`); n != 0 {
		t.Errorf("%d lines with the body of the response:\n%s", n, a.Log.String())
	}
}
