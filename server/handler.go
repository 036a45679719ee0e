package server

import (
	"errors"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/metrics"
)

// handle serves one request.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	var rq *request
	defer func() {
		if value := recover(); value != nil {
			s.panicked(ctx, rq, value)
		}
	}()
	h, ok := clients.ReadHead(ctx)
	if !ok {
		return
	}
	rq = s.requests.Get().(*request)
	rq.begin(ctx, s.snapshot.Load(), h)
	preflight := rq.preflight()
	if !preflight {
		err := rq.serve()
		if err != nil {
			rq.fail(err)
		}
		rq.finish(err != nil)
	}
	rq.body.Skip()
	if s.draining.Load() {
		ctx.Response.SetConnectionClose()
	}
	rq.observe(preflight)
	rq.end()
	clients.Finish(ctx)
	s.requests.Put(rq)
}

// serve is the straight line of a request. The order of its steps decides
// which error a request with several faults gets.
func (rq *request) serve() error {
	if rq.snap.config.ServerTimingEnabled {
		rq.timing.last = time.Now()
	}
	if err := rq.identify(); err != nil {
		return err
	}
	rq.timing.jwt = rq.lap()
	if rq.snap.planner == nil {
		return errNoCatalog
	}
	rq.readPrefer()
	if err := rq.target.route(rq.head.path, rq.snap.config); err != nil {
		return err
	}
	if err := rq.chooseSchema(); err != nil {
		return err
	}
	handle, err := rq.chooseHandler()
	if err != nil {
		return err
	}
	return handle(rq)
}

// identify authenticates the request.
func (rq *request) identify() (err error) {
	token := rq.head.raw.Authorization
	defer rq.debugToken(token)()
	rq.caller.Identity, err = rq.snap.auth.Identify(token, rq.trace.began)
	rq.caller.known = err == nil
	return err
}

// authenticated reports whether the role is not the anonymous one.
func (rq *request) authenticated() bool {
	return rq.caller.Role != rq.snap.config.DBAnonRole
}

func (rq *request) readPrefer() {
	rq.prefer.Reset()
	allowTx := rq.snap.config.DBTxEnd.AllowOverride
	for _, value := range rq.ctx.Request.Header.PeekAll("Prefer") {
		rq.prefer.Add(value, allowTx)
	}
}

// chooseSchema reads the schema from Accept-Profile, or from Content-Profile if
// the method has a body. If several schemas are exposed, the response names the
// schema even if the request does not.
func (rq *request) chooseSchema() error {
	name := "Accept-Profile"
	if m := &rq.ctx.Request.Header; m.IsPost() || m.IsPatch() || m.IsPut() || m.IsDelete() {
		name = "Content-Profile"
	}
	schemas := rq.snap.config.DBSchemas
	profile := rq.header(name)
	if profile == nil {
		rq.target.profiled = len(schemas) != 1
		return nil
	}
	i, ok := rq.snap.schemaNames[string(profile)]
	if !ok {
		return unknownSchema(string(profile), schemas)
	}
	rq.target.schema, rq.target.profiled = i, true
	return nil
}

func (rq *request) schemaName() string { return rq.snap.config.DBSchemas[rq.target.schema] }

// chooseHandler returns the function that serves the method and the resource. For
// relations it also sets the action of the plan.
func (rq *request) chooseHandler() (func(*request) error, error) {
	method := rq.method()
	switch rq.target.resource {
	case resourceRoutine:
		switch string(method) {
		case fasthttp.MethodGet, fasthttp.MethodHead, fasthttp.MethodPost:
			return (*request).routine, nil
		case fasthttp.MethodOptions:
			return (*request).routineInfo, nil
		}
		return nil, rpcMethod(string(method))
	case resourceRelation:
		switch string(method) {
		case fasthttp.MethodGet:
			rq.plan.Action = planner.Read
			return (*request).read, nil
		case fasthttp.MethodHead:
			rq.plan.Action = planner.ReadHead
			return (*request).read, nil
		case fasthttp.MethodPost:
			rq.plan.Action = planner.Insert
			return (*request).write, nil
		case fasthttp.MethodPut:
			rq.plan.Action = planner.Upsert
			return (*request).write, nil
		case fasthttp.MethodPatch:
			rq.plan.Action = planner.Update
			return (*request).write, nil
		case fasthttp.MethodDelete:
			rq.plan.Action = planner.Delete
			return (*request).write, nil
		case fasthttp.MethodOptions:
			return (*request).relationInfo, nil
		}
	case resourceRoot:
		switch string(method) {
		case fasthttp.MethodGet, fasthttp.MethodHead:
			return (*request).root, nil
		case fasthttp.MethodOptions:
			return (*request).rootInfo, nil
		}
	}
	return nil, unsupportedMethod(string(method))
}

