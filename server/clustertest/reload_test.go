package clustertest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// own starts a server with a database in a private cluster, with sql in
// addition to the schema. Role settings belong to the whole cluster, so these
// tests cannot share one.
func own(t *testing.T, flags map[string]string, sql ...string) (a *app, exec func(sql string)) {
	t.Helper()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	for _, sql := range sql {
		cluster.Exec(t, db, sql)
	}
	all := map[string]string{"db-uri": cluster.URI(db, pgtest.Login)}
	for k, v := range flags {
		all[k] = v
	}
	a = start(t, all)
	loads := a.awaitListener()
	eventually(t, "the loads of the start", func() bool { return a.loads() == float64(loads) })
	return a, func(sql string) { cluster.Exec(t, db, sql) }
}

// awaitListener waits until the server listens, and returns how many loads of the schema its
// start has. The first load does not wait for a listener that takes seconds. Then a
// notification may have been missed, and the schema is loaded again.
func (a *app) awaitListener() (loads int) {
	a.t.Helper()
	const listening = "listening for database notifications"
	a.awaitLog(listening)
	text := a.Log.String()
	if strings.Index(text, "Successfully connected to PostgreSQL") < strings.Index(text, listening) {
		return 2
	}
	return 1
}

// signal sends a signal to the test process. All its servers receive the
// signal, those of tests that run in parallel too. So a parallel test must not
// send one: Setenv panics there.
func signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	t.Setenv("FASTGREST_TEST_SIGNALS", "sent")
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		t.Fatal(err)
	}
}

func (a *app) rows(target string) int { return strings.Count(a.get(target).Body, "{") }

// TestNotify checks each notification payload and its effect.
func TestNotify(t *testing.T) {
	t.Parallel()
	a, exec := own(t, nil)
	if got := a.get("/rpc/listener"); got.Body != `"LISTEN \"pgrst\""` {
		t.Errorf("what the listener is seen doing: %v", got)
	}
	loads := func() float64 { return a.metric(`pgrst_schema_cache_loads_total{status="SUCCESS"}`) }
	before := loads()
	exec("alter role test_login set pgrst.db_max_rows = 3; alter role test_user set statement_timeout = '77ms'")

	exec("notify pgrst, 'nonsense'; notify other")
	exec("notify pgrst, 'reload config'")
	eventually(t, "db-max-rows", func() bool { return a.rows("/item") == 3 })
	if got := loads(); got != before {
		t.Errorf("the schema was loaded %v times more", got-before)
	}
	if n := a.Log.Count("Received a "); n != 1 {
		t.Errorf("%d messages in the log, want one", n)
	}
	if got := a.Do("POST", "/rpc/nap", `{"seconds":50}`, bearer(t, "test_user", "")...); got.Code != "57014" {
		t.Errorf("settings of the role: %v", got)
	}

	exec("create table api.fresh (id int); alter role test_login set pgrst.db_max_rows = 4")
	exec("notify pgrst, 'reload schema'")
	a.awaitStatus("/fresh", 200)
	// PostgREST reads the settings with every schema load.
	if n := a.rows("/item"); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
	exec("drop table api.fresh")
	if got := a.get("/fresh"); got.Status != 404 || got.Code != "42P01" {
		t.Errorf("a table that is gone, unknown to us: %v", got)
	}
	exec("notify pgrst")
	eventually(t, "the table is gone", func() bool { return a.get("/fresh").Code == "PGRST205" })
}

// TestManyNotifications sends notifications faster than the schema loads. The
// last one must take effect, and several share a load.
func TestManyNotifications(t *testing.T) {
	t.Parallel()
	a, exec := own(t, nil)
	before := a.metric(`pgrst_schema_cache_loads_total{status="SUCCESS"}`)
	const many = 300
	for i := range many {
		exec(fmt.Sprintf("drop function if exists api.version(); create function api.version() returns table (v%d int) language sql as 'select %d'; notify pgrst, 'reload schema'", i, i))
	}
	want := fmt.Sprintf(`[{"v%d":%d}]`, many-1, many-1)
	eventually(t, "the last version", func() bool { return a.get("/rpc/version").Body == want })
	eventually(t, "all messages", func() bool { return a.Log.Count("Received a schema cache reload message") >= many/2 })
	if n := a.metric(`pgrst_schema_cache_loads_total{status="SUCCESS"}`) - before; n > many {
		t.Errorf("%v loads for %d notifications", n, many)
	}
}

