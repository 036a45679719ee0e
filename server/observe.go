package server

import (
	"context"
	"errors"
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// What is told of requests, and of what goes on below them: to the log and to
// the metrics. Nothing here changes an answer.

// count adds the request to the metrics.
func (rq *request) count() { rq.server.metrics.Request(rq.ctx.Response.StatusCode()) }

// log logs the request and, if that is asked for, its statements.
func (rq *request) log() {
	s, ctx := rq.server, rq.ctx
	status := ctx.Response.StatusCode()
	if !s.log.LogsStatus(status) {
		return
	}
	if len(rq.statements) > 0 {
		s.log.Query(status, rq.statements...)
	}
	a := oplog.Access{
		Remote: ctx.RemoteAddr(), Method: rq.method(), Target: ctx.Request.Header.RequestURI(),
		HTTP10: !ctx.Request.Header.IsHTTP11(), Status: status, Length: rq.length(),
		Referer: ctx.Request.Header.Referer(), UserAgent: ctx.Request.Header.UserAgent(),
	}
	if rq.known {
		a.Role = bytesOf(rq.identity.Role)
	}
	s.log.Access(&a)
}

// length is what the answer says about the length of its body, -1 if it says
// nothing.
func (rq *request) length() int64 {
	resp := &rq.ctx.Response
	switch {
	case rq.streamed >= 0:
		return rq.streamed
	case resp.IsBodyStream(), rq.ctx.IsHead():
		return -1
	}
	switch status := resp.StatusCode(); status {
	case fasthttp.StatusNoContent, fasthttp.StatusNotModified:
		if n := resp.Header.ContentLength(); n > 0 {
			return int64(n)
		}
		return -1
	}
	return int64(len(resp.Body()))
}

// note keeps the SQL of the flight that is about to be sent, in case the
// request is going to be logged. What opens a transaction is left out, as in
// PostgREST's log; values are parameters, and so are not there at all.
func (rq *request) note(tx transaction) {
	if !rq.snap.config.LogQuery {
		return
	}
	first := 0
	if tx.explicit {
		first = 1
	}
	rq.statements = rq.statements[:0]
	for i := first; i < rq.flight.Len(); i++ {
		rq.statements = append(rq.statements, rq.flight.SQL(i))
	}
}

// observeLegacyNames logs which names a client should write instead.
func (s *Server) observeLegacyNames(rq *request, plan *planner.Plan) {
	replacements := make([][2]string, len(plan.LegacyNames))
	for i, n := range plan.LegacyNames {
		replacements[i] = [2]string{n.Name, n.Alias}
	}
	s.log.LegacyTargetNames(replacements, string(rq.method()), string(rq.ctx.Request.Header.RequestURI()))
}

// observeProblem logs what an operator wants to know of failed requests.
func (s *Server) observeProblem(p *problem, err error) {
	switch {
	case p == errNoCatalog:
		s.log.SchemaCacheEmpty(string(p.appendJSON(nil, config.Verbose)))
	case errors.Is(err, pool.ErrAcquireTimeout):
		s.log.PoolTimeout(string(p.appendJSON(nil, config.Verbose)))
	case p.status >= 500:
		s.log.QueryFailed(string(p.appendJSON(nil, config.Verbose)))
	}
}

// --- for log-level = debug ---

func (s *Server) debugging() bool { return s.log.Level() >= oplog.Debug }

// acquire borrows a connection.
func (s *Server) acquire(ctx context.Context) (*pool.Conn, error) {
	s.log.PoolRequest()
	conn, err := s.pool.Acquire(ctx)
	if err == nil {
		s.log.PoolBorrowed()
	}
	return conn, err
}

// observePool follows the connections of the pool.
func (s *Server) observePool(e pool.Event) {
	if e.Kind == pool.Connected && s.listener.Load() == listenerOff {
		wish(s.reloads.reached)
	}
	if !s.debugging() || e.Conn == 0 {
		return
	}
	id := strconv.FormatUint(e.Conn, 10)
	switch e.Kind {
	case pool.Connecting:
		s.log.PoolConn(id, oplog.ConnConnecting)
	case pool.Connected:
		s.log.PoolConn(id, oplog.ConnEstablished)
	case pool.ConnectFailed, pool.Crowded:
		s.log.PoolConn(id, oplog.ConnBroken)
	case pool.Acquired:
		s.log.PoolConn(id, oplog.ConnUsed)
	case pool.Released:
		s.log.PoolConn(id, oplog.ConnReturned)
	case pool.Closed:
		s.log.PoolConn(id, closedStates[e.Reason])
	}
}

var closedStates = [...]oplog.ConnState{
	pool.Broken: oplog.ConnBroken, pool.Flushed: oplog.ConnReleased, pool.Idle: oplog.ConnIdled,
	pool.Aged: oplog.ConnAged, pool.PoolClosed: oplog.ConnReleased,
}

// debugToken is called before a token is looked at; what it returns, after.
func (rq *request) debugToken(token []byte) (after func()) {
	s := rq.server
	if !s.debugging() || len(token) == 0 {
		return nothing
	}
	before := rq.snap.auth.CacheStats()
	return func() {
		now := rq.snap.auth.CacheStats()
		if now.Requests > before.Requests {
			s.log.TokenLookup()
		}
		for range now.Evictions - before.Evictions {
			s.log.TokenEvicted()
		}
	}
}

func nothing() {}
