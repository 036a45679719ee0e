package server

import (
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/server/clients"
)

// A panic in a request fails that request and no other. The client gets a 500,
// the log gets the stack, and the client's connection is closed, because part of
// the request may be unread. The connection to PostgreSQL is closed as well
// (pgwire.Conn, pool.Run); requests that share it get an error. The request
// object is not used again.
//
// Goroutines that serve all requests do not recover: the watcher of clients,
// reloads, the listener, the log. Without one of them the process would send wrong
// responses or none. So it ends with the stack on stderr, and its supervisor starts
// it again. The same holds for a panic of fasthttp itself.

// errPanic is the error that the client gets.
var errPanic = newProblem(fasthttp.StatusInternalServerError, "PGRSTX10", "Internal server error")

// panicProblem tells the client if a write may have been committed.
func (rq *request) panicProblem() *problem {
	if !rq.execution.Cost().Used || rq.call.Plan.ReadOnly {
		return errPanic
	}
	p := *errPanic
	return p.withDetails(inDoubt)
}

// panicked makes the response to a request whose handler panicked. rq may be nil.
func (s *Server) panicked(ctx *fasthttp.RequestCtx, rq *request, value any) {
	s.log.Panicked(value, debug.Stack())
	if rq == nil || !rq.respondPanic() {
		resp := &ctx.Response
		resp.Reset()
		resp.SetStatusCode(errPanic.status)
		resp.Header.SetContentType("application/json; charset=utf-8")
		resp.SetBody(errPanic.appendJSON(nil, s.config().ClientErrorVerbosity))
		resp.SkipBody = ctx.IsHead()
	}
	if rq != nil {
		rq.leaveNode()
	}
	ctx.SetConnectionClose()
}

// respondPanic makes the response as for any other error. It reports whether that
// succeeded: it may panic again for the same reason.
func (rq *request) respondPanic() (ok bool) {
	defer func() { ok = recover() == nil }()
	rq.stopStream()
	clients.Unwatch(rq.ctx)
	rq.execution.Result.Body.Drop()
	rq.body.Release()
	rq.fail(rq.panicProblem())
	rq.finish(true)
	rq.observe(false)
	clients.SetVersion(rq.ctx)
	return true
}
