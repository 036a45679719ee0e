package metrics

import (
	"strings"
	"sync"
	"testing"
	"time"
)

func text(t *testing.T, m *Metrics) string {
	t.Helper()
	var b strings.Builder
	if err := m.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// own keeps the families that are not the Go runtime's or the process's.
func own(all string) string {
	var b strings.Builder
	for line := range strings.Lines(all) {
		if strings.Contains(line, "pgrst_") || strings.Contains(line, "fastgrest_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestText(t *testing.T) {
	m := New(Sources{
		Pool:       func() Pool { return Pool{Available: 3, Waiting: 2, Max: 10, Timeouts: 7} },
		TokenCache: func() TokenCache { return TokenCache{Requests: 20, Hits: 12, Evictions: 1} },
		PlanCache:  func() PlanCache { return PlanCache{Hits: 100, Misses: 5, Entries: 4} },
	})
	m.SchemaCacheFailed()
	m.SchemaCacheLoaded(15 * time.Millisecond)
	m.SchemaCacheLoaded(12500 * time.Microsecond)
	for _, status := range []int{200, 201, 304, 404, 503, 99, 600, -1} {
		m.Request(status)
	}
	const want = `# HELP fastgrest_plan_cache_entries Plans in the plan cache
# TYPE fastgrest_plan_cache_entries gauge
fastgrest_plan_cache_entries 4
# HELP fastgrest_plan_cache_hits_total The total number of requests whose plan was found in the plan cache
# TYPE fastgrest_plan_cache_hits_total counter
fastgrest_plan_cache_hits_total 100
# HELP fastgrest_plan_cache_misses_total The total number of requests whose plan had to be built
# TYPE fastgrest_plan_cache_misses_total counter
fastgrest_plan_cache_misses_total 5
# HELP fastgrest_requests_total The total number of answered requests by class of status
# TYPE fastgrest_requests_total counter
fastgrest_requests_total{class="1xx"} 0
fastgrest_requests_total{class="2xx"} 2
fastgrest_requests_total{class="3xx"} 1
fastgrest_requests_total{class="4xx"} 1
fastgrest_requests_total{class="5xx"} 1
# HELP pgrst_db_pool_available Available connections in the pool
# TYPE pgrst_db_pool_available gauge
pgrst_db_pool_available 3
# HELP pgrst_db_pool_max Max pool connections
# TYPE pgrst_db_pool_max gauge
pgrst_db_pool_max 10
# HELP pgrst_db_pool_timeouts_total The total number of pool connection timeouts
# TYPE pgrst_db_pool_timeouts_total counter
pgrst_db_pool_timeouts_total 7
# HELP pgrst_db_pool_waiting Requests waiting to acquire a pool connection
# TYPE pgrst_db_pool_waiting gauge
pgrst_db_pool_waiting 2
# HELP pgrst_jwt_cache_evictions_total The total number of JWT cache evictions
# TYPE pgrst_jwt_cache_evictions_total counter
pgrst_jwt_cache_evictions_total 1
# HELP pgrst_jwt_cache_hits_total The total number of JWT cache hits
# TYPE pgrst_jwt_cache_hits_total counter
pgrst_jwt_cache_hits_total 12
# HELP pgrst_jwt_cache_requests_total The total number of JWT cache lookups
# TYPE pgrst_jwt_cache_requests_total counter
pgrst_jwt_cache_requests_total 20
# HELP pgrst_schema_cache_loads_total The total number of times the schema cache was loaded
# TYPE pgrst_schema_cache_loads_total counter
pgrst_schema_cache_loads_total{status="FAIL"} 1
pgrst_schema_cache_loads_total{status="SUCCESS"} 2
# HELP pgrst_schema_cache_query_time_seconds The query time in seconds of the last schema cache load
# TYPE pgrst_schema_cache_query_time_seconds gauge
pgrst_schema_cache_query_time_seconds 0.0125
`
	all := text(t, m)
	if got := own(all); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, name := range []string{"go_goroutines ", "go_memstats_heap_alloc_bytes ", "go_gc_duration_seconds"} {
		if !strings.Contains(all, "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
}

func TestNoSources(t *testing.T) {
	got := text(t, New(Sources{}))
	if strings.Contains(got, "pool") || strings.Contains(got, "jwt") || strings.Contains(got, "plan") {
		t.Error("figures without a source are shown")
	}
}

// TestSeveral: two servers in one process, as tests start them.
func TestSeveral(t *testing.T) {
	a, b := New(Sources{}), New(Sources{})
	a.Request(200)
	if strings.Contains(text(t, b), `fastgrest_requests_total{class="2xx"} 1`) {
		t.Error("figures are shared")
	}
}

func TestConcurrentScrapes(t *testing.T) {
	m := New(Sources{Pool: func() Pool { return Pool{} }})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				m.Request(200)
				m.SchemaCacheLoaded(time.Second)
				if err := m.WriteText(new(strings.Builder)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkRequest(b *testing.B) {
	m := New(Sources{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Request(200)
		}
	})
}

func BenchmarkWriteText(b *testing.B) {
	m := New(Sources{Pool: func() Pool { return Pool{} }})
	b.ReportAllocs()
	for b.Loop() {
		_ = m.WriteText(new(strings.Builder))
	}
}
