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
	clients.Finish(ctx)
	if b := rq.response.running; b != nil {
		b.handed = true // it ends the request
		return
	}
	rq.end()
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
	if err := rq.readBookmark(); err != nil {
		return err
	}
	if rq.isBatch() {
		return rq.batch()
	}
	return rq.serveResource()
}

// serveResource serves a request for a table, a view or a function, or for /.
func (rq *request) serveResource() error {
	if err := rq.target.route(rq.head.path, rq.snap.config); err != nil {
		return err
	}
	if err := rq.chooseSchema(); err != nil {
		return err
	}
	op, err := rq.chooseOperation()
	if err != nil {
		return err
	}
	rq.plan.Action = op.action
	return op.serve(rq)
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
	rq.prefer.HasReplicas = rq.server.nodes != nil
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
		return newProblem(406, "PGRST106", "Invalid schema: "+string(profile)).
			withHint("Only the following schemas are exposed: " + strings.Join(schemas, ", "))
	}
	rq.target.schema, rq.target.profiled = i, true
	return nil
}

func (rq *request) schemaName() string { return rq.snap.config.DBSchemas[rq.target.schema] }

// operation is what a method does with a resource.
type operation struct {
	action planner.Action
	serve  func(*request) error
}

// operations are those of each kind of resource, by method.
var operations = [...]map[string]operation{
	resourceRoot: {
		fasthttp.MethodGet:     {serve: (*request).root},
		fasthttp.MethodHead:    {serve: (*request).root},
		fasthttp.MethodQuery:   {serve: (*request).root},
		fasthttp.MethodOptions: {serve: (*request).rootInfo},
	},
	resourceRelation: {
		fasthttp.MethodGet:     {planner.Read, (*request).read},
		fasthttp.MethodHead:    {planner.ReadHead, (*request).read},
		fasthttp.MethodQuery:   {planner.Read, (*request).read},
		fasthttp.MethodPost:    {planner.Insert, (*request).write},
		fasthttp.MethodPut:     {planner.Upsert, (*request).write},
		fasthttp.MethodPatch:   {planner.Update, (*request).write},
		fasthttp.MethodDelete:  {planner.Delete, (*request).write},
		fasthttp.MethodOptions: {serve: (*request).relationInfo},
	},
	resourceRoutine: {
		fasthttp.MethodGet:     {planner.CallGet, (*request).routine},
		fasthttp.MethodHead:    {planner.CallHead, (*request).routine},
		fasthttp.MethodQuery:   {planner.CallGet, (*request).routine},
		fasthttp.MethodPost:    {planner.CallPost, (*request).routine},
		fasthttp.MethodOptions: {planner.CallHead, (*request).routineInfo},
	},
}

// chooseOperation finds what the method does with the resource.
func (rq *request) chooseOperation() (operation, error) {
	method := rq.method()
	op, ok := operations[rq.target.resource][string(method)]
	switch {
	case ok:
		return op, nil
	case rq.target.resource == resourceRoutine:
		return op, newProblem(405, "PGRST101", "Cannot use the "+string(method)+" method on RPC")
	}
	return op, newProblem(405, "PGRST117", "Unsupported HTTP method: "+string(method))
}

// parseQuery parses the query string and settles the range of the root's rows.
func (rq *request) parseQuery(mode parser.Mode) error {
	raw, err := rq.queryText()
	if err != nil {
		return err
	}
	rq.query.Extensions = rq.snap.extensions
	if mode == parser.ModeRelation && rq.prefer.Page == header.PageCursor && rq.plan.Action <= planner.ReadHead {
		rq.query.Extensions |= parser.ExtAfter
	}
	if err := rq.query.Parse(raw, mode); err != nil {
		return err
	}
	if rq.part != nil {
		if err := rq.part.resolveQuery(); err != nil {
			return err
		}
	}
	top, err := topRange(rq.method(), rq.query.RootRange(), header.ParseRange(rq.header(fasthttp.HeaderRange)))
	if err != nil {
		return err
	}
	rq.plan.Top = top
	return nil
}

// read serves GET, HEAD and QUERY of a relation.
func (rq *request) read() error {
	if err := rq.parseQuery(parser.ModeRelation); err != nil {
		return err
	}
	if rq.prefer.Page == header.PageCursor {
		if err := rq.openCursor(); err != nil {
			return err
		}
	}
	return rq.run((*request).fillRead)
}

// run finds the plan of a parsed request, executes it, and makes the response. fill
// sets what differs between reads, writes and calls, and returns the status.
func (rq *request) run(fill func(*request, *planner.Plan) (status int, err error)) error {
	rq.timing.parse = rq.lap()
	plan, err := rq.findPlan()
	if err != nil {
		return err
	}
	rq.timing.plan = rq.lap()
	rq.dropPreferences(plan.Plan)
	if rq.part != nil {
		rq.part.prepared(plan, fill)
		return nil
	}
	if err := rq.execute(plan); err != nil {
		return err
	}
	rq.timing.transaction = rq.lap()
	err = rq.respond(plan.Plan, fill)
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
	if p.After != nil && p.After.Fingerprint != kept.Fingerprint {
		return nil, errOtherCursor
	}
	return kept.State.(*exec.Runnable), nil
}

// fail makes err the response.
func (rq *request) fail(err error) {
	resp := &rq.ctx.Response
	rq.stopStream()
	resp.Reset()
	rq.response.noLength, rq.response.spooled = false, -1
	var payload *body.Error
	if errors.Is(err, parser.ErrInvalidUTF8) || errors.As(err, &payload) && payload.Kind == body.InvalidUTF8 {
		// PostgREST fails to encode the error object, and sends this text instead.
		clients.RespondText(rq.ctx, fasthttp.StatusInternalServerError, "Something went wrong")
		return
	}
	p := rq.bulkProblem(err)
	if p == nil {
		p = problemOf(err, rq.authenticated())
	}
	rq.addGrantHint(p, err)
	rq.addPlace(p, err)
	rq.observeProblem(p, err)
	rq.response.retryAfter = p.retryAfter
	resp.SetStatusCode(p.status)
	setReason(&resp.Header, p.status, p.statusText)
	resp.Header.SetContentType("application/json; charset=utf-8")
	resp.Header.Set("Proxy-Status", "PostgREST; error="+p.code)
	resp.Header.DisableNormalizing()
	if p.status == fasthttp.StatusMethodNotAllowed {
		rq.advertiseQuery()
	}
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
