package server

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/openapi"
)

// root answers GET and HEAD of / with a description of the schema.
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

// acceptsDocument wants one of the media types of the document among those the
// client takes, whatever their order.
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

// inspection is what a transaction needs to know of a plan.
var inspection = &planner.Plan{ReadOnly: true}

var (
	schemaComment       = pgwire.NewStmt(sqlgen.SchemaComment)
	accessibleRelations = pgwire.NewStmt(sqlgen.AccessibleRelations)
	accessibleRoutines  = pgwire.NewStmt(sqlgen.AccessibleRoutines)
)

// inspect asks the database what the role may use.
func (rq *request) inspect(access *openapi.Access) error {
	ctx := &rq.interest
	rq.watch(true)
	defer rq.unwatch()
	return again(func() error { return rq.inspectOn(ctx, access) })
}

func (rq *request) inspectOn(ctx context.Context, access *openapi.Access) error {
	conn, err := rq.acquire(ctx, pool.Alone)
	if err != nil {
		return err
	}
	defer conn.Release()
	rq.buildSettings()
	for attempt := 0; ; attempt++ {
		access.Reset()
		err := rq.flyInspection(ctx, conn.Conn, access)
		var server *pgwire.Error
		if attempt == maxAttempts || !errors.As(err, &server) || !server.Stale() {
			return err
		}
	}
}

// flyInspection is one flight, as any request's. What the pre-request function
// asks of the response does not count here: PostgREST does not look.
func (rq *request) flyInspection(ctx context.Context, conn *pgwire.Conn, access *openapi.Access) error {
	rq.result.reset()
	tx := rq.transaction(inspection, false)
	f := &rq.flight
	f.Reset()
	f.Limit(rq.flightLimit(inspection))
	if tx.explicit {
		f.Begin(tx.isolation, true)
	}
	rq.addSettings(f, inspection)
	if rq.snap.preRequest != nil {
		f.LeavesState(rq.snap.sessionState)
		f.Add(rq.snap.preRequest, nil)
	}
	schema := bytesOf(rq.schemaName())
	f.Add(schemaComment, &accessSink{access, openapi.Comment})
	f.Arg(schema)
	if !access.Everything && !rq.ctx.IsHead() {
		f.Add(accessibleRelations, &accessSink{access, openapi.Relation})
		f.Arg(schema)
		f.Add(accessibleRoutines, &accessSink{access, openapi.Routine})
		f.Arg(schema)
	}
	rq.note(tx)
	if tx.explicit {
		f.Commit()
	}
	err := rq.send(ctx, conn)
	if err != nil && tx.explicit {
		return rq.rollBack(ctx, conn, err)
	}
	return err
}

// accessSink hands rows on to the access they belong to.
type accessSink struct {
	access *openapi.Access
	kind   openapi.Kind
}

func (s *accessSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *accessSink) Row(values [][]byte) error {
	if !s.access.Add(s.kind, values) {
		return errStale
	}
	return nil
}

func (s *accessSink) Complete([]byte) {}

// respondDocument answers with the document, rendered now or before. It is
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
		c := rq.snap.config
		return access.Document(schema, rq.snap.planner.Catalog(), openapi.Settings{
			Version:        rq.server.options.Version,
			ProxyURI:       c.OpenAPIServerProxyURI,
			Host:           c.ServerHost,
			Port:           c.ServerPort,
			SecurityActive: c.OpenAPISecurityActive,
		}).Append(nil)
	}))
}
