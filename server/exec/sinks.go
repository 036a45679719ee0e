package exec

import (
	"bytes"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// A sink takes the rows of one statement into the Result. It knows the plan, the
// prepared form and the Result; no sink can reach the Call or what the client
// sent (TestSinksSeeNoRequest).

// sinks are those of an Execution, so that adding one to a flight does not
// allocate.
type sinks struct {
	rows     rowsSink
	lines    linesSink
	stream   streamSink
	tag      tagSink
	plan     planSink
	value    valueSink
	large    largeSink
	estimate estimateSink
	settings settingsSink
}

func newSinks(out *Result) sinks {
	s := sink{out}
	return sinks{
		rows: rowsSink{sink: s}, lines: linesSink{rowsSink{sink: s}}, stream: streamSink{linesSink{rowsSink{sink: s}}},
		tag: tagSink{s}, plan: planSink{s}, value: valueSink{sink: s},
		large: largeSink{valueSink{sink: s}}, estimate: estimateSink{s}, settings: settingsSink{s},
	}
}

// sink is the base of all sinks. Columns and command tag are of no interest.
type sink struct{ out *Result }

func (sink) Fields([]pgproto3.FieldDescription) error { return nil }
func (sink) Complete([]byte)                          {}

// choose returns the sink for the rows of the plan's main statement.
func (s *sinks) choose(plan *Runnable, form *Form) pgwire.Sink {
	switch {
	case form.Rows && plan.Lines != planner.NoLines:
		return s.chooseLines(plan, form)
	case form.Rows:
		s.rows.plan, s.rows.form = plan.Plan, form
		return &s.rows
	case plan.Explain:
		return &s.plan
	case plan.Tagged && !form.tallied:
		return &s.tag
	case plan.Located: // the response is made of the value
		s.value.one, s.value.whole = plan.One, true
		return &s.value
	}
	s.large.one = plan.One
	return &s.large
}

// release lets go of what the last call has set.
func (s *sinks) release() {
	for _, r := range [...]*rowsSink{&s.rows, &s.lines.rowsSink, &s.stream.rowsSink} {
		r.plan, r.form = nil, nil
	}
}

// rowsSink encodes rows of plain columns as JSON.
type rowsSink struct {
	sink
	plan *planner.Plan
	form *Form
}

func (s *rowsSink) Fields(fields []pgproto3.FieldDescription) error {
	if !s.form.fits(len(fields), func(i int) ([]byte, uint32) { return fields[i].Name, fields[i].DataTypeOID }) {
		return errStale
	}
	return nil
}

func (s *rowsSink) Row(values [][]byte) error {
	r, form := s.out, s.form
	if form.Prefix > 0 {
		if len(values) < form.Prefix {
			return errStale
		}
		if s.plan.Total.Counted() {
			r.Total, r.HasTotal = parseInt(values[0]), true
			if values[1] == nil {
				return nil // an empty page brings only its total
			}
		}
		if n := len(form.position); n > 0 && !r.Page.row(r.Rows+1, values[form.Prefix-n:form.Prefix], form.position) {
			return nil
		}
	}
	values = values[form.Prefix:]
	r.Rows++
	dst := r.Body.end()
	start := len(dst)
	if s.plan.Singular || s.plan.One {
		if r.Rows > 1 {
			return nil // only counted
		}
	} else if r.Rows == 1 {
		dst = append(dst, '[')
	} else {
		dst = append(dst, ',')
	}
	var ok bool
	if s.plan.Scalar {
		dst, ok = appendScalar(dst, form.Columns, values)
	} else {
		dst, ok = rowjson.AppendObject(dst, form.Columns, values)
	}
	if !ok || form.noNUL && bytes.Contains(dst[start:], escapedNUL) {
		return errUnreadable
	}
	return r.Body.endRow(dst, len(dst)-start)
}

var escapedNUL = []byte(`\u0000`)

// appendScalar appends the only column of a row, without its name.
func appendScalar(dst []byte, columns []rowjson.Column, values [][]byte) ([]byte, bool) {
	if len(columns) != 1 || len(values) != 1 {
		return dst, false
	}
	if values[0] == nil {
		return append(dst, "null"...), true
	}
	return columns[0].Codec.Append(dst, values[0])
}

func (s *rowsSink) Complete([]byte) {
	r := s.out
	switch b := &r.Body; {
	case s.plan.One:
		if r.Rows == 0 {
			b.Bytes = append(b.Bytes, "null"...)
		}
		r.Rows = 1 // even if a range or a filter took it away
	case s.plan.Singular:
	case r.Rows == 0:
		b.Bytes = append(b.Bytes, '[', ']')
	default:
		b.Bytes = append(b.Bytes, ']')
	}
	if s.plan.Total.Count == sqlgen.CountPage {
		r.Total, r.HasTotal = r.Rows, true
	}
}

// tagSink reads the number of rows from the command tag: "INSERT 0 3".
type tagSink struct{ sink }

func (s *tagSink) Row([][]byte) error { return nil }

func (s *tagSink) Complete(tag []byte) {
	s.out.Rows = 0
	if string(tag) == "SELECT 0" {
		return
	}
	s.out.Rows = parseInt(tag[bytes.LastIndexByte(tag, ' ')+1:])
}

// valueSink takes the one row of a body that PostgreSQL computed.
type valueSink struct {
	sink
	one   bool // see planner.Plan.One
	whole bool // the body stays in one piece
}

func (s *valueSink) Row(values [][]byte) error {
	if len(values) != 5 {
		return errStale
	}
	s.head(values)
	return s.out.Body.set(values[4], s.whole)
}

// head takes all but the body.
func (s *valueSink) head(values [][]byte) {
	r := s.out
	if values[0] != nil {
		r.Total, r.HasTotal = parseInt(values[0]), true
	}
	r.Rows = parseInt(values[1])
	r.setResponse(values[2], values[3])
}

func (r *Result) setResponse(headers, status []byte) {
	r.Headers, r.HasHeaders = append(r.Headers[:0], headers...), headers != nil
	r.Status, r.HasStatus = append(r.Status[:0], status...), status != nil
}

// Complete is called without a row before it if a range or a filter has taken
// the only row of a call away and nothing aggregates the rest. Then the total
// is 0.
func (s *valueSink) Complete([]byte) {
	if r := s.out; r.Rows == 0 && s.one {
		r.Total, r.HasTotal = 0, true
	}
}

// largeSink is a valueSink that does not need a large value in memory.
type largeSink struct{ valueSink }

// Large implements pgwire.LargeSink.
func (s *largeSink) Large(values [][]byte, _ int64, value io.Reader) error {
	if len(values) != 4 {
		return errStale
	}
	s.head(values)
	return s.out.Body.read(value)
}

// planSink takes an execution plan: a line per row.
type planSink struct{ sink }

func (s *planSink) Row(values [][]byte) error {
	b := &s.out.Body
	for _, v := range values {
		b.Bytes = append(append(b.Bytes, v...), '\n')
	}
	return nil
}

// estimateSink takes the execution plan of the count and reads the rows expected.
type estimateSink struct{ sink }

func (s *estimateSink) Row(values [][]byte) error {
	if len(values) == 1 {
		s.out.Estimate = planRows(values[0])
	}
	return nil
}

// planRows reads the estimate from EXPLAIN (FORMAT JSON): the first "Plan
// Rows" is the topmost node's.
func planRows(explained []byte) int64 {
	_, rest, ok := bytes.Cut(explained, []byte(`"Plan Rows":`))
	if !ok {
		return 0
	}
	number, _, _ := bytes.Cut(rest, []byte(","))
	return parseInt(bytes.TrimSpace(number))
}

// settingsSink takes the row of sqlgen.ResponseSettings.
type settingsSink struct{ sink }

func (s *settingsSink) Row(values [][]byte) error {
	r := s.out
	if len(values) != 3 {
		return errStale
	}
	r.setResponse(values[0], values[1])
	r.Inserted, r.HasInserted = 0, values[2] != nil
	if r.HasInserted {
		r.Inserted = parseInt(values[2])
	}
	return nil
}

func parseInt(b []byte) int64 {
	n, _ := strconv.ParseInt(string(b), 10, 64)
	return n
}
