package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/puddle/v2"

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
	// Patience is how long the flight at the head of a connection may have been
	// running for another to line up behind it, and how long a connection is
	// shared while others wait for one: longer than a quick flight takes even on
	// a busy machine, shorter than a client notices. 0: 5 ms. See SetPatience.
	Patience time.Duration

	// Reserve is how many connections what is Slow leaves to others. 0, or too
	// many for the pool: none.
	Reserve int

	AcquireTimeout time.Duration // 0: wait as long as the context allows
	MaxWaiters     int           // bounds Waiters that wait; 0: no bound
	MaxIdleTime    time.Duration // 0: idle connections are kept
	MaxLifetime    time.Duration // 0: connections do not age

	// Observe is told what happens, if set. It is called in the middle of it
	// and must not block or use the pool.
	Observe func(Event)
}

// Pool is a pool of connections, safe for concurrent use.
type Pool struct {
	o    Options
	puds *puddle.Pool[*Conn]

	// generation counts Flushes; a connection of an earlier one is not used
	// any more.
	generation atomic.Uint64

	shelf shelf // of idle connections
	// idle is a lower bound of the number of other idle connections, which
	// puddle tells only under its lock and with an allocation. While it is
	// positive we try for one of them; otherwise we go and wait, or connect.
	idle atomic.Int64

	crowd crowd
	slow  permits

	lanes []atomic.Pointer[Conn] // connections being shared
	rotor atomic.Uint32

	patience atomic.Int64 // Options.Patience in force

	numbers  atomic.Uint64
	asking   atomic.Int64 // in wait
	waiting  atomic.Int64 // of them in puddle's line
	timeouts atomic.Int64
	opened   atomic.Int64
	refused  atomic.Int64
	closed   atomic.Int64

	life    context.Context     // ends with the pool
	lives   [16]context.Context // of life, for waiters: a context has a lock
	end     context.CancelCauseFunc
	sweeper sync.WaitGroup
}

type puddleResource = puddle.Resource[*Conn]

// Conn is a connection on loan.
type Conn struct {
	*pgwire.Conn
	pool       *Pool
	res        *puddle.Resource[*Conn]
	number     uint64
	generation uint64
	born       time.Time
	counted    bool // in Pool.idle
	idleSince  int64
	permit     bool // one of Pool.slow goes back with it
	waited     time.Duration
	lane       lane
	wire       atomic.Int64 // see wire.go, in ns; 0 if nobody asks
	why        Reason
}

// checkAfter is how long a connection may be idle and still be trusted.
const checkAfter = time.Second

// New makes a pool. It connects when somebody needs a connection.
func New(o Options) (*Pool, error) {
	o.Depth = min(o.Depth, maxDepth)
	p := &Pool{o: o, lanes: make([]atomic.Pointer[Conn], max(o.MaxConns, 1)), shelf: make(shelf, max(o.MaxConns, 1))}
	p.SetPatience(o.Patience)
	p.slow.init(o.MaxConns, o.Reserve)
	p.life, p.end = context.WithCancelCause(context.Background())
	for i := range p.lives {
		var cancel context.CancelFunc
		p.lives[i], cancel = context.WithCancel(context.Background())
		context.AfterFunc(p.life, cancel)
	}
	var err error
	p.puds, err = puddle.NewPool(&puddle.Config[*Conn]{Constructor: p.connect, Destructor: p.disconnect, MaxSize: int32(o.MaxConns)})
	if err != nil {
		return nil, err
	}
	if every := p.sweepInterval(); every > 0 {
		p.sweeper.Go(func() { p.sweep(every) })
	}
	return p, nil
}

// SetPatience changes Options.Patience of a pool in use.
func (p *Pool) SetPatience(d time.Duration) {
	if d == 0 {
		d = defaultPatience
	}
	p.patience.Store(int64(d))
}

// Acquire lends a connection; give it back with Release.
func (p *Pool) Acquire(ctx context.Context) (*Conn, error) { return p.AcquireFor(ctx, Alone) }

