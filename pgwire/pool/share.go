package pool

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// A busy pool answers more requests with less CPU if flights follow each other
// on a connection instead of waiting for one of their own. The price is that
// whoever is slow delays those behind. So sharing has rules:
//
//   - Only what is known to be quick shares, behind what is quick too and has
//     not been running for long, and only so many in a row.
//   - A read that finds another about to be sent goes along with it: one write,
//     one wake-up of the server for both. What it waits for is one quick read.
//   - Otherwise an idle connection comes first, and lining up behind what has
//     been sent already is for when there is none.
//   - Writes share with writes only. A commit may wait for the disk, several
//     connections do so together, and no read should. So writes never go along
//     while a connection is idle.
//   - While others wait for a connection of their own none is shared for long,
//     or they would wait for ever.

// defaultPatience: see Options.Patience.
const defaultPatience = 5 * time.Millisecond

// lane is a connection while it is shared.
type lane struct {
	sharing pgwire.Sharing
	queue   [maxDepth]chan struct{} // turns of those waiting, in order, from first on
	first   int
	waiting int          // in queue
	since   atomic.Int64 // when the flight being answered began to be, in ns since start
	length  atomic.Int32 // flights sent and not answered; 0: closed
	slot    int          // in Pool.lanes, -1 if in none
	leaving atomic.Bool  // somebody is about to flush; set under the lock
	manner  atomic.Int32 // Manner of all flights
	opened  atomic.Int64 // when it began to be shared, in ns since start
}

// Manner is how a flight may be run.
type Manner int32

const (
	// Alone: on a connection of its own.
	Alone Manner = iota
	// QuickRead and QuickWrite promise an implicit transaction known to be
	// quick: it may share a connection with others of its manner.
	QuickRead
	QuickWrite
	// Slow: alone, and with what is slow too not on all connections; see Options.Reserve.
	Slow
)

func (how Manner) shares() bool { return how == QuickRead || how == QuickWrite }

// maxDepth is the most flights there can be on one connection.
const maxDepth = 64

var start = time.Now()

func now() int64 { return int64(time.Since(start)) }

// Run runs a flight. Contexts do not reach flights that share.
func (p *Pool) Run(ctx context.Context, f *pgwire.Flight, how Manner) error {
	if how.shares() && (p.o.Depth <= 1 || ctx.Done() != nil) {
		how = Alone
	}
	f.Waited = 0
	if how == QuickRead {
		sent := now()
		if c := p.goAlong(f, sent); c != nil {
			return c.follow(f, sent)
		}
	}
	c := p.takeFree(how)
	if c == nil && how.shares() {
		sent := now()
		if c = p.lineUp(f, how, sent); c != nil {
			return c.follow(f, sent)
		}
	}
	if c == nil {
		var err error
		began := now()
		c, err = p.wait(ctx, how)
		f.Waited = time.Duration(now() - began)
		if err != nil {
			return err
		}
	}
	if how.shares() {
		sent := now()
		if c.lead(f, how) {
			return c.receive(f, sent)
		}
	}
	sent := now()
	err := c.Run(ctx, f)
	c.time(f, sent, sent, err)
	c.Release()
	return err
}

// lead opens the connection for sharing with its first flight, which has to be
// one that could be shared.
func (c *Conn) lead(f *pgwire.Flight, how Manner) bool {
	l := &c.lane
	l.manner.Store(int32(how))
	l.opened.Store(now())
	c.Conn.Share(&l.sharing)
	if !l.sharing.Append(f, always, func() {
		l.first, l.waiting = 0, 0
		l.leaving.Store(true)
		l.since.Store(now())
		l.length.Store(1)
	}) {
		c.Conn.Unshare()
		return false
	}
	c.pool.publish(c)
	c.flush()
	return true
}

func always() bool { return true }

