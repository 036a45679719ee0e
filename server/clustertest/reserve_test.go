package clustertest_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestReserve has five connections and a slow function. Once the function is
// known to be slow, its calls may use at most three connections together.
func TestReserve(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-pool": "5", "db-pool-acquisition-timeout": "600"})
	nap := func(ctx context.Context, seconds string) int {
		req, err := http.NewRequestWithContext(ctx, "POST", "http://api/rpc/nap", strings.NewReader(`{"seconds":`+seconds+`}`))
		if err != nil {
			t.Error(err)
			return 0
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := a.API.Do(req)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	sleeping := func(n int) func() bool {
		return func() bool {
			return value(t, cluster, db, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == strconv.Itoa(n)
		}
	}
	queued := func(n float64) func() bool {
		return func() bool {
			return a.metric("fastgrest_db_pool_queued") == n && a.metric("pgrst_db_pool_waiting") == n
		}
	}
	for range 8 { // make the function known as slow
		if status := nap(t.Context(), "0.2"); status != 200 {
			t.Fatalf("a nap: %d", status)
		}
	}

	var naps sync.WaitGroup
	defer naps.Wait()
	statuses := make(chan int, 6)
	impatient, leave := context.WithCancel(t.Context())
	defer leave()
	for i := range cap(statuses) {
		ctx := t.Context()
		if i >= 4 {
			ctx = impatient
		}
		naps.Go(func() { statuses <- nap(ctx, "600") })
		if i < 3 {
			eventually(t, "it sleeps", sleeping(i+1))
		} else {
			eventually(t, "it waits", queued(float64(i-2)))
		}
	}
	for range 20 {
		if got, err := a.Try("GET", "/item?limit=1", ""); err != nil || got.Status != 200 {
			t.Errorf("beside slow ones: %v %v", got, err)
		}
	}
	if !sleeping(3)() {
		t.Error("not three sleep")
	}
	leave() // two clients go away
	eventually(t, "one waits", queued(1))
	for range 2 {
		if status := <-statuses; status != 0 {
			t.Errorf("response to a client that has left: %d", status)
		}
	}
	// End the sleeping calls: the waiting request is next, and no place is
	// lost.
	end := func() {
		cluster.Exec(t, db, "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
	}
	end()
	eventually(t, "the last one sleeps", func() bool { return queued(0)() && sleeping(1)() })
	end()
	for range 4 {
		if status := <-statuses; status != 500 {
			t.Errorf("cancelled: %d", status)
		}
	}
	for i := range 3 {
		naps.Go(func() { _ = nap(t.Context(), "600") })
		eventually(t, "three sleep again", sleeping(i+1))
	}
	end()
}

// TestReserveTimeout checks that a request that waits for other slow requests
// times out like any other.
func TestReserveTimeout(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-pool": "4", "db-pool-acquisition-timeout": "5"})
	for range 8 {
		if got, err := a.Try("POST", "/rpc/nap", `{"seconds":0.2}`); err != nil || got.Status != 200 {
			t.Fatalf("a nap: %v %v", got, err)
		}
	}
	var naps sync.WaitGroup
	for range 2 {
		naps.Go(func() { _, _ = a.Try("POST", "/rpc/nap", `{"seconds":600}`) })
	}
	eventually(t, "two sleep", func() bool {
		return value(t, cluster, db, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "2"
	})
	if got, err := a.Try("POST", "/rpc/nap", `{"seconds":600}`); err != nil || got.Status != 504 || got.Code != "PGRST003" {
		t.Errorf("%v %v, want 504 PGRST003", got, err)
	}
	if got := a.metric("pgrst_db_pool_timeouts_total"); got != 1 {
		t.Errorf("%v timeouts, want 1", got)
	}
	cluster.Exec(t, db, "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
	naps.Wait()
}
