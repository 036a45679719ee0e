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

// Answer is what there is to count of one request.
type Answer struct {
	// Shard is any number, the same for those that come one after the other:
	// requests with different ones do not wait for each other's counting.
	Shard int

	Route  *Route
	Method []byte
	Status int

	Total        time.Duration
	UsedDatabase bool
	Database     time.Duration
	Waited       time.Duration // for a connection

	Plan             Lookup
	StatementsReused int // that the connection had prepared
	StatementsParsed int // that it had not

	Bytes    int64 // of the body
	Streamed bool  // and was sent in pieces
}

// Lookup is how a look into a cache ended.
type Lookup uint8

const (
	NoLookup Lookup = iota
	Hit
	Miss
)

// Answered counts a request. It neither locks nor allocates, except for the
// first of its kind. Statuses out of range are not counted.
func (m *Metrics) Answered(a *Answer) {
	class := a.Status / 100
	if class < 1 || class >= len(classes) {
		return
	}
	a.Route.series(methodIndex(a.Method), class).observe(a.Shard, a.Total)
	c := &m.counters[a.Shard&(len(m.counters)-1)]
	if a.UsedDatabase {
		m.database.observe(a.Shard, a.Database)
		m.wait.observe(a.Shard, a.Waited)
		add(&c.statementHits, a.StatementsReused)
		add(&c.statementMisses, a.StatementsParsed)
	}
	switch a.Plan {
	case Hit:
		c.planHits.Add(1)
	case Miss:
		c.planMisses.Add(1)
	}
	if a.Bytes > 0 {
		c.bytes.Add(uint64(a.Bytes))
		if a.Streamed {
			c.streamed.Add(uint64(a.Bytes))
		}
	}
}

func add(to *atomic.Uint64, n int) {
	if n > 0 {
		to.Add(uint64(n))
	}
}

// counters are the counters of one shard.
type counters struct {
	planHits, planMisses           atomic.Uint64
	statementHits, statementMisses atomic.Uint64
	bytes, streamed                atomic.Uint64
	_                              [16]byte
}

// Counters are the sums of all shards.
type Counters struct {
	PlanHits, PlanMisses           uint64
	StatementHits, StatementMisses uint64
	Bytes, SpooledBytes            uint64
}

// Counters adds the shards up.
func (m *Metrics) Counters() (sum Counters) {
	for i := range m.counters {
		c := &m.counters[i]
		sum.PlanHits += c.planHits.Load()
		sum.PlanMisses += c.planMisses.Load()
		sum.StatementHits += c.statementHits.Load()
		sum.StatementMisses += c.statementMisses.Load()
		sum.Bytes += c.bytes.Load()
		sum.SpooledBytes += c.streamed.Load()
	}
	return sum
}

// methods are the values of the label; all others share the last.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}

func methodIndex(method []byte) int {
	for i, name := range methods[:len(methods)-1] {
		if string(method) == name {
			return i
		}
	}
	return len(methods) - 1
}

// classes are the values of the label, by the first digit of the status.
var classes = [...]string{1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

// Route is where paths lead to. Clients choose paths, and each route takes
// memory here and in whatever stores the figures; so routes are what the
// database has, and no more than maxRoutes.
type Route struct {
	name   string
	shards int
	made   [len(methods)][len(classes)]atomic.Pointer[histogram]
}

const maxRoutes = 1000

// Name is the value of the label: "/film", "/rpc/greet", "/", or a word for
// what has none of its own.
func (r *Route) Name() string { return r.name }

// series returns the durations of a kind of answers, newly made if they are
// the first.
func (r *Route) series(method, class int) histogram {
	p := &r.made[method][class]
	h := p.Load()
	if h == nil {
		made := newHistogram(r.shards)
		if p.CompareAndSwap(nil, &made) {
			return made
		}
		h = p.Load()
	}
	return *h
}

// Routes are routes by the name of what they lead to.
type Routes struct {
	prefix string
	shards int
	limit  *atomic.Int32 // how many more there may be, of all kinds
	other  *Route        // for those beyond

	known atomic.Pointer[map[string]*Route]
	mu    sync.Mutex // of those who add
}

func newRoutes(prefix string, shards int, limit *atomic.Int32, other *Route) *Routes {
	r := &Routes{prefix: prefix, shards: shards, limit: limit, other: other}
	r.known.Store(&map[string]*Route{})
	return r
}

// Find returns the route to name, nil if there is none yet.
func (r *Routes) Find(name []byte) *Route { return (*r.known.Load())[string(name)] }

// Add makes the route to name, which must be the name of something that
// exists. When there are enough it returns one that all others share.
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
	route := &Route{name: r.prefix + string(name), shards: r.shards}
	next := maps.Clone(known)
	next[string(name)] = route
	r.known.Store(&next)
	return route
}

// RouteFigures are the figures of one route.
type RouteFigures struct {
	Route    string
	Requests uint64
	Errors   uint64 // with a 5xx
	Duration Histogram
}

// Requests are the figures of all routes that were used, the busiest first,
// their sum, and the number of answers by class of status.
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

// Database is how long requests were in the database, and Wait how long they
// waited to get there.
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
}
