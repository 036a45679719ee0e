package clustertest_test

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestStartDown starts the server before its database. Requests get a
// Retry-After header until the database is there.
func TestStartDown(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Halt(t, syscall.SIGINT)
	a := launch(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login)})
	got := a.awaitStatus("/item", 503)
	if after, err := strconv.Atoi(got.Header.Get("Retry-After")); got.Code != "PGRST002" || err != nil || after < 1 || after > 32 {
		t.Errorf("%v, Retry-After %q", got, got.Header.Get("Retry-After"))
	}
	if n := a.ready(); n != 503 {
		t.Errorf("/ready: %d", n)
	}
	for _, line := range []string{
		"Failed to query the PostgreSQL version. ", "Failed to load the schema cache using db-schemas=", "Attempting to reconnect to the database in 1 seconds...", "Attempting to reconnect to the database in 2 seconds...",
		"Failed listening for database notifications on the \"pgrst\" channel. ", "Retrying listening for database notifications in 1 seconds...",
	} {
		a.awaitLog(line)
	}
	if n := a.metric(`pgrst_schema_cache_loads_total{status="FAIL"}`); n < 1 {
		t.Errorf("%g loads are counted as failed", n)
	}
	cluster.Resume(t)
	a.awaitStatus("/item?limit=1", 200)
	eventually(t, "ready", func() bool { return a.ready() == 200 })
	a.awaitLog("Successfully connected to PostgreSQL")
}

// TestStartSlow connects to a socket that accepts connections and never
// responds. The admin port responds meanwhile, and the API responds after the
// first attempt has timed out.
func TestStartSlow(t *testing.T) {
	t.Parallel()
	dir := servertest.SocketDir(t)
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	a := launch(t, map[string]string{
		"db-uri": "postgresql:///db?host=" + dir + "&port=5432&user=u", "db-channel-enabled": "false", "db-pool-acquisition-timeout": "1",
	})
	eventually(t, "/ready", func() bool { return a.ready() == 503 })
	if got := a.awaitStatus("/item", 503); got.Code != "PGRST002" {
		t.Errorf("%v", got)
	}
	if !a.Running() {
		t.Error(a.Result())
	}
}

// TestStartRefused checks that an error that waiting cannot solve ends the
// process.
func TestStartRefused(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, "postgres", "create role with_password login password 'right'")
	cluster.WriteFile(t, "pg_hba.conf", []byte("local all with_password scram-sha-256\nlocal all all trust\n"))
	cluster.Exec(t, "postgres", "select pg_reload_conf()")
	for _, c := range []struct {
		name  string
		flags map[string]string
		log   string
	}{
		{"wrong password", map[string]string{"db-uri": cluster.URI(db, "with_password") + "&password=not-the-right-one"}, "password authentication failed"},
		{"no password", map[string]string{"db-uri": cluster.URI(db, "with_password")}, "Failed to establish a connection. "},
		{"no database, no recovery", map[string]string{"db-uri": cluster.URI("nowhere", pgtest.Login), "db-pool-automatic-recovery": "false"}, "Automatic recovery disabled, exiting."},
		{"no database, no recovery, no listener", map[string]string{
			"db-uri": cluster.URI("nowhere", pgtest.Login), "db-pool-automatic-recovery": "false", "db-channel-enabled": "false",
		}, "Automatic recovery disabled, exiting."},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := launch(t, c.flags)
			if err := a.Result(); err == nil {
				t.Error("ends without an error")
			}
			if a.Log.Count(c.log) == 0 {
				t.Errorf("no %q in the log", c.log)
			}
			if a.Log.Count("not-the-right-one") > 0 {
				t.Error("the password is in the log")
			}
		})
	}
	// A missing database may be created later, so the server waits.
	a := launch(t, map[string]string{"db-uri": cluster.URI("later", pgtest.Login)})
	a.awaitStatus("/item", 503)
	cluster.CreateDB(t, "later")
	cluster.Exec(t, "later", schema)
	a.awaitStatus("/item", 200)
}

// TestNoRecovery checks that without automatic recovery the loss of the
// listener's connection ends the process.
func TestNoRecovery(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login) + "&application_name=target", "db-pool-automatic-recovery": "false"})
	a.awaitLog("listening for database notifications")
	cluster.Exec(t, "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'target'")
	if err := a.Result(); err == nil || !strings.Contains(err.Error(), "terminating connection") {
		t.Error(err)
	}
}
