package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

var (
	// ErrAcquireTimeout: no connection became free in time.
	ErrAcquireTimeout = errors.New("timed out acquiring connection from connection pool")
	// ErrTooManyWaiting: Options.MaxWaiters are waiting for a connection.
	ErrTooManyWaiting = errors.New("too many are waiting for a connection from connection pool")
	// ErrClosed: the pool is closed.
	ErrClosed = errors.New("connection pool is closed")
)

// Options of a pool.
type Options struct {
	Config   *pgwire.Config
	MaxConns int // at least 1

	// Depth is how many flights may follow each other on a connection, see
	// Run. At most 64; 0 and 1 turn sharing off.
	Depth int

	// Reserve is how many connections Slow callers leave to others. 0, or too many
	// for the pool: none.
	Reserve int

	// FlightTimeout is how long a connection waits for an answer while nothing
	// arrives, unless the flight has a Limit of its own. 0: as long as it takes,
	// whatever a Limit says. See SetFlightTimeout.
	FlightTimeout time.Duration

	AcquireTimeout time.Duration // 0: wait as long as the context allows
	MaxWaiters     int           // bounds Waiters that wait; 0: no bound
	MaxIdleTime    time.Duration // 0: idle connections are kept
	MaxLifetime    time.Duration // 0: connections do not age

	// Observe, if set, is called for each Event. It may be called under the pool's
	// lock, so it must not block or use the pool.
	Observe func(Event)
}

// Pool is a pool of connections, safe for concurrent use.
type Pool struct {
	o Options

	mu         sync.Mutex // over what follows
	places     int        // taken: by connections open, being made and being closed
	connecting int        // connections being made
	all        []*Conn    // open connections
	idle       []*Conn    // idle list; the connection used last is taken first
	queue      queue      // admission queue
	slow       permits
	shut       bool
	empty      *sync.Cond // places has become 0

	// generation counts Flushes. A connection of an earlier one is not used any
	// more.
	generation atomic.Uint64

	crowd   crowd
	tickets sync.Pool
	watch   watch

	flightTimeout    atomic.Int64  // Options.FlightTimeout in force
	flightTimeoutSet chan struct{} // it has changed
	vigils           vigils

	numbers  atomic.Uint64
	timeouts atomic.Int64
	opened   atomic.Int64
	refused  atomic.Int64
	closed   atomic.Int64
	resent   atomic.Int64

	life    context.Context // ends with the pool
	end     context.CancelCauseFunc
	sweeper sync.WaitGroup
}

// Conn is a connection on loan.
type Conn struct {
	*pgwire.Conn
	pool       *Pool
	number     uint64
	generation uint64
	born       time.Time
	idleSince  int64
	permit     bool // goes back to Pool.slow with the connection
	waited     time.Duration
	batch      batch
	answered   atomic.Uint64 // flights
	wire       atomic.Int64  // see wire.go, in ns; 0 if not measured
}

// checkAfter is how long a connection may be idle and still be trusted.
const checkAfter = time.Second

// New makes a pool. It connects when a caller needs a connection.
func New(o Options) (*Pool, error) {
	if o.MaxConns < 1 {
		return nil, errors.New("a pool needs room for at least one connection")
	}
	o.Depth = min(o.Depth, maxDepth)
	p := &Pool{o: o}
	p.empty = sync.NewCond(&p.mu)
	p.slow.init(o.MaxConns, o.Reserve)
	p.watch.init(p)
	p.life, p.end = context.WithCancelCause(context.Background())
	p.flightTimeoutSet = make(chan struct{}, 1)
	p.SetFlightTimeout(o.FlightTimeout)
	p.sweeper.Go(p.watchFlights)
	if every := p.sweepInterval(); every > 0 {
		p.sweeper.Go(func() { p.sweep(every) })
	}
	return p, nil
}

// Acquire lends a connection; give it back with Release.
func (p *Pool) Acquire(ctx context.Context) (*Conn, error) { return p.AcquireFor(ctx, Alone) }

// AcquireFor is Acquire with a Class. Only whether that is Slow matters, because
// the caller gets a connection of its own.
func (p *Pool) AcquireFor(ctx context.Context, class Class) (*Conn, error) {
	if c := p.takeIdle(class); c != nil {
		return c, nil
	}
	began := now()
	t := p.newTicket(nil, class)
	defer p.recycle(ctx, t)
	if err := p.wait(ctx, t); err != nil {
		return nil, err
	}
	t.conn.waited = time.Duration(now() - began)
	return t.conn, nil
}

// takeIdle returns an idle connection, or nil if there is none that the caller may
// take. While others wait, free connections are for them.
func (p *Pool) takeIdle(class Class) *Conn {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 || p.queue.len > 0 || class == Slow && !p.slow.take() {
			p.mu.Unlock()
			return nil
		}
		c := p.popIdle()
		c.permit = class == Slow && p.slow.limited
		p.mu.Unlock()
		if p.fit(c) {
			p.tell(Event{Kind: Acquired, Conn: c.number})
			c.waited = 0
			return c
		}
	}
}

func (p *Pool) popIdle() *Conn {
	last := len(p.idle) - 1
	c := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return c
}

// Waited is how long the caller of Acquire waited for the connection, 0 if it was
// idle.
func (c *Conn) Waited() time.Duration { return c.waited }

