package server

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// readPayload reads the request's body as far as the plan depends on it.
func (rq *request) readPayload() error {
	p := &rq.plan
	p.ContentType = header.Media{Kind: header.JSON}
	if value := rq.head.raw.ContentType; value != nil && !rq.isQuery() {
		p.ContentType = header.ParseContentType(value)
	}
	rq.payload.Reset()
	if p.Action == planner.Delete || p.Action == planner.CallGet || p.Action == planner.CallHead {
		return nil
	}
	if p.ContentType.Kind == header.NDJSON && p.Action == planner.Insert {
		return rq.readLines()
	}
	raw, err := rq.body.Read(rq.worthReading)
	if err != nil {
		return err
	}
	call := p.Action == planner.CallPost
	columns := rq.query.HasColumns && p.Action != planner.Upsert
	switch kind := p.ContentType.Kind; {
	case kind == header.JSON && columns:
		rq.payload.SetRaw(raw)
	case kind == header.JSON:
		err = rq.payload.ParseJSON(raw, call)
	case kind == header.CSV:
		rq.payload.converted, err = rq.payload.ParseCSV(rq.payload.converted[:0], raw, rq.snap.config.ServerMaxBodySize)
	case kind == header.Form && call:
		err = rq.payload.ParseArgs(raw)
	case kind == header.Form:
		rq.payload.converted, err = rq.payload.ParseForm(rq.payload.converted[:0], raw)
	case call && (kind == header.Plain || kind == header.XML || kind == header.OctetStream):
		rq.payload.SetRaw(raw)
		rq.payload.IsObject = false
		return nil
	default:
		return newProblem(400, "PGRST102", "Content-Type not acceptable: "+p.ContentType.String())
	}
	if err == nil {
		err = rq.body.Count(cap(rq.payload.converted))
	}
	if err != nil {
		return err
	}
	p.PayloadObject = rq.payload.IsObject
	p.Columns = rq.payload.Keys
	if p.ContentType.Kind == header.JSON {
		p.Payload = &rq.payload.Payload
		if columns {
			p.Columns = rq.query.Columns
		}
	}
	return nil
}

// worthReading returns an error if the resource does not exist.
func (rq *request) worthReading() error {
	q := catalog.QI{Schema: rq.schemaName(), Name: string(rq.target.name)}
	p := rq.snap.planner
	switch {
	case rq.target.resource == resourceRelation && p.Catalog().Tables[q] == nil:
		return p.NotFound(q)
	case rq.target.resource == resourceRoutine && p.Catalog().Routines[q] == nil:
		return p.NoRoutine(q)
	}
	return nil
}
