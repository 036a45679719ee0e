package server

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/spool"
)

// execute runs the plan while it watches the client.
func (rq *request) execute(plan *exec.Runnable) error {
	c := rq.callOf(plan)
	clients.Watch(rq.ctx, rq)
	err := rq.preparePieces(plan.Plan)
	if err == nil {
		err = rq.runCall(c)
	}
	if rq.response.running == nil {
		clients.Unwatch(rq.ctx)
	}
	return err
}

// runOnce runs a call, or the part of it that comes before the first rows to be sent.
func (rq *request) runOnce(c *exec.Call) error {
	if c.CanStream() && clients.TakesChunks(rq.ctx) {
		return rq.stream(c)
	}
	return rq.execution.Run(rq.snap.rules, c)
}

// callOf fills the call of a plan.
func (rq *request) callOf(plan *exec.Runnable) *exec.Call {
	c := rq.fillCall(plan)
	switch {
	case plan.Action == planner.CallGet || plan.Action == planner.CallHead:
		c.Args, c.PayloadForm = rq.query.Args, exec.PayloadArgs
	case plan.Action == planner.CallPost && rq.plan.ContentType.Kind == header.Form:
		c.FormArgs, c.PayloadForm = rq.payload.Pairs, exec.PayloadArgs
	case rq.plan.ContentType.Kind == header.OctetStream:
		c.PayloadForm = exec.PayloadBytes
	}
	c.Payload = rq.payload.Raw
	c.Values, c.Top, c.Ranges = rq.query.Values, rq.plan.Top, rq.query.Ranges
	c.After = rq.after
	return c
}

// fillCall fills the part of the call that does not depend on the query string
// or the payload.
func (rq *request) fillCall(plan *exec.Runnable) *exec.Call {
	without := rq.snap.rules.Without(plan)
	rq.settings.build(&rq.ctx.Request.Header, without)
	rq.call = exec.Call{
		Plan: plan, Schema: rq.target.schema, Without: without,
		Settings: [sqlgen.RequestSettings][]byte{
			sqlgen.SettingRole:    bytesOf(rq.caller.Role),
			sqlgen.SettingClaims:  rq.caller.Claims,
			sqlgen.SettingMethod:  rq.method(),
			sqlgen.SettingPath:    rq.head.path,
			sqlgen.SettingHeaders: rq.settings.headersJSON,
			sqlgen.SettingCookies: rq.settings.cookiesJSON,
		},
		Bookmark:       rq.server.nodes != nil,
		Rollback:       rq.rollsBack(),
		MaxAffected:    rq.prefer.MaxAffected,
		HasMaxAffected: rq.prefer.HasMaxAffected && rq.prefer.Handling == header.HandlingStrict,
		LogID:          rq.trace.logID,
	}
	if rq.prefer.HasTimezone {
		rq.call.Settings[sqlgen.SettingTimezone] = rq.prefer.Timezone
	}
	return &rq.call
}

// rollsBack reports whether the transaction is to be rolled back in the end.
func (rq *request) rollsBack() bool {
	switch rq.prefer.Tx {
	case header.TxCommit:
		return false
	case header.TxRollback:
		return true
	}
	return rq.snap.config.DBTxEnd.Rollback
}

// result returns the result of the call. It is valid until the request ends.
func (rq *request) result() *exec.Result { return &rq.execution.Result }

// spoolLimits are the limits of spooled bodies, in bytes.
func spoolLimits(c *config.Config) spool.Limits {
	return spool.Limits{Body: c.SpoolThreshold, Files: int64(c.SpoolMaxSize) << 20}
}