// goAlong finds a connection on which others are about to be sent, for f to
// be sent with them.
func (p *Pool) goAlong(f *pgwire.Flight, at int64) *Conn {
	depth := int32(p.o.Depth)
	for i := range p.lanes {
		c := p.lanes[i].Load()
		if c != nil && c.lane.leaving.Load() && c.takes(QuickRead, depth, at) && c.join(f, QuickRead, depth) {
			return c
		}
	}
	return nil
}

// lineUp finds a connection for f to be sent on behind others, the one with
// the fewest.
func (p *Pool) lineUp(f *pgwire.Flight, how Manner, at int64) *Conn {
	depth := int32(p.o.Depth)
	// Begin at another place each time, or the first lanes would be full and
	// the last ones empty.
	n := len(p.lanes)
	from := int(p.rotor.Add(1)) % n
	for shortest := int32(1); shortest < depth; shortest++ {
		for i := range n {
			c := p.lanes[(from+i)%n].Load()
			if c != nil && c.lane.length.Load() == shortest && c.takes(how, depth, at) && c.join(f, how, depth) {
				return c
			}
		}
	}
	return nil
}

// takes is a first look, without the lock.
func (c *Conn) takes(how Manner, depth int32, at int64) bool {
	l := &c.lane
	patience := c.pool.patience.Load() + c.wire.Load()
	return l.open(how, depth) && at-l.since.Load() <= patience &&
		(at-l.opened.Load() <= patience || c.pool.waiting.Load() == 0)
}

// open reports whether flights of a manner are taken: the lane is not closed,
// nor full, nor others'.
func (l *lane) open(how Manner, depth int32) bool {
	length := l.length.Load()
	return 0 < length && length < depth && l.manner.Load() == int32(how)
}

// join sends f on the connection, if it is still open and has room.
func (c *Conn) join(f *pgwire.Flight, how Manner, depth int32) bool {
	l := &c.lane
	flusher := false
	joined := l.sharing.Append(f, func() bool { return l.open(how, depth) }, func() {
		l.queue[(l.first+l.waiting)%maxDepth] = f.Turn()
		l.waiting++
		l.length.Add(1)
		flusher = !l.leaving.Swap(true)
	})
	if joined && flusher {
		c.flush()
	}
	return joined
}

// flush lets whoever else is about to line up do so first, so that one write
// serves all.
func (c *Conn) flush() {
	runtime.Gosched()
	c.lane.sharing.Flush(func() { c.lane.leaving.Store(false) })
}

// follow waits for the turn of a flight that has been sent, and receives.
func (c *Conn) follow(f *pgwire.Flight, sent int64) error {
	<-f.Turn()
	f.Waited = time.Duration(now() - sent)
	return c.receive(f, sent)
}

// receive reads the answer to the flight at the head, and hands the turn to
// the next one, or the connection back.
func (c *Conn) receive(f *pgwire.Flight, sent int64) error {
	l := &c.lane
	err := l.sharing.Receive(f)
	var next chan struct{}
	l.sharing.Locked(func() {
		l.since.Store(c.time(f, sent, l.since.Load(), err))
		if l.length.Add(-1) > 0 {
			next = l.queue[l.first]
			l.queue[l.first] = nil
			l.first = (l.first + 1) % maxDepth
			l.waiting--
		}
	})
	if next != nil {
		next <- struct{}{}
		return err
	}
	// Nobody can line up any more: the lane is empty, and stays so.
	c.pool.withdraw(c)
	c.Conn.Unshare()
	c.Release()
	return err
}

func (p *Pool) publish(c *Conn) {
	for i := range p.lanes {
		if p.lanes[i].CompareAndSwap(nil, c) {
			c.lane.slot = i
			return
		}
	}
	c.lane.slot = -1 // cannot be: there are as many places as connections
}

func (p *Pool) withdraw(c *Conn) {
	if c.lane.slot >= 0 {
		p.lanes[c.lane.slot].Store(nil)
	}
}
