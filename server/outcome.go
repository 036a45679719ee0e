package server

import (
	"context"
	"errors"
	"strings"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner"
)

// doubtError is an error of a flight that carried a commit, where nobody can
// tell whether it came to the commit. The client has to be told so: a write
// that failed may be sent again, one that perhaps succeeded must be looked for.
type doubtError struct{ cause error }

func (e *doubtError) Error() string { return e.cause.Error() }
func (e *doubtError) Unwrap() error { return e.cause }

// inDoubt is what the client is told.
const inDoubt = "It is unknown whether the transaction was committed."

// doubtful marks the error of a flight with a commit if it leaves the outcome
// open. An error that the server reports does not: the server undid everything
// before it spoke. But the last words of a connection may come after a commit,
// and so may those of a proxy that lost the server behind it.
func doubtful(err error) error {
	if err == nil {
		return nil
	}
	var conn *pgwire.ConnError
	var server *pgwire.Error
	switch {
	case err == errClientGone, errors.Is(err, pool.ErrAcquireTimeout), errors.Is(err, pool.ErrTooManyWaiting), errors.Is(err, pool.ErrClosed):
		return err // there was no connection
	case errors.As(err, &conn):
		if !conn.Sent || conn.Kind == pgwire.RolledBack {
			return err
		}
	case errors.As(err, &server):
		if !server.Fatal() {
			return err
		}
	}
	// What remains is rows that were no use to us. The flight ran on
	// regardless, and only the first error of a flight is known.
	return &doubtError{err}
}

func (e *doubtError) problem(authenticated bool) *problem {
	shared := *problemOf(e.cause, authenticated)
	p := &shared
	if p.details == "" {
		return p.withDetails(inDoubt)
	}
	return p.withDetails(strings.TrimRight(p.details, ".\n") + ". " + inDoubt)
}

// certain makes sure that a write whose rows we encode returns the columns we
// expect: afterwards would be too late. A connection that knows the statement
// would be refused by the server; a new one has to ask, once. What it returns
// is nil if the database has changed.
//
// A connection that does not keep the statement would have to ask every time,
// and again nothing would be certain after that. There PostgreSQL computes the
// body; see ready.
func (rq *request) certain(ctx context.Context, conn *pgwire.Conn, plan *planner.Plan, prepared *planner.Prepared) (*planner.Prepared, error) {
	if !prepared.Rows {
		return prepared, nil
	}
	main := rq.mainOf(prepared)
	if conn.Knows(main) || !conn.Keeps(main.SQL()) {
		return prepared, nil
	}
	var d pgwire.Description
	f := &rq.flight
	f.Reset()
	rq.addSettings(f, plan)
	f.Describe(main, &d)
	rq.note(transaction{})
	if err := rq.send(ctx, conn); err != nil {
		return prepared, err
	}
	if !prepared.Fits(len(d.Fields), func(i int) ([]byte, uint32) { return []byte(d.Fields[i].Name), d.Fields[i].Type }) {
		plan.Forget(prepared)
		rq.server.life.Suspicion.Raise()
		return nil, nil
	}
	return prepared, nil
}

// mainOf is the statement by which the request's role runs a prepared form.
func (rq *request) mainOf(prepared *planner.Prepared) *pgwire.Stmt {
	return prepared.For(rq.identity.Role, rq.snap.sharing(rq.identity.Role)).Main
}

// readable reports whether the columns can be encoded under the DateStyle that
// is going to be in force, if style is that of the session. Reads need not
// ask, they can be run again.
func (rq *request) readable(style string, plan *planner.Plan, prepared *planner.Prepared) bool {
	if !prepared.Rows || !anyISO(prepared.Columns) {
		return true
	}
	for _, s := range rq.snap.config.RoleSettings[rq.identity.Role] {
		if strings.EqualFold(s.Name, "datestyle") {
			style = s.Value
		}
	}
	if plan.Routine != nil {
		for _, s := range plan.Routine.Settings {
			if strings.EqualFold(s.Name, "datestyle") {
				style = s.Value
			}
		}
	}
	return isoStyle(style)
}

func anyISO(columns []rowjson.Column) bool {
	for i := range columns {
		if columns[i].Codec.ISO {
			return true
		}
	}
	return false
}

// learn keeps a write whose rows were of no use to us from being run that way
// again.
func (rq *request) learn(plan *planner.Plan, prepared *planner.Prepared, err error) {
	switch {
	case errors.Is(err, errStale):
		plan.Forget(prepared)
	case errors.Is(err, errUnreadable):
		plan.Prepare(rq.snap.planner.Catalog(), nil, true)
	}
}

// isoStyle reports whether a DateStyle is ISO. It may name the order of day
// and month only, and then the style is the default.
func isoStyle(style string) bool {
	for _, other := range [...]string{"sql", "postgres", "german"} {
		for i := 0; i+len(other) <= len(style); i++ {
			if strings.EqualFold(style[i:i+len(other)], other) {
				return false
			}
		}
	}
	return true
}
