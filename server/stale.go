package server

import (
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
)

// What happens when tables, views or functions change before the schema cache
// is reloaded: statements are older than what they read. PostgreSQL refuses
// some of them, and the others return columns of other names or types. Either
// way the plan is prepared anew and run again, if nothing of it can have been
// executed, or if it only reads.

// errStale: rows came with other columns than the statement used to return.
var errStale = errors.New("the statement returns other columns than it used to")

// outdated reports whether a flight of the plan failed because its statement is
// older than what it reads and may be run again. It then makes the next attempt
// prepare the plan anew.
func (rq *request) outdated(plan *planner.Plan, prepared *planner.Prepared, err error) bool {
	var server *pgwire.Error
	refused := errors.As(err, &server) && rq.flight.Unexecuted()
	switch {
	case refused && server.Deallocated(): // no reason to doubt the schema cache
	case refused && (server.Stale() || prepared != nil && prepared.Converts && server.OtherColumns()),
		plan.ReadOnly && errors.Is(err, errStale):
		rq.server.life.Suspicion.Raise()
	default:
		return false
	}
	plan.Forget(prepared)
	return true
}