// fit reports whether an idle connection can be used. It discards one that cannot.
func (p *Pool) fit(c *Conn) bool {
	idle := c.idleTime()
	why := p.verdict(c, idle)
	if why == 0 && idle > checkAfter && c.Check() != nil {
		why = Broken
	}
	if why != 0 {
		c.discard(why)
		return false
	}
	return true
}

func (c *Conn) idleTime() time.Duration { return time.Duration(now() - c.idleSince) }

// verdict is why a connection should not be used any more, 0 if it should.
func (p *Pool) verdict(c *Conn, idle time.Duration) Reason {
	switch {
	case p.life.Err() != nil:
		return PoolClosed
	case c.IsBroken():
		return Broken
	case c.generation != p.generation.Load():
		return Flushed
	case p.o.MaxIdleTime > 0 && idle > p.o.MaxIdleTime:
		return Idle
	case p.o.MaxLifetime > 0 && time.Since(c.born) > p.o.MaxLifetime:
		return Aged
	}
	return 0
}

// rollbackTime is how long a connection that comes back in the middle of a
// transaction may take to get out of it.
const rollbackTime = 5 * time.Second

// Release gives the connection back; the borrower must not use it any more.
// What it left open is rolled back.
func (c *Conn) Release() {
	p := c.pool
	if c.InTransaction() != 'I' && !c.IsBroken() {
		ctx, cancel := context.WithTimeout(p.life, rollbackTime)
		_ = c.Rollback(ctx)
		cancel()
	}
	why := p.verdict(c, 0)
	if why == 0 && c.SuspectsFailover() && p.failedOver(c) {
		why = Failover
	}
	if why != 0 {
		c.discard(why)
		return
	}
	p.tell(Event{Kind: Released, Conn: c.number})
	p.handOn(c)
}

// handOn gives a free connection to those who wait, or to the idle list.
func (p *Pool) handOn(c *Conn) {
	c.idleSince = now()
	p.mu.Lock()
	p.returnPermit(&c.permit)
	switch {
	case p.shut || c.generation != p.generation.Load():
		p.mu.Unlock()
		c.discard(p.verdict(c, 0))
	case p.queue.len == 0:
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	default:
		p.fill(c)
		p.mu.Unlock()
		p.tell(Event{Kind: Acquired, Conn: c.number})
		c.send()
	}
}

// serve gives idle connections to callers in the queue, and grows the pool if more
// are needed. It is called after callers have joined the queue, unless handOn
// follows.
func (p *Pool) serve() {
	for {
		p.mu.Lock()
		if p.queue.len == 0 || len(p.idle) == 0 {
			p.grow()
			p.mu.Unlock()
			return
		}
		c := p.popIdle()
		p.mu.Unlock()
		if p.fit(c) {
			p.handOn(c)
		}
	}
}

// roleCheckTime is how long a server may take to say what it is.
const roleCheckTime = 5 * time.Second

// failedOver reports whether the connection leads to a server that has lost its
// role. The first to find out retires all that were made before: later ones
// lead to a server that had it, or are not made.
func (p *Pool) failedOver(c *Conn) bool {
	ctx, cancel := context.WithTimeout(p.life, roleCheckTime)
	defer cancel()
	if !c.FailedOver(ctx) {
		return false
	}
	if p.generation.CompareAndSwap(c.generation, c.generation+1) {
		p.retire()
		p.tell(Event{Kind: FailedOver, Conn: c.number})
	}
	return true
}

// Flush retires all connections: idle ones now, the others when they come
// back. After Flush, Acquire returns connections made after Flush.
func (p *Pool) Flush() {
	p.generation.Add(1)
	p.retire()
	p.tell(Event{Kind: PoolFlushed})
}

// Close closes the pool, and returns when all connections are closed. It waits
// until those in use are released. Callers in the queue get ErrClosed.
func (p *Pool) Close() {
	p.end(ErrClosed)
	p.sweeper.Wait()
	p.mu.Lock()
	p.shut = true
	waiting := append(p.queue.clear(), p.slow.held.clear()...)
	p.mu.Unlock()
	for _, t := range waiting {
		p.refuse(t, ErrClosed)
	}
	p.retire()
	p.mu.Lock()
	for p.places > 0 {
		p.empty.Wait()
	}
	p.mu.Unlock()
}

// retire closes the idle connections that should not be used any more.
func (p *Pool) retire() {
	type verdict struct {
		conn *Conn
		why  Reason
	}
	var condemned []verdict
	p.mu.Lock()
	kept := p.idle[:0]
	for _, c := range p.idle {
		if why := p.verdict(c, c.idleTime()); why != 0 {
			condemned = append(condemned, verdict{c, why})
			continue
		}
		kept = append(kept, c)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	p.mu.Unlock()
	for _, v := range condemned {
		v.conn.discard(v.why)
	}
}

// sweepInterval is how often to look for idle connections that are too old, 0 for
// never.
func (p *Pool) sweepInterval() time.Duration {
	shortest := p.o.MaxIdleTime
	if shortest == 0 || (p.o.MaxLifetime > 0 && p.o.MaxLifetime < shortest) {
		shortest = p.o.MaxLifetime
	}
	if shortest <= 0 {
		return 0
	}
	return min(max(shortest/5, 10*time.Millisecond), 5*time.Second)
}

func (p *Pool) sweep(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.life.Done():
			return
		case <-tick.C:
			p.retire()
		}
	}
}

func (p *Pool) tell(e Event) {
	if p.o.Observe != nil {
		p.o.Observe(e)
	}
}
