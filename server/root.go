package server

import (
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/openapi"
)

// root responds to GET, HEAD and QUERY of / with a description of the schema.
func (rq *request) root() error {
	// A faulty query string is refused even though nothing in it is used.
	if err := rq.parseQuery(parser.ModeRelation); err != nil {
		return err
	}
	rq.timing.parse = rq.lap()
	if err := rq.acceptsDocument(); err != nil {
		return err
	}
	rq.timing.plan = rq.lap()
	access := &openapi.Access{Everything: rq.snap.config.OpenAPIMode == config.IgnorePrivileges}
	if err := rq.inspect(access); err != nil {
		return err
	}
	rq.timing.transaction = rq.lap()
	rq.respondDocument(access)
	rq.timing.response = rq.lap()
	return nil
}

// acceptsDocument refuses the request unless the client accepts one of the media
// types of the document. Their order does not matter.
func (rq *request) acceptsDocument() error {
	value := rq.header(fasthttp.HeaderAccept)
	if value == nil {
		return nil
	}
	refused := &planner.Error{Kind: planner.NotAcceptable}
	for _, m := range header.ParseAccept(nil, value) {
		switch m.Kind {
		case header.OpenAPI, header.JSON, header.Any:
			return nil
		}
		refused.Accepted = append(refused.Accepted, m.String())
	}
	return refused
}

var (
	schemaComment       = pgwire.NewStmt(sqlgen.SchemaComment)
	accessibleRelations = pgwire.NewStmt(sqlgen.AccessibleRelations)
	accessibleRoutines  = pgwire.NewStmt(sqlgen.AccessibleRoutines)
)

// inspect asks the database what the role may use.
func (rq *request) inspect(access *openapi.Access) error {
	schema := bytesOf(rq.schemaName())
	question := func(s *pgwire.Stmt, kind openapi.Kind) exec.Question {
		return exec.Question{Stmt: s, Arg: schema, Take: func(values [][]byte) bool { return access.Add(kind, values) }}
	}
	questions := []exec.Question{question(schemaComment, openapi.Comment)}
	if !access.Everything && !rq.ctx.IsHead() {
		questions = append(questions, question(accessibleRelations, openapi.Relation), question(accessibleRoutines, openapi.Routine))
	}
	c := rq.fillCall(exec.Inspection)
	clients.Watch(rq.ctx, rq)
	defer clients.Unwatch(rq.ctx)
	if rq.server.nodes == nil { // fast path
		return rq.execution.Ask(rq.snap.rules, c, questions, access.Reset)
	}
	return rq.onNode(rq.mayReplicate(c.Plan), func() error { return rq.execution.Ask(rq.snap.rules, c, questions, access.Reset) })
}

// respondDocument makes the document the response, rendered now or before. It is
// shared by all who get it, so fasthttp must not copy it, nor keep it.
func (rq *request) respondDocument(access *openapi.Access) {
	resp := &rq.ctx.Response
	rq.setContentType(header.Media{Kind: header.OpenAPI})
	rq.setVary()
	if rq.ctx.IsHead() {
		resp.SkipBody = true
		return
	}
	schema := rq.schemaName()
	resp.SetBodyRaw(rq.snap.documents.Get(access.Key(schema), func() []byte {
		c, start := rq.snap.config, rq.server.startConfig // a reload does not change the address
		return access.Document(schema, rq.snap.planner.Catalog(), openapi.Settings{
			Version:        rq.server.options.Version,
			ProxyURI:       c.OpenAPIServerProxyURI,
			Host:           start.ServerHost,
			Port:           start.ServerPort,
			SecurityActive: c.OpenAPISecurityActive,
		}).Append(nil)
	}))
}
