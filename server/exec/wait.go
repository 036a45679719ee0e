package exec

import (
	"context"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// Cost is what a request has cost the database so far.
type Cost struct {
	Used     bool          // a connection was asked for
	Database time.Duration // in the database
	Waited   time.Duration // for a connection

	StatementsReused, StatementsParsed int
}

// Cost returns what has been spent since the last Reset.
func (x *Execution) Cost() Cost {
	c := x.cost
	c.StatementsReused, c.StatementsParsed = x.flight.Reused, x.flight.Parsed
	return c
}

// acquire borrows a connection.
func (x *Execution) acquire(how pool.Class) (*pool.Conn, error) {
	log := x.engine.Log
	log.PoolRequest()
	x.cost.Used = true
	began := time.Now()
	conn, err := x.pool.AcquireFor(&x.waiter, how)
	if err != nil {
		x.cost.Waited += time.Since(began)
		return nil, err
	}
	x.cost.Waited += conn.Waited()
	log.PoolBorrowed()
	return conn, nil
}

// share runs the flight, on a shared connection if how allows it.
func (x *Execution) share(how pool.Class) (pool.Timing, error) {
	log := x.engine.Log
	log.PoolRequest()
	x.cost.Used = true
	timing, err := x.pool.Run(&x.waiter, &x.flight, how)
	x.cost.Waited += timing.Waited
	x.cost.Database += timing.Took
	log.PoolBorrowed()
	return timing, err
}

// send runs the flight on a connection.
func (x *Execution) send(conn *pgwire.Conn) error {
	began := time.Now()
	err := conn.Run(&x.waiter, &x.flight)
	x.cost.Database += time.Since(began)
	return err
}

// waiter is the context in which a connection is asked for. It has no Done
// channel; only a wait for a connection ends (pool.Waiter).
type waiter struct {
	context.Context

	mu    sync.Mutex
	leave context.CancelCauseFunc // while waiting
	lost  error
}

// Waiting implements pool.Waiter.
func (w *waiter) Waiting(leave context.CancelCauseFunc) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave = leave
	return w.lost
}

// lose ends the wait, or the next one, with the error why.
func (w *waiter) lose(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = why
	if w.leave != nil {
		w.leave(why)
	}
}

// left reports whether err is why a wait has ended.
func (w *waiter) left(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost != nil && err == w.lost
}

func (w *waiter) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = nil
}

// Abandon ends the wait of a running call for a connection. With stop it also
// cancels what the call runs on a connection. It may be called from other
// goroutines while Run runs, and again while the call goes on: the call may
// have been between two flights.
func (x *Execution) Abandon(why error, stop bool) {
	x.waiter.lose(why)
	if stop {
		x.flight.Abandon(why)
	}
}
