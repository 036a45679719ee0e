package planner

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// LineFormat is the format of a response with a line for each row. Such a response
// needs neither a count of the rows nor an end, so it can be sent while PostgreSQL
// produces the rows.
type LineFormat uint8

const (
	NoLines   LineFormat = iota
	JSONLines            // application/x-ndjson
	CSVLines             // text/csv that is streamed
)

// setLines settles the format of the lines. CSV has lines only if it is streamed:
// otherwise PostgreSQL makes the whole body.
func (p *Plan) setLines(r *Request, body sqlgen.Body) {
	switch {
	case p.Explain:
	case body.Kind == sqlgen.BodyLines:
		p.Lines = JSONLines
	case body.Kind == sqlgen.BodyCSV && r.Prefer.Stream == header.StreamRows && p.Streams():
		p.Lines = CSVLines
	}
	p.Rows = p.Rows || p.Lines != NoLines
}

// Streams reports whether the rows may be sent before the transaction has ended. The
// response to a write confirms its commit. For one row streaming saves nothing.
func (p *Plan) Streams() bool { return p.ReadOnly && !p.One }

// Uncounted reports whether the response states no number of rows, because its head may
// be sent before they are known.
func (p *Plan) Uncounted() bool { return p.Lines != NoLines && !p.Action.Writes() }

// refusedCount returns count= as the client has sent it if the plan cannot count.
func (r *Request) refusedCount(p *Plan) string {
	if p == nil || !p.Uncounted() {
		return ""
	}
	return [...]string{header.CountExact: "count=exact", header.CountPlanned: "count=planned", header.CountEstimated: "count=estimated"}[r.Prefer.Count]
}

// convertsRows reports whether PostgreSQL turns the values of rows into JSON or text.
func (p *Plan) convertsRows() bool { return !p.Rows || p.Lines == CSVLines }
