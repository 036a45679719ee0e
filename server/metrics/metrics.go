package metrics

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// Sources are asked at every scrape, from any goroutine. What is nil is not shown.
type Sources struct {
	Pool       func() Pool
	TokenCache func() TokenCache
	Plans      func() int // in the plan cache of the snapshot in force
	Spool      func() Spool
	Bodies     func() int64 // bytes that large request bodies take
}

// Pool is the state of the connection pool.
type Pool struct {
	Available int    // connected and not in use
	Waiting   int    // requests that wait for a connection
	Max       int    // connections there may be
	Timeouts  uint64 // waits that were given up, ever

	InUse      int
	Connecting int
	Queued     int    // of Waiting those that are slow, for their like
	Opened     uint64 // ever
	Refused    uint64 // ever
}

// Spool is what is kept of large answers, in bytes.
type Spool struct{ Memory, Files int64 }

// TokenCache counts the lookups of verified tokens.
type TokenCache struct{ Requests, Hits, Evictions uint64 }

// Metrics is safe for use by many goroutines.
type Metrics struct {
	registry  *prometheus.Registry
	loads     *prometheus.CounterVec
	queryTime prometheus.Gauge

	loaded, failed   atomic.Uint64
	lastAt, lastTook atomic.Int64

	Root      *Route // to /
	Unknown   *Route // for what leads nowhere
	Relations *Routes
	Routines  *Routes
	other     *Route // for what exists, when there are enough routes

	counters       []counters // by shard
	database, wait histogram
}

// New builds the registry.
func New(s Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pgrst_schema_cache_loads_total",
			Help: "The total number of times the schema cache was loaded",
		}, []string{"status"}),
		queryTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "pgrst_schema_cache_query_time_seconds",
			Help: "The query time in seconds of the last schema cache load",
		}),
	}
	n := shards()
	m.counters, m.database, m.wait = make([]counters, n), newHistogram(n), newHistogram(n)
	limit := new(atomic.Int32)
	limit.Store(maxRoutes)
	m.Root, m.Unknown, m.other = &Route{name: "/", shards: n}, &Route{name: "unknown", shards: n}, &Route{name: "other", shards: n}
	m.Relations = newRoutes("/", n, limit, m.other)
	m.Routines = newRoutes("/rpc/", n, limit, m.other)
	m.registry.MustRegister(
		m.loads,
		m.queryTime,
		&figures{sources: s, metrics: m},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// SchemaCacheLoaded counts a successful load and keeps how long its queries took.
func (m *Metrics) SchemaCacheLoaded(queryTime time.Duration) {
	m.loads.WithLabelValues("SUCCESS").Inc()
	m.queryTime.Set(queryTime.Seconds())
	m.loaded.Add(1)
	m.lastTook.Store(int64(queryTime))
	m.lastAt.Store(time.Now().UnixMilli())
}

// SchemaCacheFailed counts a load that failed.
func (m *Metrics) SchemaCacheFailed() {
	m.loads.WithLabelValues("FAIL").Inc()
	m.failed.Add(1)
}

// Loads are the loads of the schema cache so far.
type Loads struct {
	Succeeded, Failed uint64
	At                int64 // of the last that succeeded, in ms since 1970; 0: none
	Took              time.Duration
}

// Loads says what SchemaCacheLoaded and SchemaCacheFailed were told.
func (m *Metrics) Loads() Loads {
	return Loads{m.loaded.Load(), m.failed.Load(), m.lastAt.Load(), time.Duration(m.lastTook.Load())}
}

// WriteText writes all figures in Prometheus' text format.
func (m *Metrics) WriteText(w io.Writer) error {
	families, err := m.registry.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return err
		}
	}
	return nil
}