// parseQuery parses the query string and settles the range of the root's rows.
func (rq *request) parseQuery(mode parser.Mode) error {
	if err := rq.query.Parse(rq.head.rawQuery, mode); err != nil {
		return err
	}
	top, err := topRange(rq.method(), rq.query.RootRange(), header.ParseRange(rq.header(fasthttp.HeaderRange)))
	if err != nil {
		return err
	}
	rq.plan.Top = top
	return nil
}

// read serves GET and HEAD of a relation.
func (rq *request) read() error {
	if err := rq.parseQuery(parser.ModeRelation); err != nil {
		return err
	}
	return rq.run((*request).respondRead)
}

// run finds the plan of a parsed request, executes it, and has respond make the
// response.
func (rq *request) run(respond func(*request, *planner.Plan) error) error {
	rq.timing.parse = rq.lap()
	plan, err := rq.findPlan()
	if err != nil {
		return err
	}
	rq.timing.plan = rq.lap()
	if err := rq.execute(plan); err != nil {
		return err
	}
	rq.timing.transaction = rq.lap()
	err = respond(rq, plan.Plan)
	rq.timing.response = rq.lap()
	return err
}

// findPlan looks the plan up by the request's shape, or makes it.
func (rq *request) findPlan() (*exec.Runnable, error) {
	p := &rq.plan
	p.Schema = rq.schemaName()
	p.Target = rq.target.name
	p.Query = &rq.query
	p.Prefer = &rq.prefer
	p.Accept = rq.header(fasthttp.HeaderAccept)
	p.HasAccept = p.Accept != nil
	kept, hit, err := rq.snap.planner.Find(p)
	switch {
	case hit:
		rq.trace.lookup = metrics.Hit
	case err == nil:
		rq.trace.lookup = metrics.Miss
	default:
		rq.trace.lookup = metrics.NoLookup // there is no plan
	}
	if err != nil {
		return nil, err
	}
	return kept.State.(*exec.Runnable), nil
}

// fail makes err the response.
func (rq *request) fail(err error) {
	resp := &rq.ctx.Response
	resp.Reset()
	rq.response.noLength, rq.response.streamed = false, -1
	var payload *body.Error
	if errors.Is(err, parser.ErrInvalidUTF8) || errors.As(err, &payload) && payload.Kind == body.InvalidUTF8 {
		// PostgREST fails to encode the error object, and sends this text instead.
		clients.RespondText(rq.ctx, fasthttp.StatusInternalServerError, "Something went wrong")
		return
	}
	p := problemOf(err, rq.authenticated())
	rq.observeProblem(p, err)
	rq.response.retryAfter = p.retryAfter
	resp.SetStatusCode(p.status)
	setReason(&resp.Header, p.status, p.statusText)
	resp.Header.SetContentType("application/json; charset=utf-8")
	resp.Header.Set("Proxy-Status", "PostgREST; error="+p.code)
	resp.Header.DisableNormalizing()
	for _, h := range p.headers {
		if strings.EqualFold(h[0], fasthttp.HeaderContentType) {
			clients.AddContentType(&resp.Header, h[0], h[1])
			continue
		}
		resp.Header.Add(h[0], h[1])
	}
	resp.SwapBody(p.appendJSON(resp.SwapBody(nil)[:0], rq.snap.config.ClientErrorVerbosity))
	resp.SkipBody = rq.ctx.IsHead()
}
