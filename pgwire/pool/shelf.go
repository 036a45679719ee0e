package pool

import (
	"sync/atomic"
	"time"
)

// Idle connections lie on a shelf, where they are put and taken without a lock:
// puddle, which has one for everything, does not know that they are idle. What
// it is needed for is the line of those who wait. So while anybody waits
// connections go back to puddle, and who begins to wait looks at the shelf
// first: either finds what the other did.
type shelf []atomic.Pointer[Conn]

// put puts a connection where there is room. There is: a place for each.
func (s shelf) put(c *Conn) bool {
	for i := range s {
		if s[i].Load() == nil && s[i].CompareAndSwap(nil, c) {
			return true
		}
	}
	return false
}

// take takes the first one, nil if there is none. First places are taken and
// filled first, so that those who are not needed stay where they are and age.
func (s shelf) take() *Conn {
	for i := range s {
		if c := s[i].Load(); c != nil && s[i].CompareAndSwap(c, nil) {
			return c
		}
	}
	return nil
}

func (s shelf) count() (n int) {
	for i := range s {
		if s[i].Load() != nil {
			n++
		}
	}
	return n
}

// shelve makes an idle connection, still on loan from puddle, available.
func (p *Pool) shelve(c *Conn) {
	if p.waiting.Load() > 0 {
		p.handBack(c)
		return
	}
	generation := c.generation
	if !p.shelf.put(c) {
		p.handBack(c)
		return
	}
	// It is not ours any more. Who came meanwhile may have looked too early.
	if p.waiting.Load() > 0 {
		if c := p.shelf.take(); c != nil {
			p.handBack(c)
		}
	}
	if p.life.Err() != nil || generation != p.generation.Load() {
		p.retireShelf()
	}
}

// handBack gives a connection to puddle, and so to whoever waits.
func (p *Pool) handBack(c *Conn) {
	c.counted = true
	p.idle.Add(1)
	c.res.Release()
}

// takeShelved returns a connection from the shelf, nil if there is none of use.
func (p *Pool) takeShelved() *Conn {
	for {
		c := p.shelf.take()
		if c == nil || p.fit(c, c.idleTime()) {
			return c
		}
	}
}

// retireShelf closes those on the shelf that should not be used any more.
func (p *Pool) retireShelf() {
	for i := range p.shelf {
		c := p.shelf[i].Load()
		if c == nil || !p.shelf[i].CompareAndSwap(c, nil) {
			continue
		}
		if why := p.verdict(c, c.idleTime()); why != 0 {
			c.discard(why)
			continue
		}
		p.shelve(c)
	}
}

func (c *Conn) idleTime() time.Duration { return time.Duration(now() - c.idleSince) }