// AcquireFor is Acquire for what is Slow or is not. That it may share does not
// matter here.
func (p *Pool) AcquireFor(ctx context.Context, how Manner) (*Conn, error) {
	// Fast path: one is idle.
	if c := p.takeFree(how); c != nil {
		return c, nil
	}
	return p.wait(ctx, how)
}

// takeIdle returns an idle connection, nil if there is none.
func (p *Pool) takeIdle() *Conn {
	if c := p.takeShelved(); c != nil {
		c.waited = 0
		return c
	}
	for p.idle.Load() > 0 {
		// If another took it first, puddle makes a new connection in the
		// background, which is welcome: there is demand.
		res, err := p.puds.TryAcquire(p.life)
		if err != nil {
			break
		}
		if c := p.lend(res); c != nil {
			c.waited = 0
			return c
		}
	}
	return nil
}

// Waited is how long the borrower waited for the connection; nothing if it was
// there.
func (c *Conn) Waited() time.Duration { return c.waited }

// wait is the slow path: stand in line, or connect.
func (p *Pool) wait(ctx context.Context, how Manner) (*Conn, error) {
	if p.life.Err() != nil {
		return nil, ErrClosed
	}
	began := now()
	asking := p.asking.Add(1)
	defer p.asking.Add(-1)
	waiter, _ := ctx.(Waiter)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	life := p.lives[int(asking)%len(p.lives)]
	defer context.AfterFunc(life, func() { cancel(ErrClosed) })()
	if p.o.AcquireTimeout > 0 {
		defer time.AfterFunc(p.o.AcquireTimeout, func() { cancel(ErrAcquireTimeout) }).Stop()
	}
	if waiter != nil {
		if p.tooMany(asking) {
			p.timeouts.Add(1)
			p.tell(Event{Kind: AcquireTimedOut, Err: ErrTooManyWaiting})
			return nil, ErrTooManyWaiting
		}
		if err := waiter.Waiting(cancel); err != nil {
			return nil, err
		}
		defer waiter.Waiting(nil)
	}
	c, err := p.waitFor(ctx, how)
	if err == nil {
		c.waited = time.Duration(now() - began)
	}
	return c, err
}

// line waits for a connection in puddle's line.
func (p *Pool) line(ctx context.Context) (*Conn, error) {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	if c := p.takeShelved(); c != nil { // see shelf
		return c, nil
	}
	for {
		res, err := p.acquire(ctx)
		if err == errCrowded {
			continue
		}
		if err != nil {
			return nil, p.whyNot(ctx, err)
		}
		if c := p.lend(res); c != nil {
			return c, nil
		}
	}
}

// tooMany reports whether so many wait that no more may. Those for whom there
// is room to connect do not count: they do not wait for each other.
func (p *Pool) tooMany(asking int64) bool {
	room := int64(p.o.MaxConns) - p.live()
	return p.o.MaxWaiters > 0 && asking > int64(p.o.MaxWaiters)+max(room, 0)
}

func (p *Pool) whyNot(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, puddle.ErrClosedPool):
		return ErrClosed
	case ctx.Err() == nil || !errors.Is(err, ctx.Err()):
		return err
	}
	err = context.Cause(ctx)
	if err == ErrAcquireTimeout {
		p.timeouts.Add(1)
		p.tell(Event{Kind: AcquireTimedOut, Err: err})
	}
	return err
}

// lend takes a connection out of puddle, unless it is of no more use.
func (p *Pool) lend(res *puddle.Resource[*Conn]) *Conn {
	c := res.Value()
	c.res = res
	if c.counted {
		c.counted = false
		p.idle.Add(-1)
	}
	if !p.fit(c, res.IdleDuration()) {
		return nil
	}
	return c
}

