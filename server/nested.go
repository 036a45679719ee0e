package server

import (
	"errors"
	"strings"

	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// placeProblem is a fault in the body of a nested insert, or in its columns=.
func placeProblem(e *body.PlaceError) *problem {
	return newProblem(400, "PGRSTX50", "The nested insert is not valid").withDetails(e.Error())
}

// addPlace adds where in the body of a nested insert the rows are that an error of
// PostgreSQL is about. PostgreSQL does not tell the row, but the statement says which
// relation it is.
func (rq *request) addPlace(p *problem, err error) {
	plan := rq.call.Plan
	var refused *pgwire.Error
	if plan == nil || len(plan.Lead) == 0 || !errors.As(err, &refused) {
		return
	}
	if _, place, found := strings.Cut(refused.Message, sqlgen.NestedFault); found && refused.Code == pgwire.InvalidTextRepresentation {
		*p = *newProblem(400, "PGRSTX51", "A row to which others refer was not written").
			withDetails("A trigger or a rule has left out a row of " + strings.TrimSuffix(place, `"`) + ".")
		return
	}
	if place := rq.plan.Place(plan.Plan, rq.execution.FailedLead()); place != "" && !p.hasHint {
		p.withHint("The error is in the rows of " + place + ".")
	}
}
