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
// There is no recovery in goroutines that serve all requests: the watcher of
// clients, reloads, the listener, the log. Without them the process would go on
// and answer wrongly or not at all; it ends with the stack on stderr, and whatever
// supervises it starts it again. The same holds for a panic of fasthttp itself.

// errPanic is what the client is told.
var errPanic = newProblem(fasthttp.StatusInternalServerError, "PGRSTX10", "Internal server error")

// panicProblem says so if a write may have been committed.
func (rq *request) panicProblem() *problem {
	if !rq.execution.Cost().Used || rq.call.Plan.ReadOnly {
		return errPanic
	}
	p := *errPanic
	return p.withDetails(inDoubt)
}

// panicked answers a request whose handling panicked. rq may be nil.
func (s *Server) panicked(ctx *fasthttp.RequestCtx, rq *request, value any) {
	s.log.Panicked(value, debug.Stack())
	if rq == nil || !rq.answerPanic() {
		resp := &ctx.Response
		resp.Reset()
		resp.SetStatusCode(errPanic.status)
		resp.Header.SetContentType("application/json; charset=utf-8")
		resp.SetBody(errPanic.appendJSON(nil, s.config().ClientErrorVerbosity))
		resp.SkipBody = ctx.IsHead()
	}
	ctx.SetConnectionClose()
}

// answerPanic answers like any other error. It reports whether that succeeded:
// what panicked may panic again.
func (rq *request) answerPanic() (ok bool) {
	defer func() { ok = recover() == nil }()
	rq.unwatch()
	rq.execution.Result.Body.Drop()
	rq.body.Release()
	rq.fail(rq.panicProblem())
	rq.finish(true)
	rq.observe(false)
	clients.AnswerVersion(rq.ctx)
	return true
}
