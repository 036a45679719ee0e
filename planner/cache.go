package planner

import (
	"sync"
	"sync/atomic"
)

// cache keeps plans by key. Hits read an immutable map behind one pointer and
// take no lock; newcomers live in a second, locked map until enough lookups
// had to go there, and are then merged into a new immutable map.
//
// Shapes are made by clients, so the size is bounded: a merge that would grow
// past the bound drops the plans that were not used since the last merge. A
// flood of shapes used once evicts itself, not the plans in use.
type cache struct {
	read atomic.Pointer[map[string]*entry]

	mu     sync.Mutex
	fresh  map[string]*entry
	missed int // lookups since the last merge that had to look into fresh
	made   int
	max    int
}

type entry struct {
	plan *Plan
	used atomic.Bool
}

func (c *cache) init(max int) {
	c.max = max
	c.fresh = map[string]*entry{}
	empty := map[string]*entry{}
	c.read.Store(&empty)
}

func (c *cache) get(key []byte) *Plan {
	// Fast path.
	if e := (*c.read.Load())[string(key)]; e != nil {
		if !e.used.Load() { // do not dirty the line for nothing
			e.used.Store(true)
		}
		return e.plan
	}
	return c.getSlow(key)
}

func (c *cache) getSlow(key []byte) *Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.fresh[string(key)]
	if e == nil {
		e = (*c.read.Load())[string(key)] // merged meanwhile
	}
	if e == nil {
		return nil
	}
	e.used.Store(true)
	c.missed++
	if c.missed > len(c.fresh) {
		c.merge()
	}
	return e.plan
}

// put keeps plan under key and returns the plan to use: another request may
// have been quicker, and its plan may already have statements.
func (c *cache) put(key []byte, plan *Plan) *Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	if e := c.fresh[string(key)]; e != nil {
		return e.plan
	}
	if e := (*c.read.Load())[string(key)]; e != nil {
		return e.plan
	}
	if c.max <= 0 {
		return plan
	}
	c.fresh[string(key)] = &entry{plan: plan}
	if len(c.fresh) > c.max/4+16 {
		c.merge()
	}
	return plan
}

// merge builds the next immutable map. The caller holds mu.
func (c *cache) merge() {
	old := *c.read.Load()
	next := make(map[string]*entry, len(old)+len(c.fresh))
	room := c.max
	// Plans in use first, then the newest of the others, then the rest.
	for _, unused := range [...]bool{false, true} {
		for _, from := range [...]map[string]*entry{c.fresh, old} {
			for k, e := range from {
				if _, have := next[k]; !have && e.used.Load() != unused && room > 0 {
					next[k] = e
					room--
				}
			}
		}
	}
	if room <= 0 { // full: whoever wants to stay has to be used again
		for _, e := range next {
			e.used.Store(false)
		}
	}
	c.read.Store(&next)
	c.fresh = map[string]*entry{}
	c.missed = 0
}

func (c *cache) stats() (entries, made int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(*c.read.Load()) + len(c.fresh), c.made
}
