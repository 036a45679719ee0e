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
	PlanCache  func() PlanCache
}

// Pool is the state of the connection pool.
type Pool struct {
	Available int    // connected and not in use
	Waiting   int    // requests that wait for a connection
	Max       int    // connections there may be
	Timeouts  uint64 // waits that were given up, ever
}

// TokenCache counts the lookups of verified tokens.
type TokenCache struct{ Requests, Hits, Evictions uint64 }

// PlanCache counts the lookups of plans; Entries are of the snapshot in force.
type PlanCache struct {
	Hits, Misses uint64
	Entries      int
}

// Metrics is safe for use by many goroutines.
type Metrics struct {
	registry  *prometheus.Registry
	loads     *prometheus.CounterVec
	queryTime prometheus.Gauge
	requests  [len(classes)]paddedCounter
}

// paddedCounter has a cache line to itself: every request adds to one.
type paddedCounter struct {
	n atomic.Uint64
	_ [56]byte
}

// classes are the values of the label of fastgrest_requests_total, by the
// first digit of the status.
var classes = [...]string{1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

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
	m.registry.MustRegister(
		m.loads,
		m.queryTime,
		&figures{sources: s, metrics: m},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Request counts an answer. Statuses out of range are not counted.
func (m *Metrics) Request(status int) {
	if class := status / 100; class >= 1 && class < len(classes) {
		m.requests[class].n.Add(1)
	}
}

// SchemaCacheLoaded counts a successful load and keeps how long its queries took.
func (m *Metrics) SchemaCacheLoaded(queryTime time.Duration) {
	m.loads.WithLabelValues("SUCCESS").Inc()
	m.queryTime.Set(queryTime.Seconds())
}

// SchemaCacheFailed counts a load that failed.
func (m *Metrics) SchemaCacheFailed() { m.loads.WithLabelValues("FAIL").Inc() }

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
