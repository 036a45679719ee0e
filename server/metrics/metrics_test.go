package metrics

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func text(t *testing.T, m *Metrics) string {
	t.Helper()
	var b strings.Builder
	if err := m.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// own keeps the families other than those of the Go runtime and the process.
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
		Pool: func() Pool {
			return Pool{Available: 3, Waiting: 2, Max: 10, Timeouts: 7, InUse: 5, Connecting: 1, Opened: 30, Refused: 6, Queued: 1, Coalesced: 40, CoalescedStatements: 5}
		},
		TokenCache: func() TokenCache { return TokenCache{Requests: 20, Hits: 12, Evictions: 1} },
		Plans:      func() int { return 4 },
		Spool:      func() Spool { return Spool{Memory: 65536, Files: 1 << 30} },
		Nodes: func() []Node {
			return []Node{
				{Name: "primary", Primary: true, Serves: true, InFlight: 1, Requests: 7},
				{Name: "replica:5432", HasLag: true, Lag: 1500 * time.Millisecond, InFlight: 2, Requests: 9, Retried: 1, Refused: map[string]uint64{"lag": 3, "behind": 0}},
			}
		},
		KeySets: func() []KeySet {
			return []KeySet{{From: "https://a", Keys: 2, HasAge: true, Age: 90 * time.Second, Fetched: 4, Failed: 1}, {From: "https://b", Failed: 3}}
		},
	})
	m.SchemaCacheFailed()
	m.SchemaCacheLoaded(15 * time.Millisecond)
	m.SchemaCacheLoaded(12500 * time.Microsecond)
	film := m.Relations.Add([]byte("film"))
	for i, status := range []int{200, 201, 304, 404, 503, 99, 600, -1} {
		m.Count(&Response{Shard: i, Route: film, Method: []byte("GET"), Status: status, Total: time.Duration(i) * 10 * time.Millisecond})
	}
	m.Count(&Response{Route: m.Unknown, Method: []byte("BREW"), Status: 404, Total: time.Hour})
	m.Count(&Response{Shard: 3, Route: m.Root, Method: []byte("GET"), Status: 200, UsedDatabase: true,
		Database: 100 * time.Microsecond, Waited: 2 * time.Second, Plan: Hit, StatementsReused: 3, StatementsParsed: 1})
	m.CountLate(1, 70, true, true)
	m.Count(&Response{Route: m.Root, Method: []byte("GET"), Status: 200, Plan: Miss, Bytes: 30})
	m.Count(&Response{Route: m.Root, Method: []byte("HEAD"), Status: 200, Plan: Hit, Bytes: -1})
	golden, err := os.ReadFile("testdata/exposition.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := text(t, m)
	if d := cmp.Diff(string(golden), own(all)); d != "" {
		t.Errorf("(-testdata/exposition.txt +got)\n%s", d)
	}
	for _, name := range []string{"go_goroutines ", "go_memstats_heap_alloc_bytes ", "go_gc_duration_seconds"} {
		if !strings.Contains(all, "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
}

func TestNoSources(t *testing.T) {
	got := text(t, New(Sources{}))
	if strings.Contains(got, "pgrst_db_pool") || strings.Contains(got, "jwt") || strings.Contains(got, "plan_cache_entries") {
		t.Error("figures without a source are shown")
	}
}

// TestSeveral checks that two servers in one process share no figures.
func TestSeveral(t *testing.T) {
	a, b := New(Sources{}), New(Sources{})
	a.Count(&Response{Route: a.Root, Method: []byte("GET"), Status: 200})
	if strings.Contains(text(t, b), `fastgrest_requests_total{class="2xx"} 1`) {
		t.Error("two Metrics share their figures")
	}
}

func TestConcurrentScrapes(t *testing.T) {
	m := New(Sources{Pool: func() Pool { return Pool{} }})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				m.Count(&Response{Route: m.Routines.Add([]byte("f")), Method: []byte("GET"), Status: 200})
				m.SchemaCacheLoaded(time.Second)
				if err := m.WriteText(new(strings.Builder)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkCount(b *testing.B) {
	m := New(Sources{})
	var shard atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		a := usual(m)
		a.Shard = int(shard.Add(1))
		for pb.Next() {
			m.Count(a)
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

// usual returns a typical request.
func usual(m *Metrics) *Response {
	return &Response{Route: m.Relations.Add([]byte("film")), Method: []byte("GET"), Status: 200, Total: 300 * time.Microsecond,
		UsedDatabase: true, Database: 200 * time.Microsecond, Plan: Hit, StatementsReused: 2, Bytes: 300}
}

// TestRoutes checks that the number of routes is limited, whatever the database
// has.
func TestRoutes(t *testing.T) {
	m := New(Sources{})
	name := func(i int) []byte { return fmt.Appendf(nil, "t%d", i) }
	if m.Relations.Find(name(0)) != nil {
		t.Error("a new Metrics has routes")
	}
	first := m.Relations.Add(name(0))
	if m.Relations.Add(name(0)) != first || m.Relations.Find(name(0)) != first || first.Name() != "/t0" {
		t.Errorf("Add and Find return different routes: %s", first.Name())
	}
	if r := m.Routines.Add(name(0)); r == first || r.Name() != "/rpc/t0" {
		t.Errorf("the route of a routine is called %s", r.Name())
	}
	for i := range 2 * maxRoutes {
		m.Relations.Add(name(i))
		m.Routines.Add(name(i))
	}
	if n := len(*m.Relations.known.Load()) + len(*m.Routines.known.Load()); n != maxRoutes {
		t.Errorf("%d routes, want %d", n, maxRoutes)
	}
	other := m.Routines.Add([]byte("new"))
	if other.Name() != "other" || m.Relations.Add([]byte("new")) != other || m.Relations.Find([]byte("new")) != nil {
		t.Errorf("the route beyond the limit is %s", other.Name())
	}
	if m.Relations.Find(name(0)) != first {
		t.Error("the first route is gone")
	}
}

// TestShards checks that no count is lost when goroutines count in different
// shards.
func TestShards(t *testing.T) {
	m := New(Sources{})
	const workers, each = 8, 500
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			a := usual(m)
			a.Shard = w
			for range each {
				m.Count(a)
			}
		})
	}
	wg.Wait()
	routes, all, byClass := m.Requests()
	want := uint64(workers * each)
	if len(routes) != 1 || routes[0].Requests != want || byClass["2xx"] != want || all.Count() != want || all.Sum != workers*each*300*time.Microsecond {
		t.Errorf("%+v %+v %v", routes, all, byClass)
	}
	if c := m.Counters(); c.PlanHits != want || c.StatementHits != 2*want || c.Bytes != 300*want {
		t.Errorf("%+v", c)
	}
}

func TestBuckets(t *testing.T) {
	h := newHistogram()
	for _, d := range []time.Duration{-1, 0, 100 * time.Microsecond, 100*time.Microsecond + 1, 10 * time.Second, 10*time.Second + 1, time.Hour} {
		h.observe(5, d)
	}
	got := h.load()
	if got.Counts[0] != 3 || got.Counts[1] != 1 || got.Counts[Buckets-2] != 1 || got.Counts[Buckets-1] != 2 {
		t.Errorf("%v", got.Counts)
	}
	if size := unsafe.Sizeof(cell{}); size%64 != 0 {
		t.Errorf("a cell has %d bytes: two of them share a cache line", size)
	}
	if size := unsafe.Sizeof(counters{}); size%64 != 0 {
		t.Errorf("counters have %d bytes: two of them share a cache line", size)
	}
}
