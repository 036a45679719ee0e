package clustertest_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestBusyPool has one connection, which another request uses.
func TestBusyPool(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-pool": "1", "db-pool-acquisition-timeout": "5", "db-connection-sharing": "false"})
	figure := func(name string) float64 { return a.metric("pgrst_db_pool_" + name) }
	if got := figure("max"); got != 1 {
		t.Errorf("max %v", got)
	}
	eventually(t, "an idle connection", func() bool { return figure("available") == 1 && figure("waiting") == 0 })

	held := make(chan struct{})
	go func() {
		defer close(held)
		_, _ = a.Try("POST", "/rpc/nap", `{"seconds":600}`)
	}()
	sleeping := func() bool {
		return value(t, cluster, db, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1"
	}
	eventually(t, "the connection is taken", sleeping)
	// Requests that need no connection do not wait for one.
	for _, r := range []struct {
		method, target string
		headers        []string
		status         int
	}{
		{"HEAD", "/path/notfound", nil, 404},
		{"TRACE", "/item", nil, 405},
		{"PATCH", "/rpc/who", nil, 405},
		{"OPTIONS", "/item", nil, 200},
		{"OPTIONS", "/rpc/who", nil, 200},
		{"OPTIONS", "/", nil, 200},
		{"GET", "/item", []string{"Authorization", "Bearer x.y.z"}, 401},
		{"GET", "/item?select=*,unexistent(*)", nil, 400},
	} {
		req := r.method + " " + r.target
		if got, err := a.Try(r.method, r.target, "", r.headers...); got.Status != r.status {
			t.Errorf("%s: %v %v, want %d", req, got, err, r.status)
		}
	}
	if got := figure("timeouts_total"); got != 0 {
		t.Errorf("%v timeouts", got)
	}
	var first, last atomic.Int64 // response times, in ns since began
	began := time.Now()
	var waiters sync.WaitGroup
	for range 5 {
		waiters.Go(func() {
			if got, err := a.Try("GET", "/item", ""); err != nil || got.Status != 504 || got.Code != "PGRST003" {
				t.Errorf("%v %v", got, err)
			}
			at := int64(time.Since(began))
			first.CompareAndSwap(0, at)
			last.Store(max(last.Load(), at))
		})
	}
	eventually(t, "five wait", func() bool { return figure("waiting") == 5 })
	if got := figure("available"); got != 0 {
		t.Errorf("%v available", got)
	}
	waiters.Wait()
	if got := figure("timeouts_total"); got != 5 {
		t.Errorf("%v timeouts, want 5", got)
	}
	eventually(t, "none waits", func() bool { return figure("waiting") == 0 })
	// A burst makes two lines: the first at once, and one for the rest.
	a.awaitLog("Timed out acquiring connection from connection pool.")
	if got := a.Log.Count("Timed out acquiring connection from connection pool."); got > 2+int((last.Load()-first.Load())/int64(time.Second)) {
		t.Errorf("%d lines about timeouts", got)
	}
	cluster.Exec(t, db, "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
	<-held
	a.awaitStatus("/item?limit=1", 200)
	cluster.Halt(t, syscall.SIGQUIT)
	a.awaitStatus("/item?limit=1", 503)
	if got := figure("available"); got < 0 {
		t.Errorf("%v available", got)
	}
	cluster.Resume(t)
	a.awaitStatus("/item?limit=1", 200)
}

// TestTooManyConnections has a PostgreSQL that permits two connections and a
// pool of ten. The two serve all requests.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-pool": "10", "db-pool-acquisition-timeout": "60", "db-channel-enabled": "false"})
	cluster.Exec(t, db, "alter role test_login connection limit 2")
	var clients sync.WaitGroup
	for client := range 32 {
		clients.Go(func() {
			for n := range 20 {
				want := fmt.Sprintf(`[{"id":%d}]`, 1+(client+n)%100)
				got, err := a.Try("PATCH", fmt.Sprintf("/item?id=eq.%d&select=id", 1+(client+n)%100), `{"name":"x"}`, "Prefer", "return=representation")
				if err != nil || got.Status != 200 || got.Body != want {
					t.Errorf("%v %v, want %s", got, err, want)
					return
				}
			}
		})
	}
	clients.Wait()
	cluster.Exec(t, db, "alter role test_login connection limit 0")
	cluster.Exec(t, db, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'test_login'")
	eventually(t, "refused", func() bool {
		got, err := a.Try("GET", "/item?limit=1", "")
		return err == nil && got.Status == 503
	})
	cluster.Exec(t, db, "alter role test_login connection limit -1")
	a.awaitStatus("/item?limit=1", 200)
}

// TestOldConnections checks that connections are closed after their maximum
// lifetime, whether they are used or idle.
func TestOldConnections(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	for flag, use := range map[string]bool{"db-pool-max-idletime": false, "db-pool-max-lifetime": true} {
		a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login) + "&application_name=" + flag, "db-channel-enabled": "false", flag: "1"})
		const connections = "select coalesce(string_agg(pid::text, ' '), '') from pg_stat_activity where application_name = "
		first := value(t, cluster, db, connections+"'"+flag+"'")
		eventually(t, flag, func() bool {
			if use {
				a.get("/item?limit=1")
			}
			time.Sleep(20 * time.Millisecond)
			now := value(t, cluster, db, connections+"'"+flag+"'")
			return use && now != "" && now != first || !use && now == ""
		})
		a.Stop(nil)
	}
}