// fit looks whether an idle connection is of use, and discards it if not.
func (p *Pool) fit(c *Conn, idle time.Duration) bool {
	why := p.verdict(c, idle)
	if why == 0 && idle > checkAfter && c.Check() != nil {
		why = Broken
	}
	if why != 0 {
		c.discard(why)
		return false
	}
	p.tell(Event{Kind: Acquired, Conn: c.number})
	return true
}

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
	if c.permit {
		c.permit = false
		defer p.slow.free.Release(1)
	}
	if c.InTransaction() != 'I' && !c.IsBroken() {
		ctx, cancel := context.WithTimeout(p.life, rollbackTime)
		_ = c.Rollback(ctx)
		cancel()
	}
	why := p.verdict(c, 0)
	if why == 0 && c.Doubtful() && p.strayed(c) {
		why = Stray
	}
	if why != 0 {
		c.discard(why)
		return
	}
	p.tell(Event{Kind: Released, Conn: c.number})
	c.idleSince = now()
	p.shelve(c)
}

// strayTime is how long a server may take to say what it is.
const strayTime = 5 * time.Second

// strayed reports whether the connection leads to a server that has lost its
// role. The first to find out retires all that were made before: later ones
// lead to a server that had it, or are not made.
func (p *Pool) strayed(c *Conn) bool {
	ctx, cancel := context.WithTimeout(p.life, strayTime)
	defer cancel()
	if !c.Strayed(ctx) {
		return false
	}
	if p.generation.CompareAndSwap(c.generation, c.generation+1) {
		p.retire()
		p.tell(Event{Kind: Strayed, Conn: c.number})
	}
	return true
}

// discard closes the connection. Its place in the pool is free once that is
// done.
func (c *Conn) discard(why Reason) {
	c.why = why
	c.res.Destroy()
}

// Flush retires all connections: idle ones now, the others when they come
// back. Whoever acquires after Flush gets a connection made after Flush.
func (p *Pool) Flush() {
	p.generation.Add(1)
	p.retire()
	p.tell(Event{Kind: PoolFlushed})
}

// Close closes the pool and waits for the connections on loan to come back.
// Who waits for one is turned away.
func (p *Pool) Close() {
	p.end(ErrClosed)
	p.sweeper.Wait()
	p.retire()
	p.puds.Close()
}

// retire closes the idle connections that should not be used any more.
func (p *Pool) retire() {
	p.retireShelf()
	for _, res := range p.puds.AcquireAllIdle() {
		c := res.Value()
		c.res = res
		if why := p.verdict(c, res.IdleDuration()); why != 0 {
			if c.counted {
				c.counted = false
				p.idle.Add(-1)
			}
			c.discard(why)
			continue
		}
		res.ReleaseUnused()
	}
}

// sweepInterval is how often to look for connections that got too old without
// anybody asking for them, 0 for never.
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

// connect is puddle's constructor. Its context outlives the request that
// caused it: a connection that comes too late for one is good for the next.
func (p *Pool) connect(ctx context.Context) (*Conn, error) {
	c := &Conn{pool: p, number: p.numbers.Add(1)}
	p.tell(Event{Kind: Connecting, Conn: c.number})
	if err := p.dial(ctx, c); err != nil {
		p.refused.Add(1)
		p.tell(Event{Kind: ConnectFailed, Conn: c.number, Err: err})
		return nil, err
	}
	if p.o.Depth > 1 || p.slow.free != nil {
		if err := c.sound(ctx); err != nil {
			_ = c.Conn.Close()
			p.closed.Add(1)
			p.refused.Add(1)
			p.tell(Event{Kind: ConnectFailed, Conn: c.number, Err: err})
			return nil, err
		}
	}
	c.born = time.Now()
	p.tell(Event{Kind: Connected, Conn: c.number})
	return c, nil
}

// disconnect is puddle's destructor.
func (p *Pool) disconnect(c *Conn) {
	_ = c.Conn.Close()
	p.closed.Add(1)
	why := c.why
	if why == 0 {
		why = PoolClosed // puddle's own decision
	}
	p.tell(Event{Kind: Closed, Conn: c.number, Reason: why})
}

func (p *Pool) tell(e Event) {
	if p.o.Observe != nil {
		p.o.Observe(e)
	}
}
