package planner

import (
	"sync"
	"sync/atomic"
)

// cache keeps plans by key. A hit reads an immutable map behind an atomic
// pointer and takes no lock. New plans go into a second map, behind a lock.
// After a number of lookups in the second map, both maps are merged into a new
// immutable one. That number grows with the map, so that the cost of the copy
// per lookup stays small.
//
// Clients choose the shapes, so the number and the weight of plans are bounded.
// A merge that would exceed a bound drops plans. It keeps first the plans used
// since plans were last dropped, then those used at any time after they were
// made, then the new ones. So a flood of shapes that are used once displaces
// only itself.
//
// Different keys may lead to equal plans: a media type has many spellings in
// Accept, and a function that takes the whole JSON payload ignores its keys.
// Such keys share one plan and its prepared statement.
type cache struct {
	read atomic.Pointer[map[string]*entry]

	mu     sync.Mutex
	fresh  map[string]*entry
	weight int              // of fresh
	plans  map[string]*Kept // plans in fresh and read, by their SQL
	missed int              // lookups since the last merge that had to read fresh
	made   int

	maxEntries int
	maxWeight  int
	newState   func(*Plan) any
}

type entry struct {
	kept   *Kept
	weight int
	used   atomic.Bool // since plans were last dropped
	proven bool        // used before some merge; guarded by cache.mu
}

// meanWeight is the mean weight of plans, in bytes, that a full cache allows.
// Typical plans weigh a quarter of it.
const meanWeight = 16 << 10

// weigh estimates the memory of a plan in bytes from its key and its SQL. The
// tree takes about as much as these.
func weigh(key []byte, p *Plan) int {
	size := len(key) + len(p.Main.SQL) + len(p.Estimate.SQL)
	for i := range p.Lead {
		size += len(p.Lead[i].SQL)
	}
	return 1024 + 2*size
}

func (c *cache) init(maxEntries int, newState func(*Plan) any) {
	c.newState = newState
	c.maxEntries, c.maxWeight = maxEntries, maxEntries*meanWeight
	c.fresh, c.plans = map[string]*entry{}, map[string]*Kept{}
	empty := map[string]*entry{}
	c.read.Store(&empty)
}

func (c *cache) get(key []byte) *Kept {
	// Fast path.
	if e := (*c.read.Load())[string(key)]; e != nil {
		e.use()
		return e.kept
	}
	return c.getSlow(key)
}

func (e *entry) use() {
	if !e.used.Load() { // avoid a write to a cache line that all cores read
		e.used.Store(true)
	}
}

func (c *cache) getSlow(key []byte) *Kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := *c.read.Load()
	e := c.fresh[string(key)]
	if e == nil {
		e = old[string(key)] // merged since the fast path
	}
	if e == nil {
		return nil
	}
	e.use()
	c.missed++
	if c.missed > len(old)/4+len(c.fresh) {
		c.merge()
	}
	return e.kept
}

// put keeps plan under key and returns the plan to use. That is another one if
// a concurrent request has kept its plan for the key, or if an equal plan is
// known by another key, which may already have prepared statements.
func (c *cache) put(key []byte, plan *Plan) *Kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	if e := c.fresh[string(key)]; e != nil {
		return e.kept
	}
	if e := (*c.read.Load())[string(key)]; e != nil {
		return e.kept
	}
	weight := weigh(key, plan)
	kept := c.plans[plan.Main.SQL]
	if kept == nil || !kept.equal(plan) {
		kept = &Kept{Plan: plan}
		if c.newState != nil {
			kept.State = c.newState(plan)
		}
	}
	if weight > c.maxWeight/2 {
		return kept // it would displace too many others, or the cache has no room at all
	}
	c.fresh[string(key)] = &entry{kept: kept, weight: weight}
	c.plans[plan.Main.SQL] = kept
	c.weight += weight
	if len(c.fresh) > c.maxEntries/4+16 || c.weight > c.maxWeight/4 {
		c.merge()
	}
	return kept
}

// merge builds the next immutable map. The caller holds mu.
func (c *cache) merge() {
	old := *c.read.Load()
	next := make(map[string]*entry, min(len(old)+len(c.fresh), c.maxEntries))
	weight, dropped := 0, false
	sources := [...]map[string]*entry{c.fresh, old}
	for _, from := range sources {
		for _, e := range from {
			e.proven = e.proven || e.used.Load()
		}
	}
	for _, stays := range [...]func(*entry) bool{
		func(e *entry) bool { return e.used.Load() },
		func(e *entry) bool { return e.proven },
		func(*entry) bool { return true },
	} {
		for _, from := range sources {
			for k, e := range from {
				if _, have := next[k]; have || !stays(e) {
					continue
				}
				if len(next) == c.maxEntries || weight+e.weight > c.maxWeight {
					dropped = true
					continue
				}
				next[k] = e
				weight += e.weight
			}
		}
	}
	if dropped { // plans not used from now on are the first to go next time
		for _, e := range next {
			e.used.Store(false)
		}
	}
	c.read.Store(&next)
	c.fresh, c.weight, c.missed = map[string]*entry{}, 0, 0
	clear(c.plans)
	for _, e := range next {
		c.plans[e.kept.Main.SQL] = e.kept
	}
}

func (c *cache) stats() (entries, made int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(*c.read.Load()) + len(c.fresh), c.made
}