// TestReloadUnderLoad checks that a reload makes no request fail or end early.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	a, exec := own(t, map[string]string{"db-pool": "6"})
	var answered atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	clients.Go(func() {
		if got, err := a.Try("POST", "/rpc/nap", `{"seconds":2}`); err != nil || got.Body != `"rested"` {
			t.Errorf("a request that began before: %v %v", got, err)
		}
	})
	for client := range 16 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := 1 + (client+n)%100
				method, target, body, want := "GET", fmt.Sprintf("/item?id=eq.%d&select=name", id), "", fmt.Sprintf(`[{"name":"item %d"}]`, id)
				if n%4 == 0 {
					method, target, body, want = "POST", "/rpc/add_note?select=tag", `{"tag":"x"}`, `{"tag":"x"}`
				}
				got, err := a.Try(method, target, body)
				if err != nil || got.Status != 200 || got.Body != want {
					t.Errorf("%s %s: %v %v", method, target, got, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	for i := range 40 {
		exec(fmt.Sprintf("create table api.t%d (id int)", i))
		exec("notify pgrst")
		if i%2 == 0 {
			exec("notify pgrst, 'reload config'")
		}
		n := answered.Load()
		eventually(t, "requests go on", func() bool { return answered.Load() > n+20 })
	}
	close(stop)
	clients.Wait()
	a.awaitStatus("/t39", 200)
}

// TestReloadFails checks that the old schema cache stays in force until a load
// succeeds again.
func TestReloadFails(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, db, "create schema extra")
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-schemas": "api,extra"})
	a.awaitLog("listening for database notifications")
	eventually(t, "ready", func() bool { return a.ready() == 200 })
	cluster.Exec(t, db, "drop schema extra; create table api.fresh (id int); notify pgrst")
	a.awaitLog("Failed to load the schema cache using db-schemas=api,extra and db-extra-search-path=public. ")
	eventually(t, "not ready", func() bool { return a.ready() == 503 })
	if got := a.get("/item?id=eq.1&select=id"); got.Body != `[{"id":1}]` {
		t.Errorf("the old schema: %v", got)
	}
	if got := a.get("/fresh"); got.Code != "PGRST205" {
		t.Errorf("half of the new schema: %v", got)
	}
	if n := a.metric(`pgrst_schema_cache_loads_total{status="FAIL"}`); n < 1 {
		t.Errorf("%v failures in the metrics", n)
	}
	cluster.Exec(t, db, "create schema extra")
	a.awaitStatus("/fresh", 200)
	eventually(t, "ready", func() bool { return a.ready() == 200 })
}

// TestReloadConfig changes the configuration file and the file of a secret and
// sends the signals.
func TestReloadConfig(t *testing.T) {
	dir := t.TempDir()
	secretFile, conf := filepath.Join(dir, "secret"), filepath.Join(dir, "conf")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wrong := strings.Repeat("invalid", 5)
	write(secretFile, wrong)
	write(conf, "db-max-rows = 5\ndb-channel-enabled = false\nlog-level = \"crit\"\n")
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{
		"": conf, "db-uri": cluster.URI(db, pgtest.Login), "jwt-secret": "@" + secretFile, "db-config": "false", "log-level": "",
	})
	token := bearer(t, "test_user", "x")
	status := func() int { return a.get("/item", token...).Status }
	if got := status(); got != 401 {
		t.Errorf("with another secret: %d", got)
	}
	if n := a.rows("/item"); n != 5 {
		t.Errorf("%d rows, want 5", n)
	}

	write(secretFile, servertest.Secret)
	write(conf, "db-max-rows = 6\ndb-channel-enabled = true\nlog-level = \"error\"\n")
	loads := a.metric(`pgrst_schema_cache_loads_total{status="SUCCESS"}`)
	signal(t, syscall.SIGUSR1) // reloads the schema only
	eventually(t, "schema loaded", func() bool { return a.metric(`pgrst_schema_cache_loads_total{status="SUCCESS"}`) > loads })
	if got, n := status(), a.rows("/item"); got != 401 || n != 5 {
		t.Errorf("after SIGUSR1: %d, %d rows", got, n)
	}
	if n := a.Log.Count("listening for database notifications"); n != 0 {
		t.Error("listens, and should not")
	}
	signal(t, syscall.SIGUSR2)
	eventually(t, "new secret", func() bool { return status() == 200 })
	if n := a.rows("/item"); n != 6 {
		t.Errorf("%d rows, want 6", n)
	}
	a.awaitLog("Config reloaded")
	a.awaitLog("listening for database notifications")

	// A cached token is rejected after the secret has changed.
	write(secretFile, wrong)
	cluster.Exec(t, db, "notify pgrst, 'reload config'")
	eventually(t, "wrong secret", func() bool { return status() == 401 })

	// An invalid file changes nothing.
	write(conf, "db-max-rows = 7\nlog-level = \"loud\"\n")
	signal(t, syscall.SIGUSR2)
	a.awaitLog("Failed reloading config: ")
	if n := a.rows("/item"); n != 6 {
		t.Errorf("%d rows, want 6", n)
	}
}
