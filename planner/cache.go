package planner

import (
	"sync"
	"sync/atomic"
)

// cache keeps plans by key. Hits read an immutable map behind one pointer and
// take no lock; newcomers live in a second, locked map until enough lookups
// had to go there, and are then merged into a new immutable map. How many are
// enough grows with the map, so that copying it costs a lookup next to nothing.
//
// Shapes are made by clients, so number and size are bounded: a merge that
// would grow past a bound drops plans. Those used since plans were last dropped
// stay first, then those that have ever been used again after they were made,
// then newcomers. So a flood of shapes used once evicts itself.
//
// Different keys may lead to equal plans: Accept is spelled in many ways, and
// a function that takes a whole JSON payload does not mind its keys. They get
// the same plan, so that there is one statement for all of them.
type cache struct {
	read atomic.Pointer[map[string]*entry]

	mu     sync.Mutex
	fresh  map[string]*entry
	weight int              // of fresh
	plans  map[string]*Kept // those in fresh and read, by their SQL
	missed int              // lookups since the last merge that had to look into fresh
	made   int

	maxEntries int
	maxWeight  int
	newState   func(*Plan) any
}

type entry struct {
	kept   *Kept
	weight int
	used   atomic.Bool // since plans were last dropped
	proven bool        // used at the time of some merge; guarded by cache.mu
}

// meanWeight is what plans may weigh on average when there are as many as
// allowed. Usual ones weigh a quarter of it.
const meanWeight = 16 << 10

// weigh estimates the memory a plan takes, from the texts it was made of and
// made into: the tree between them holds about as much again.
func weigh(key []byte, p *Plan) int {
	return 1024 + 2*(len(key)+len(p.Main.SQL)+len(p.Estimate.SQL))
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
	if !e.used.Load() { // do not dirty the line for nothing
		e.used.Store(true)
	}
}

func (c *cache) getSlow(key []byte) *Kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := *c.read.Load()
	e := c.fresh[string(key)]
	if e == nil {
		e = old[string(key)] // merged meanwhile
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

// put keeps plan under key and returns the plan to use: another request may
// have been quicker, or have made an equal plan for another key, which may
// already have statements.
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
		return kept // it would push out too many others; also: no cache at all
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
	if dropped { // plans that are not used again go first the next time
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
