package server

import (
	"runtime"
	"runtime/metrics"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/admin"
	"github.com/fastgrest/fastgrest/server/life"
	figures "github.com/fastgrest/fastgrest/server/metrics"
)

// Status gathers what the admin page shows. It asks only this process, so that
// the page works while the database is away.
func (a adminView) Status(after int64) *admin.Status {
	s := a.Server
	snap := s.snapshot.Load()
	routes, _, _ := s.metrics.Requests()
	counters, loads, pool, tokens := s.metrics.Counters(), s.metrics.Loads(), s.poolFigures(), s.tokenFigures()
	status := &admin.Status{
		Moment:  a.moment(),
		Version: s.options.Version,
		Started: s.started.UnixMilli(),
		Live:    a.Live(),
		Ready:   a.connected(),
		Schemas: snap.served(),
		Load:    admin.Load{Succeeded: loads.Succeeded, Failed: loads.Failed, At: loads.At, Seconds: loads.Took.Seconds()},
		Pool: admin.Pool{
			Max: pool.Max, InUse: pool.InUse, Idle: pool.Available, Connecting: pool.Connecting,
			Waiting: pool.Waiting, Timeouts: pool.Timeouts, Opened: pool.Opened, Refused: pool.Refused,
		},
		Caches: []admin.Cache{
			{Name: "Plans", Hits: counters.PlanHits, Misses: counters.PlanMisses},
			{Name: "Prepared statements", Hits: counters.StatementHits, Misses: counters.StatementMisses},
			{Name: "Verified tokens", Hits: tokens.Hits, Misses: tokens.Requests - tokens.Hits},
		},
		Plans:    s.planCount(),
		KeySets:  []admin.KeySet{},
		Nodes:    []admin.Node{},
		Bounds:   figures.Bounds(),
		Routes:   []admin.Route{},
		Bytes:    counters.Bytes,
		Streamed: counters.SpooledBytes,
		Heap:     heapBytes(),

		Goroutines: runtime.NumGoroutine(),
	}
	status.History, status.Use = a.history.Since(after)
	if s.nodes != nil {
		for _, n := range s.nodes.Figures() {
			shown := admin.Node{Name: n.Name, Serves: n.Serves, Why: n.Why, Lag: -1, InFlight: n.InFlight, Requests: n.Requests, Retried: n.Retried}
			if n.HasLag {
				shown.Lag = n.Lag.Seconds()
			}
			status.Nodes = append(status.Nodes, shown)
		}
	}
	for _, k := range s.keySetFigures() {
		shown := admin.KeySet{From: k.From, Keys: k.Keys, Age: -1, Fetched: k.Fetched, Failed: k.Failed, Problem: k.Problem}
		if k.HasAge {
			shown.Age = k.Age.Seconds()
		}
		status.KeySets = append(status.KeySets, shown)
	}
	for _, r := range routes[:min(len(routes), admin.MaxRoutes)] {
		status.Routes = append(status.Routes, admin.Route{Route: r.Route, Requests: r.Requests, Errors: r.Errors, Duration: pageHistogram(&r.Duration)})
	}
	if snap.planner != nil {
		cat := snap.planner.Catalog()
		status.Postgres = "PostgreSQL " + cat.Version.Name
		status.Relationships = len(cat.Relationships)
	}
	return status
}

// connected is Ready without asking the database.
func (a adminView) connected() bool {
	if !a.life.Loaded() || a.life.Pause() > 0 {
		return false
	}
	listens := a.config().DBChannelEnabled && a.listener.State() != life.ListenerImpossible
	return !listens || a.listener.State() == life.ListenerOn
}

func pageHistogram(h *figures.Histogram) admin.Histogram {
	return admin.Histogram{Counts: h.Counts[:], Sum: h.Sum.Seconds()}
}

// heapBytes is the memory of live objects and those not yet collected. Unlike
// runtime.ReadMemStats it does not stop the world.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// servedBy counts what is exposed, schema by schema.
func servedBy(cat *catalog.Catalog) []admin.Schema {
	list := []admin.Schema{}
	if cat == nil {
		return list
	}
	for _, name := range cat.Schemas {
		schema := admin.Schema{Name: name}
		for qi, table := range cat.Tables {
			switch {
			case qi.Schema != name:
			case table.IsView:
				schema.Views++
			default:
				schema.Tables++
			}
		}
		for qi := range cat.Routines {
			if qi.Schema == name {
				schema.Functions++
			}
		}
		list = append(list, schema)
	}
	return list
}
