package server

import (
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// routine serves GET, HEAD, QUERY and POST of a routine.
func (rq *request) routine() error {
	mode := parser.ModeCallRead
	if rq.plan.Action == planner.CallPost {
		mode = parser.ModeCall
	}
	if err := rq.parseQuery(mode); err != nil {
		return err
	}
	if err := rq.readPayload(); err != nil {
		return err
	}
	return rq.run((*request).fillRoutine)
}

// fillRoutine makes the response to a call. See respond.
func (rq *request) fillRoutine(plan *planner.Plan) (status int, err error) {
	status = rq.respondRange(plan)
	p := rq.prefer
	p.Resolution, p.Representation, p.Missing = 0, 0, 0
	rq.setApplied(&p)
	if plan.Void {
		rq.result().Body.Drop()
		rq.response.noLength = true
		return fasthttp.StatusNoContent, nil
	}
	rq.setContentType(plan.Media)
	return status, nil
}

// routineInfo responds to OPTIONS of a routine with the methods it allows.
func (rq *request) routineInfo() error {
	if err := rq.parseQuery(parser.ModeRelation); err != nil {
		return err
	}
	plan, err := rq.findPlan()
	if err != nil {
		return err
	}
	if plan.Routine.Volatility == catalog.Volatile {
		rq.respondInfo("OPTIONS,POST")
	} else {
		rq.respondInfo("OPTIONS,GET,HEAD,POST")
	}
	return nil
}
