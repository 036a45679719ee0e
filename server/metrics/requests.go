package metrics

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Response has the figures of one response.
type Response struct {
	// Shard chooses the counters. Goroutines that use different shards do not
	// contend. Any number is valid.
	Shard int

	Route  *Route
	Method []byte
	Status int

	Total        time.Duration
	UsedDatabase bool
	Database     time.Duration
	Waited       time.Duration // for a connection

	Plan             Lookup
	StatementsReused int // already prepared on the connection
	StatementsParsed int // prepared for this request

	Bytes int64 // of the body, unless CountLate counts them
}

// Lookup is the result of a cache lookup.
type Lookup uint8

const (
	NoLookup Lookup = iota
	Hit
	Miss
)

// Count counts a response. It takes no lock and allocates only for the first
// response of its method and class. It ignores a status outside of 100 to 599.
func (m *Metrics) Count(r *Response) {
	class := r.Status / 100
	if class < 1 || class >= len(classes) {
		return
	}
	r.Route.series(methodIndex(r.Method), class).observe(r.Shard, r.Total)
	c := &m.counters[r.Shard&(shards-1)]
	if r.UsedDatabase {
		m.database.observe(r.Shard, r.Database)
		m.wait.observe(r.Shard, r.Waited)
		add(&c.statementHits, r.StatementsReused)
		add(&c.statementMisses, r.StatementsParsed)
	}
	switch r.Plan {
	case Hit:
		c.planHits.Add(1)
	case Miss:
		c.planMisses.Add(1)
	}
	if r.Bytes > 0 {
		c.bytes.Add(uint64(r.Bytes))
	}
}

// CountLate counts the bytes of a response that were sent after Count. spooled: they came
// from the spool. truncated: they are not all bytes of the response.
func (m *Metrics) CountLate(shard int, sent int64, spooled, truncated bool) {
	c := &m.counters[shard&(shards-1)]
	c.bytes.Add(uint64(sent))
	if spooled {
		c.spooled.Add(uint64(sent))
	}
	if truncated {
		c.truncated.Add(1)
	}
}

func add(to *atomic.Uint64, n int) {
	if n > 0 {
		to.Add(uint64(n))
	}
}

// counters are the counters of one shard. Their size is a multiple of a cache
// line.
type counters struct {
	planHits, planMisses           atomic.Uint64
	statementHits, statementMisses atomic.Uint64
	bytes, spooled, truncated      atomic.Uint64
	_                              [8]byte
}

// Counters are the sums over all shards.
type Counters struct {
	PlanHits, PlanMisses           uint64
	StatementHits, StatementMisses uint64
	Bytes, SpooledBytes, Truncated uint64
}

// Counters returns the sums over all shards.
func (m *Metrics) Counters() (sum Counters) {
	for i := range m.counters {
		c := &m.counters[i]
		sum.PlanHits += c.planHits.Load()
		sum.PlanMisses += c.planMisses.Load()
		sum.StatementHits += c.statementHits.Load()
		sum.StatementMisses += c.statementMisses.Load()
		sum.Bytes += c.bytes.Load()
		sum.SpooledBytes += c.spooled.Load()
		sum.Truncated += c.truncated.Load()
	}
	return sum
}

// methods are the label values. All other methods count as the last.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "other"}

func methodIndex(method []byte) int {
	for i, name := range methods[:len(methods)-1] {
		if string(method) == name {
			return i
		}
	}
	return len(methods) - 1
}

