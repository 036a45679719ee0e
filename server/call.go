package server

import (
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// routine serves GET, HEAD and POST of a routine.
func (rq *request) routine() error {
	mode := parser.ModeCallRead
	switch {
	case rq.ctx.IsGet():
		rq.plan.Action = planner.CallGet
	case rq.ctx.IsHead():
		rq.plan.Action = planner.CallHead
	default:
		rq.plan.Action = planner.CallPost
		mode = parser.ModeCall
	}
	if err := rq.parseQuery(mode); err != nil {
		return err
	}
	if err := rq.readPayload(); err != nil {
		return err
	}
	return rq.run((*request).respondCall)
}

// respondCall makes the response to a call from its Result.
func (rq *request) respondCall(plan *planner.Plan) error {
	if plan.Explain {
		return rq.respondPlan(plan)
	}
	resp := &rq.ctx.Response
	status := rq.respondRange(plan)
	p := rq.prefer
	p.Resolution, p.Representation, p.Missing = 0, 0, 0
	rq.response.scratch = p.AppendApplied(rq.response.scratch[:0])
	if len(rq.response.scratch) > 0 {
		resp.Header.SetCanonical(headerPreferenceApplied, rq.response.scratch)
	}
	if plan.Void {
		status = fasthttp.StatusNoContent
		rq.result().Body.Drop()
		rq.response.noLength = true
	} else {
		rq.setContentType(plan.Media)
	}
	resp.SetStatusCode(status)
	rq.setBody()
	if err := rq.applyResponseSettings(); err != nil {
		return err
	}
	rq.setWarning(plan)
	rq.setVary()
	return nil
}

// routineInfo responds to OPTIONS of a routine with the methods it allows.
func (rq *request) routineInfo() error {
	rq.plan.Action = planner.CallHead
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
