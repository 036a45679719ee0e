package clustertest_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var (
	big      = flag.Int("big", 0, "tables, views and functions of the schema that TestBigSchema measures reloads of, each table with five foreign keys; 10000 takes minutes to create")
	bigDBURI = flag.String("big-db", "", "connection string of a database that has that schema already, called big")
)

// bigSchema makes n tables with five foreign keys each, n views and n
// functions. It calls each for 200 of them at a time, because a transaction
// holds a lock for every object.
func bigSchema(n int, each func(sql string)) {
	var b strings.Builder
	b.WriteString("create schema big;\n")
	for i := range n {
		fmt.Fprintf(&b, "create table big.t%d (id int primary key, name text not null default 'x', qty numeric(10,2), at timestamptz default now(), doc jsonb", i)
		for k := range 5 {
			fmt.Fprintf(&b, ", r%d int", k)
			if i > 0 {
				fmt.Fprintf(&b, " references big.t%d (id)", (i*7919+k*104729)%i)
			}
		}
		b.WriteString(");\n")
		fmt.Fprintf(&b, "create function big.f%d(a int, b text default 'x') returns int stable language sql as 'select a';\n", i)
		fmt.Fprintf(&b, "create view big.v%d as select id, r0, r1 as other, upper(name) as x from big.t%d;\n", i, i)
		if i%200 == 199 || i == n-1 {
			each(b.String())
			b.Reset()
		}
	}
}

// TestBigSchema measures how long a big schema takes to load, how much memory
// it takes, and how long requests take before, during and after reloads. It
// asserts only that all requests succeed; the times are logged.
//
//	go test ./server/clustertest -run BigSchema -v -big 10000
func TestBigSchema(t *testing.T) {
	n := max(*big, 50)
	uri := *bigDBURI
	if uri == "" {
		cluster := pgtest.StartOwn(t, "max_locks_per_transaction = 512", "shared_buffers = 256MB")
		db := newDB(t, cluster)
		bigSchema(n, func(sql string) { cluster.Exec(t, db, sql) })
		cluster.Exec(t, db, "grant usage on schema big to test_anon; grant select on all tables in schema big to test_anon")
		cluster.Exec(t, db, "vacuum analyze")
		uri = cluster.URI(db, pgtest.Login)
	}
	before := heap()
	a := launch(t, map[string]string{"db-uri": uri, "db-schemas": "big", "db-pool": "4", "db-channel-enabled": "false"})
	a.awaitStatus("/t7?limit=1", 200)
	t.Logf("loading: %.2f s; memory: %d MiB", a.metric("pgrst_schema_cache_query_time_seconds"), (heap()-before)>>20)

	// These requests read all names: the search for a similar name, whose index
	// is built once, and the document.
	for _, target := range []string{"/nothing?select=nowhere(*)", "/nothing", "/"} {
		began := time.Now()
		got := a.get(target)
		t.Logf("%s: %d, %d bytes in %v", target, got.Status, len(got.Body), time.Since(began).Round(100*time.Microsecond))
		if want := map[bool]string{true: "", false: "PGRST205"}[target == "/"]; got.Code != want || want == "" && got.Status != 200 {
			t.Errorf("%s: %d %s", target, got.Status, got.Code)
		}
	}
	var mu sync.Mutex
	var times []time.Duration
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				target := fmt.Sprintf("/t%d?select=id,name&id=eq.%d", (client*31+i)%50, i)
				began := time.Now()
				got, err := a.Try("GET", target, "")
				took := time.Since(began)
				if err != nil || got.Status != 200 || got.Body != "[]" {
					t.Errorf("%s: %v %v", target, got, err)
					return
				}
				mu.Lock()
				times = append(times, took)
				mu.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	report := func(when string) {
		mu.Lock()
		all := times
		times = nil
		mu.Unlock()
		if len(all) == 0 {
			t.Errorf("%s: no request was answered", when)
			return
		}
		slices.Sort(all)
		at := func(share float64) time.Duration {
			return all[int(share*float64(len(all)-1))].Round(10 * time.Microsecond)
		}
		t.Logf("%s: %d requests, median %v, 99 %% %v, 99.9 %% %v, slowest %v", when, len(all), at(.5), at(.99), at(.999), at(1))
	}
	pause := 300 * time.Millisecond
	if *big > 0 {
		pause = 5 * time.Second
	}
	wait := func() {
		time.Sleep(pause)
		eventually(t, "requests succeed", func() bool { mu.Lock(); defer mu.Unlock(); return len(times) > 0 || t.Failed() })
	}
	wait()
	report("before")
	for range 3 {
		had := a.loads()
		signal(t, syscall.SIGUSR1)
		eventually(t, "a reload", func() bool { return a.loads() > had })
	}
	report("during three reloads")
	wait()
	report("after")
	close(stop)
	clients.Wait()
	t.Logf("memory afterwards: %d MiB; the last load: %.2f s", (heap()-before)>>20, a.metric("pgrst_schema_cache_query_time_seconds"))
}

// heap returns the heap in use after a garbage collection.
func heap() uint64 {
	var m runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
