package exec

import (
	"errors"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
)

// Tables, views and functions may change before the schema cache is reloaded.
// Then statements are older than what they read: PostgreSQL refuses some of
// them, and the others return columns of other names or types. In both cases
// the plan is prepared anew and run again, if nothing of it can have been
// executed, or if it only reads.

// maxAttempts is how often a failed call is run again on one connection, and
// on how many more connections.
const maxAttempts = 3

// lastAttempt reports whether a call is not run again on the connection: after maxAttempts,
// or if the transaction could not be rolled back.
func lastAttempt(conn *pool.Conn, attempt int) bool {
	return attempt == maxAttempts || conn.InTransaction() != 'I'
}

// Again runs fn until it has done something, on another connection each time:
// there may have been no connection, or its session could not be reset.
func Again(fn func() error) error {
	for attempt := 0; ; attempt++ {
		err := fn()
		if err == nil || attempt == maxAttempts {
			return err
		}
		var conn *pgwire.ConnError
		if errors.As(err, new(commitError)) || !errors.As(err, &conn) || !conn.Retryable() {
			return err
		}
	}
}

// again is Again, except on a replica, where a call does not try a second connection: the
// caller runs it on another node.
func (x *Execution) again(fn func() error) error {
	if x.call.Replica != nil {
		return fn()
	}
	return Again(fn)
}

// outdated reports whether a flight failed because the plan's statement is
// older than what it reads, and may be run again. The next attempt then
// prepares the plan anew.
func (x *Execution) outdated(form *Form, err error) bool {
	plan := x.call.Plan
	var server *pgwire.Error
	refused := errors.As(err, &server) && x.flight.Unexecuted()
	switch {
	case refused && server.Deallocated(): // no reason to doubt the schema cache
	case refused && (server.Stale() || form != nil && form.converts && server.OtherColumns()),
		plan.ReadOnly && errors.Is(err, errStale):
		x.engine.Suspect()
	default:
		return false
	}
	plan.forget(form)
	return true
}

// learn keeps a write from being run again in a form whose rows could not be encoded.
func (x *Execution) learn(form *Form, err error) {
	switch {
	case errors.Is(err, errStale):
		x.call.Plan.forget(form)
	case errors.Is(err, errUnreadable):
		x.call.Plan.Prepare(x.rules.planner.Catalog(), nil, true)
	}
}

// learnPace notes how long the plan took, if it came to its end or was slow
// enough to be given up.
func (x *Execution) learnPace(form *Form, took time.Duration, queued bool, err error) {
	if err != nil {
		var (
			server *pgwire.Error
			conn   *pgwire.ConnError
		)
		timedOut := errors.As(err, &server) && server.Code == pgwire.QueryCanceled // by statement_timeout
		canceled := errors.As(err, &conn) && conn.Kind == pgwire.Canceled
		if !timedOut && !canceled {
			return
		}
	}
	form.took(took, queued, x.Result.Body.size())
	form.merging.returned(x.Result.Rows)
}

// class is how the plan may be run beside others. Of writes only inserts share
// a connection: an update may wait for a row that another transaction has
// locked, and the flights behind it would wait, too.
func class(plan *Runnable, form *Form) pool.Class {
	switch {
	case form == nil:
		return pool.Alone
	case form.slow():
		return pool.Slow
	case plan.ReadOnly && form.quick():
		return pool.QuickRead
	case plan.Action == planner.Insert && !plan.Merge && form.quick():
		return pool.QuickWrite
	}
	return pool.Alone
}
