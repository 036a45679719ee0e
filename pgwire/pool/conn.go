package pool

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// Conn is a connection of a pool. It belongs to the borrower until Release.
type Conn struct {
	*pgwire.Conn
	pool       *Pool
	number     uint64
	generation uint64
	born       time.Time
	idleSince  int64         // in ns since start
	permit     bool          // is returned to Pool.slow with the connection
	waited     time.Duration // of the borrower
	batch      batch
	deadline   pgwire.DeadlineWatch // under watch.mu
	responses  atomic.Uint64        // to flights, without those that are discarded
	roundTrip  atomic.Int64         // see timing.go, in ns; 0: not measured
}

// Waited is how long the caller of Acquire waited for the connection, 0 if it was
// idle.
func (c *Conn) Waited() time.Duration { return c.waited }

// RoundTrip is the time of a round trip in which the server has nothing to do.
func (c *Conn) RoundTrip() time.Duration { return time.Duration(c.roundTrip.Load()) }

func (c *Conn) idleTime() time.Duration { return time.Duration(now() - c.idleSince) }

// rollbackTimeout bounds the rollback of a transaction that a borrower left open.
const rollbackTimeout = 5 * time.Second

// Release gives the connection back. The borrower must not use it afterwards. An
// open transaction is rolled back.
func (c *Conn) Release() {
	p := c.pool
	if c.InTransaction() != 'I' && !c.IsBroken() {
		ctx, cancel := context.WithTimeout(p.life, rollbackTimeout)
		_ = c.Rollback(ctx)
		cancel()
	}
	why := p.closeReason(c, 0)
	if why == 0 && c.InTransaction() != 'I' { // the server refused to roll back
		why = Broken
	}
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

// checkAfter is how long a connection may be idle and be used without a check.
const checkAfter = time.Second

// fit reports whether an idle connection can be used. It discards one that cannot.
func (p *Pool) fit(c *Conn) bool {
	idle := c.idleTime()
	why := p.closeReason(c, idle)
	if why == 0 && idle > checkAfter && c.Check() != nil {
		why = Broken
	}
	if why != 0 {
		c.discard(why)
		return false
	}
	return true
}

// closeReason returns why a connection should be closed, 0 if it should not.
func (p *Pool) closeReason(c *Conn, idle time.Duration) Reason {
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

// discard closes the connection in the background. Its place in the pool becomes
// free afterwards.
func (c *Conn) discard(why Reason) {
	p := c.pool
	p.mu.Lock()
	p.returnPermit(&c.permit)
	p.remove(c)
	p.ready--
	p.mu.Unlock()
	go func() {
		_ = c.Conn.Close()
		p.closed.Add(1)
		p.tell(Event{Kind: Closed, Conn: c.number, Reason: why, Err: c.Retired()})
		p.vacate()
	}()
	p.serve() // the permit may admit another caller
}

// roleCheckTimeout bounds the question whether the server has lost its role.
const roleCheckTimeout = 5 * time.Second

// failedOver reports whether the server of the connection has lost its role. The
// first connection that finds out retires all connections made before.
func (p *Pool) failedOver(c *Conn) bool {
	ctx, cancel := context.WithTimeout(p.life, roleCheckTimeout)
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
