package metrics

import (
	"bytes"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// Sources are called at each scrape, from any goroutine. The figures of a nil
// source are left out.
type Sources struct {
	Pool       func() Pool
	TokenCache func() TokenCache
	Plans      func() int // entries of the current plan cache
	Spool      func() Spool
	Bodies     func() int64 // memory of large request bodies, in bytes
	KeySets    func() []KeySet
	Nodes      func() []Node // none without read replicas
}

// Pool is the state of the connection pool.
type Pool struct {
	Available int    // connected and not in use
	Waiting   int    // requests that wait for a connection
	Max       int    // connection limit
	Timeouts  uint64 // waits that timed out, since the start

	InUse      int
	Connecting int
	Queued     int    // requests of Waiting that are slow and wait for the limit of slow requests
	Opened     uint64 // since the start
	Refused    uint64 // since the start

	Coalesced           uint64 // requests that ran in one statement with others, since the start
	CoalescedStatements uint64 // those statements, since the start
}

// Spool is the size of the response bodies that package spool keeps, in bytes.
type Spool struct{ Memory, Files int64 }

// TokenCache counts the lookups in the cache of verified tokens.
type TokenCache struct{ Requests, Hits, Evictions uint64 }

// KeySet is a set of keys that is fetched by URL.
type KeySet struct {
	From            string // the URL, or the issuer whose configuration has the URL
	Keys            int
	HasAge          bool // the set was fetched at least once
	Age             time.Duration
	Fetched, Failed uint64
	Problem         string // why the last fetch failed; "" if it succeeded
}

// Node is a database that serves requests, where there are read replicas.
type Node struct {
	Name     string
	Primary  bool
	Serves   bool
	HasLag   bool
	Lag      time.Duration
	InFlight int64
	Requests uint64
	Retried  uint64            // reads that failed there and ran elsewhere
	Refused  map[string]uint64 // reads that it could not serve, by reason
}

// Metrics is safe for use by many goroutines.
type Metrics struct {
	registry *prometheus.Registry

	loaded, failed   atomic.Uint64
	lastAt, lastTook atomic.Int64

	Root      *Route // path /
	Unknown   *Route // paths that lead nowhere
	Relations *Routes
	Routines  *Routes
	other     *Route // objects beyond maxRoutes

	counters       []counters // by shard
	database, wait histogram
}

// New returns a Metrics with its own registry.
func New(s Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		Root:     &Route{name: "/"},
		Unknown:  &Route{name: "unknown"},
		other:    &Route{name: "other"},
		counters: make([]counters, shards),
		database: newHistogram(),
		wait:     newHistogram(),
	}
	limit := new(atomic.Int32)
	limit.Store(maxRoutes)
	m.Relations = newRoutes("/", limit, m.other)
	m.Routines = newRoutes("/rpc/", limit, m.other)
	m.registry.MustRegister(
		&figures{sources: s, metrics: m},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// SchemaCacheLoaded counts a successful load and keeps the time of its queries.
func (m *Metrics) SchemaCacheLoaded(queryTime time.Duration) {
	m.loaded.Add(1)
	m.lastTook.Store(int64(queryTime))
	m.lastAt.Store(time.Now().UnixMilli())
}

// SchemaCacheFailed counts a load that failed.
func (m *Metrics) SchemaCacheFailed() { m.failed.Add(1) }

// Loads counts the loads of the schema cache.
type Loads struct {
	Succeeded, Failed uint64
	At                int64 // time of the last successful load, in ms since 1970; 0 before the first
	Took              time.Duration
}

// Loads returns the loads so far.
func (m *Metrics) Loads() Loads {
	return Loads{m.loaded.Load(), m.failed.Load(), m.lastAt.Load(), time.Duration(m.lastTook.Load())}
}

// WriteText writes all metrics in Prometheus' text format. PostgREST's metrics have a
// fraction, as it writes them; the available connections have none.
func (m *Metrics) WriteText(w io.Writer) error {
	families, err := m.registry.Gather()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, f := range families {
		text.Reset()
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			return err
		}
		lines := text.Bytes()
		if name := f.GetName(); strings.HasPrefix(name, "pgrst_") && name != "pgrst_db_pool_available" {
			lines = withFractions(lines)
		}
		if _, err := w.Write(lines); err != nil {
			return err
		}
	}
	return nil
}

// withFractions returns the lines of a family with another notation of the values.
func withFractions(lines []byte) (out []byte) {
	for line := range bytes.Lines(lines) {
		if line[0] == '#' {
			out = append(out, line...)
			continue
		}
		value := bytes.LastIndexByte(line, ' ') + 1
		number := jsontext.ParseDecimal(string(bytes.TrimSpace(line[value:])))
		out = append(number.AppendFraction(append(out, line[:value]...)), '\n')
	}
	return out
}
