package server

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/life"
	"github.com/fastgrest/fastgrest/server/metrics"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// Requests, tokens and pool connections are reported to the log and to the
// metrics. Nothing here changes a response.

// observe counts the response and logs it. The bytes of a spooled or streamed body are
// counted when it has been sent, and the request is logged then.
func (rq *request) observe(preflight bool) {
	s := rq.server
	status, cost := rq.ctx.Response.StatusCode(), rq.execution.Cost()
	late, _ := rq.ctx.Response.BodyStream().(lateBody)
	m := metrics.Response{
		Shard: rq.trace.shard, Route: rq.metricsRoute(), Method: rq.method(), Status: status,
		Total: time.Since(rq.trace.began), UsedDatabase: cost.Used, Database: cost.Database, Waited: cost.Waited,
		Plan: rq.trace.lookup, StatementsReused: cost.StatementsReused, StatementsParsed: cost.StatementsParsed,
	}
	if late == nil {
		m.Bytes = rq.length()
	}
	s.metrics.Count(&m)
	logged := !preflight && s.log.LogsStatus(status) // PostgREST does not log preflights either
	var a oplog.Access
	if logged {
		a = rq.access(&m)
		if sql := rq.execution.SQL(); len(sql) > 0 {
			s.log.Query(a.ID, status, sql...)
		}
	}
	switch {
	case late != nil:
		late.observe(rq, a, logged)
	case logged:
		s.log.Access(&a)
	}
}

// access describes the request for the log.
func (rq *request) access(m *metrics.Response) oplog.Access {
	ctx := rq.ctx
	a := oplog.Access{
		Remote: ctx.RemoteAddr(), Method: rq.method(), Target: rq.head.uri,
		HTTP10: !ctx.Request.Header.IsHTTP11(), Status: m.Status, Length: m.Bytes,
		Referer: ctx.Request.Header.Referer(), UserAgent: ctx.Request.Header.UserAgent(),
	}
	if resp := &ctx.Response; ctx.IsHead() && !resp.IsBodyStream() && len(resp.Body()) > 0 { // an error: its length is stated
		a.Length = int64(len(resp.Body()))
	}
	if rq.caller.known {
		a.Role = bytesOf(rq.caller.Role)
	}
	if rq.server.log.JSON() {
		a.ID, a.Route, a.Code = rq.requestID(), m.Route.Name(), rq.response.code
		if n := rq.trace.node; n != nil {
			a.Node = n.Name
		}
		a.Total, a.UsedDatabase, a.Database, a.Waited = m.Total, m.UsedDatabase, m.Database, m.Waited
	}
	return a
}

// metricsRoute returns the route of the path, Unknown if the path has no resource.
func (rq *request) metricsRoute() *metrics.Route {
	m := rq.server.metrics
	if len(rq.head.path) <= 1 {
		return m.Root
	}
	if !rq.target.routed && rq.target.route(rq.head.path, rq.snap.config) != nil { // the request may have been refused before routing
		return m.Unknown
	}
	routes := m.Relations
	if rq.target.resource == resourceRoutine {
		routes = m.Routines
	}
	if r := routes.Find(rq.target.name); r != nil { // fast path
		return r
	}
	p := rq.snap.planner
	if p == nil {
		return m.Unknown
	}
	name := catalog.QI{Schema: rq.schemaName(), Name: string(rq.target.name)}
	exists := p.Catalog().Tables[name] != nil
	if rq.target.resource == resourceRoutine {
		exists = p.Catalog().Routines[name] != nil
	}
	if !exists {
		return m.Unknown
	}
	return routes.Add(rq.target.name)
}

// maxRequestID is how many bytes of a client's trace header are logged.
const maxRequestID = 128

// requestID returns the id of the request in the log: the value of the trace
// header, else the name of this process and a number.
func (rq *request) requestID() []byte {
	if len(rq.trace.id) > 0 {
		return rq.trace.id
	}
	if name := rq.snap.config.ServerTraceHeader; name != "" {
		value := rq.header(name)
		rq.trace.id = append(rq.trace.id, value[:min(len(value), maxRequestID)]...)
	}
	if len(rq.trace.id) == 0 {
		rq.trace.id = append(append(rq.trace.id, rq.server.name...), '-')
		rq.trace.id = strconv.AppendUint(rq.trace.id, rq.server.requestNumber.Add(1), 16)
	}
	return rq.trace.id
}

// logID returns requestID if the log shows it, else nil.
func (rq *request) logID() []byte {
	if !rq.server.log.JSON() {
		return nil
	}
	return rq.requestID()
}

// processName is a random name for this process.
func processName() string {
	return strconv.FormatUint(uint64(rand.Uint32())|1<<31, 16)
}

// length returns the length of the body that is sent, -1 if the response states none.
func (rq *request) length() int64 {
	resp := &rq.ctx.Response
	switch {
	case rq.ctx.IsHead():
		return -1
	case resp.IsBodyStream():
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

// observeProblem logs failed requests whose cause concerns the operator.
func (rq *request) observeProblem(p *problem, err error) {
	rq.response.code = p.code
	log := rq.server.log
	switch {
	case p == errNoCatalog:
		log.SchemaCacheEmpty(rq.logID(), string(p.appendJSON(nil, config.Verbose)))
	case p.code == errPanic.code: // logged with its stack
	case p == errAcquire:
		log.PoolTimeout(string(p.appendJSON(nil, config.Verbose)))
	case p.status >= 500 && tellsMore(p, err):
		log.QueryFailed(rq.logID(), string(p.appendJSON(nil, config.Verbose)))
	}
	rq.server.checkFatal(err, false)
}

// tellsMore reports whether the error of a failed request is logged in addition
// to the access line. PostgREST logs it if the database has failed. It does not if
// a function set an invalid response or if there was no connection.
func tellsMore(p *problem, err error) bool {
	var conn *pgwire.ConnError
	switch {
	case p == errHeadersSetting, p == errStatusSetting, p == errShuttingDown:
		return false
	case p.code == tokenCodes[auth.GroupKeys].code: // the log has the failed fetches
		return false
	case errors.As(err, &conn):
		return conn.Kind != pgwire.CannotConnect
	}
	return true
}

// --- for log-level = debug ---

func (s *Server) debugging() bool { return s.log.Level() >= oplog.Debug }

// observePool follows the connections of the pool.
func (s *Server) observePool(e pool.Event) {
	if e.Kind == pool.Connected {
		s.listener.Reached()
	}
	if e.Kind == pool.FailedOver {
		s.log.Strayed()
		s.life.Ask(life.Relisten)
	}
	if e.Kind == pool.Closed && e.Err != nil {
		s.log.ResetFailed(e.Err)
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
	case pool.ConnectFailed, pool.ConnectDelayed:
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
	pool.Aged: oplog.ConnAged, pool.PoolClosed: oplog.ConnReleased, pool.Failover: oplog.ConnReleased,
}

// debugToken is called before a token is verified. The function that it returns is
// called afterwards, and logs the use of the token cache.
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