// classes are the label values, by the first digit of the status.
var classes = [...]string{1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

// Route counts the requests for one database object. Clients choose paths, and
// each route takes memory here and in Prometheus. So routes exist only for
// objects of the database, and their number is limited to maxRoutes.
type Route struct {
	name string
	made [len(methods)][len(classes)]atomic.Pointer[histogram]
}

const maxRoutes = 1000

// Name returns the label value: "/film", "/rpc/greet", "/", or "unknown" or
// "other".
func (r *Route) Name() string { return r.name }

// series returns the histogram of one method and class of status. It creates
// the histogram on the first call.
func (r *Route) series(method, class int) histogram {
	p := &r.made[method][class]
	h := p.Load()
	if h == nil {
		made := newHistogram()
		if p.CompareAndSwap(nil, &made) {
			return made
		}
		h = p.Load()
	}
	return *h
}

// Routes holds the routes of one kind of object by name. It is safe for
// concurrent use.
type Routes struct {
	prefix string
	limit  *atomic.Int32 // how many routes may be added, shared by all kinds
	other  *Route        // the route of objects beyond the limit

	known atomic.Pointer[map[string]*Route]
	mu    sync.Mutex // held by Add
}

func newRoutes(prefix string, limit *atomic.Int32, other *Route) *Routes {
	r := &Routes{prefix: prefix, limit: limit, other: other}
	r.known.Store(&map[string]*Route{})
	return r
}

// Find returns the route of an object, or nil if there is no such route yet.
func (r *Routes) Find(name []byte) *Route { return (*r.known.Load())[string(name)] }

// Add returns the route of an object, which must exist in the database. It
// creates the route on the first call. Above the limit it returns the shared
// route "other".
func (r *Routes) Add(name []byte) *Route {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := *r.known.Load()
	if route := known[string(name)]; route != nil {
		return route
	}
	if r.limit.Add(-1) < 0 {
		r.limit.Store(0)
		return r.other
	}
	route := &Route{name: r.prefix + string(name)}
	next := maps.Clone(known)
	next[string(name)] = route
	r.known.Store(&next)
	return route
}

// RouteFigures are the figures of one route.
type RouteFigures struct {
	Route    string
	Requests uint64
	Errors   uint64 // responses with a 5xx status
	Duration Histogram
}

// Requests returns the figures of all used routes, the busiest first, their
// sum, and the number of responses by class of status.
func (m *Metrics) Requests() (routes []RouteFigures, all Histogram, byClass map[string]uint64) {
	byClass = map[string]uint64{}
	for _, class := range classes[1:] {
		byClass[class] = 0
	}
	for _, r := range m.allRoutes() {
		f := RouteFigures{Route: r.name}
		r.each(func(_, class int, h *Histogram) {
			n := h.Count()
			f.Requests += n
			if class == 5 {
				f.Errors += n
			}
			byClass[classes[class]] += n
			f.Duration.add(h)
		})
		if f.Requests > 0 {
			routes = append(routes, f)
			all.add(&f.Duration)
		}
	}
	slices.SortStableFunc(routes, func(a, b RouteFigures) int { return cmp.Compare(b.Requests, a.Requests) })
	return routes, all, byClass
}

// Database returns the times that requests spent in the database. Wait returns
// the times that they waited for a connection.
func (m *Metrics) Database() Histogram { return m.database.load() }
func (m *Metrics) Wait() Histogram     { return m.wait.load() }

func (r *Route) each(f func(method, class int, h *Histogram)) {
	for method := range r.made {
		for class := range r.made[method] {
			if p := r.made[method][class].Load(); p != nil {
				h := p.load()
				f(method, class, &h)
			}
		}
	}
}

func (m *Metrics) allRoutes() []*Route {
	list := []*Route{m.Root, m.Unknown, m.other}
	for _, routes := range []*Routes{m.Relations, m.Routines} {
		for _, r := range *routes.known.Load() {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *Route) int { return cmp.Compare(a.name, b.name) })
	return list
}

func (m *Metrics) collectRequests(ch chan<- prometheus.Metric) {
	var byClass [len(classes)]uint64
	for _, r := range m.allRoutes() {
		r.each(func(method, class int, h *Histogram) {
			byClass[class] += h.Count()
			h.collect(ch, durations, methods[method], r.name, classes[class])
		})
	}
	for class, n := range byClass {
		if class > 0 {
			requests.send(ch, float64(n), classes[class])
		}
	}
	database, wait := m.database.load(), m.wait.load()
	database.collect(ch, databaseTime)
	wait.collect(ch, poolWait)
	c := m.Counters()
	planHits.send(ch, float64(c.PlanHits))
	planMisses.send(ch, float64(c.PlanMisses))
	statementHits.send(ch, float64(c.StatementHits))
	statementMisses.send(ch, float64(c.StatementMisses))
	bodyBytes.send(ch, float64(c.Bytes))
	spooledBytes.send(ch, float64(c.SpooledBytes))
	truncated.send(ch, float64(c.Truncated))
}
