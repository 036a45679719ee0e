package clustertest_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// chaosTime is how long the test restarts PostgreSQL.
func chaosTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("CHAOS_TIME")
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestChaos kills and starts PostgreSQL every second, in several ways, under
// the load of 64 clients. Requests may fail while there is no database, but a
// success must have the right result. Afterwards the server must work as
// before.
func TestChaos(t *testing.T) {
	cluster := pgtest.StartOwn(t, "synchronous_commit = on") // confirmed writes must survive
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-pool": "10"})
	a.awaitLog("listening for database notifications")
	eventually(t, "ready", func() bool { return a.ready() == 200 })
	a.API.CloseIdleConnections()
	goroutines := runtime.NumGoroutine()

	var (
		good, bad atomic.Int64 // responses with 200 and the right body, and failures
		lastGood  atomic.Int64 // when the last successful request was sent, in ns
		wrote     sync.Map     // tags of confirmed writes
	)
	began := time.Now()
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for client := range 64 {
		clients.Go(func() {
			role := []string{"test_anon", "test_user", "test_other", "test_serial"}[client%4]
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				tag := fmt.Sprintf("c%d-%d", client, n)
				id := 1 + (client*31+n)%100
				method, target, body := "GET", fmt.Sprintf("/item?id=eq.%d&select=id,name", id), ""
				status, want := 200, fmt.Sprintf(`[{"id":%d,"name":"item %d"}]`, id, id)
				switch n % 8 {
				case 3:
					method, target, body = "POST", "/rpc/add_note?select=tag,role", `{"tag":"`+tag+`"}`
					want = fmt.Sprintf(`{"tag":%q,"role":%q}`, tag, role)
				case 5:
					target = "/rpc/who"
					want = fmt.Sprintf(`{"role" : %q, "claims" : %q, "path" : "\"api\", \"public\"", "cluster" : ""}`, role, tag)
				case 7:
					method, target, body, status, want = "POST", "/note", `{"tag":"`+tag+`"}`, 201, ""
				}
				sent := time.Now()
				got, err := a.Try(method, target, body, bearer(t, role, tag)...)
				switch {
				case err != nil:
					t.Errorf("%s %s: %v", method, target, err)
					return
				case got.Status == status && (got.Body == want || sameJSON(got.Body, want)):
					good.Add(1)
					lastGood.Store(max(lastGood.Load(), sent.UnixNano()))
					if method == "POST" {
						wrote.Store(tag, true)
					}
					continue
				case got.Status < 500:
					t.Errorf("%s %s: %v, want %d %s or an error of ours", method, target, got, status, want)
					return
				}
				bad.Add(1)
				time.Sleep(2 * time.Millisecond) // a client backs off after a failure
			}
		})
	}

	var recoveries []time.Duration
	ways := []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGQUIT}
	for round := 0; time.Since(began) < chaosTime(t); round++ {
		next := time.Now().Add(time.Second)
		cluster.Halt(t, ways[round%len(ways)])
		time.Sleep(100 * time.Millisecond) // let all connections notice
		cluster.Resume(t)
		back := time.Now()
		eventually(t, "a response after a restart", func() bool { return lastGood.Load() > back.UnixNano() || !a.Running() })
		if !a.Running() {
			t.Fatalf("the server has ended: %v", a.Result())
		}
		recoveries = append(recoveries, time.Since(back))
		time.Sleep(max(200*time.Millisecond, time.Until(next)))
	}
	close(stop)
	clients.Wait()
	slices.Sort(recoveries)
	worst := recoveries[len(recoveries)-1]
	t.Logf("%d restarts in %v: %d successes, %d failures; first success after a restart: median %v, worst %v",
		len(recoveries), time.Since(began).Round(time.Second), good.Load(), bad.Load(), recoveries[len(recoveries)/2], worst)
	if worst > 30*time.Second { // one second on an idle machine; the longest pause between attempts is 32 s
		t.Errorf("it took %v to recover", worst)
	}

	// Each confirmed write exists once.
	eventually(t, "the catalog", func() bool { return a.ready() == 200 })
	var lost, twice []string
	seen := map[string]int{}
	for _, tag := range strings.Fields(value(t, cluster, db, "select coalesce(string_agg(tag, ' '), '') from api.note")) {
		if seen[tag]++; seen[tag] == 2 {
			twice = append(twice, tag)
		}
	}
	wrote.Range(func(tag, _ any) bool {
		if seen[tag.(string)] == 0 {
			lost = append(lost, tag.(string))
		}
		return true
	})
	if len(lost)+len(twice) > 0 {
		t.Errorf("confirmed and lost: %d %.200q; written twice: %d %.200q", len(lost), lost, len(twice), twice)
	}

	// The server holds no leftovers.
	eventually(t, "nothing waits for a connection", func() bool { return a.metric("pgrst_db_pool_waiting") == 0 })
	eventually(t, "one listener and ten connections at most", func() bool {
		return value(t, cluster, db, "select count(*) <= 11 from pg_stat_activity where usename = '"+pgtest.Login+"'") == "t"
	})
	a.API.CloseIdleConnections()
	a.Admin.CloseIdleConnections()
	eventually(t, "no more goroutines than before", func() bool { return runtime.NumGoroutine() <= goroutines })
}
