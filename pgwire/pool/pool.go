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
	// ErrTooManyWaiting: Options.MaxWaiters callers wait for a connection.
	ErrTooManyWaiting = errors.New("too many are waiting for a connection from connection pool")
	// ErrSevered: the pool was severed from a server that does not answer.
	ErrSevered = errors.New("the server does not answer")
	// ErrClosed: the pool is closed.
	ErrClosed = errors.New("connection pool is closed")
)

// Options of a pool.
type Options struct {
	Config   *pgwire.Config
	MaxConns int // at least 1

	// Depth is the most flights in one batch, see Pool.Run. At most 64; 0 and 1
	// turn sharing off.
	Depth int

	// Reserve is the number of connections that Slow callers leave to others. If it
	// leaves them fewer than two, nothing is reserved.
	Reserve int

	// FlightTimeout is how long a connection waits for a response while no bytes
	// arrive, unless the flight has a Limit. 0 turns all limits off, also those of
	// flights. See SetFlightTimeout.
	FlightTimeout time.Duration

	ConnectTimeout time.Duration // of an attempt to connect; 0: a minute
	AcquireTimeout time.Duration // 0: wait as long as the context allows
	MaxWaiters     int           // bounds the Waiters that wait; 0: no bound
	MaxIdleTime    time.Duration // 0: idle connections are kept
	MaxLifetime    time.Duration // 0: connections do not age

	// Observe, if set, is called for each Event. It may be called under the pool's
	// lock, so it must not block or use the pool.
	Observe func(Event)
}

// Pool is a pool of connections, safe for concurrent use.
type Pool struct {
	o Options

	mu         sync.Mutex // guards the fields up to the next blank line
	places     int        // taken by connections that are open, being made or being closed
	connecting int        // connections being made
	retries
	all   []*Conn // open connections
	ready int     // connections in all that have been measured, idle or in use
	idle  []*Conn // idle list; the connection used last is taken first
	queue queue   // admission queue
	slow  permits
	shut  bool
	empty *sync.Cond // places has become 0

	// generation counts Flushes. A connection of an earlier generation is not used
	// again.
	generation atomic.Uint64

	tickets       sync.Pool
	watch         watch
	flightTimeout atomic.Int64 // Options.FlightTimeout in force

	numbers  atomic.Uint64
	timeouts atomic.Int64
	opened   atomic.Int64
	refused  atomic.Int64
	closed   atomic.Int64
	resent   atomic.Int64

	merged           atomic.Int64
	mergedStatements atomic.Int64

	life    context.Context // ends with the pool
	end     context.CancelCauseFunc
	sweeper sync.WaitGroup
}

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
	p.flightTimeout.Store(int64(o.FlightTimeout))
	if every := p.sweepInterval(); every > 0 {
		p.sweeper.Go(func() { p.sweep(every) })
	}
	return p, nil
}

// Flush retires all connections: idle ones at once, others when they are released.
// Acquire then returns only connections made after Flush.
func (p *Pool) Flush() {
	p.generation.Add(1)
	p.retire()
	p.tell(Event{Kind: PoolFlushed})
}

// Sever is Flush for a server that does not answer: flights under way fail as if their
// connections had been lost, and callers in the queue get ErrSevered.
func (p *Pool) Sever() {
	p.generation.Add(1)
	p.mu.Lock()
	open := append([]*Conn(nil), p.all...)
	waiting := append(p.queue.clear(), p.slow.waiting.clear()...)
	p.mu.Unlock()
	for _, c := range open {
		c.Sever()
	}
	for _, t := range waiting {
		p.refuse(t, ErrSevered)
	}
	p.retire()
	p.tell(Event{Kind: PoolFlushed})
}

// Close closes the pool and returns when all connections are closed. It waits until
// those in use are released. Callers in the queue get ErrClosed.
func (p *Pool) Close() {
	p.end(ErrClosed)
	p.sweeper.Wait()
	p.mu.Lock()
	p.shut = true
	waiting := append(p.queue.clear(), p.slow.waiting.clear()...)
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

func (p *Pool) tell(e Event) {
	if p.o.Observe != nil {
		p.o.Observe(e)
	}
}

var start = time.Now()

// now is the time in ns since start, from the monotonic clock.
func now() int64 { return int64(time.Since(start)) }
