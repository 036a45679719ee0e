package exec

import (
	"bytes"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner"
)

// linesSink writes a line for each row: an object or a value of JSON, or the fields of
// CSV.
type linesSink struct{ rowsSink }

// chooseLines returns the sink for the rows of a plan with lines.
func (s *sinks) chooseLines(plan *Runnable, form *Form) pgwire.Sink {
	if s.stream.out.Body.receiver != nil {
		s.stream.plan, s.stream.form = plan.Plan, form
		return &s.stream
	}
	s.lines.plan, s.lines.form = plan.Plan, form
	return &s.lines
}

func (s *linesSink) Row(values [][]byte) error {
	r, form := s.out, s.form
	r.Rows++
	if s.plan.One && r.Rows > 1 {
		return nil
	}
	dst := r.Body.end()
	start := len(dst)
	ok := true
	switch {
	case s.plan.Lines == planner.CSVLines:
		if r.Rows == 1 {
			dst = append(dst, form.header...)
		}
		dst = appendRecord(append(dst, '\n'), values)
	case s.plan.Scalar:
		dst, ok = appendScalar(dst, form.Columns, values)
		dst = endLine(dst, start)
	default:
		dst, ok = rowjson.AppendObject(dst, form.Columns, values)
		dst = endLine(dst, start)
	}
	if !ok {
		return errUnreadable
	}
	return r.Body.endRow(dst, len(dst)-start)
}

func (s *linesSink) Complete([]byte) {
	r := s.out
	switch {
	case s.plan.One:
		if r.Rows == 0 {
			r.Body.Bytes = append(r.Body.Bytes, "null\n"...)
		}
		r.Rows = 1 // see rowsSink
	case s.plan.Lines == planner.CSVLines && r.Rows == 0:
		r.Body.Bytes = append(r.Body.Bytes, '\n') // PostgREST knows no names without a row
	}
}

// endLine ends a line of JSON that begins at start. A value of type json has the line
// breaks that its author has put between the tokens, which become blanks. In strings
// JSON has them as escapes.
func endLine(dst []byte, start int) []byte {
	if line := dst[start:]; bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0 {
		for i, c := range line {
			if c == '\n' || c == '\r' {
				line[i] = ' '
			}
		}
	}
	return append(dst, '\n')
}

// prepareCSV prepares rows whose columns come as text.
func (form *Form) prepareCSV(page []pgwire.Field) {
	form.Rows, form.fields = true, page
	form.Formats = []int16{rowjson.Text} // of all columns
	for i, f := range page {
		if i > 0 {
			form.header = append(form.header, ',')
		}
		form.header = append(form.header, f.Name...)
	}
}

// appendRecord appends values as PostgreSQL prints a record, without its parentheses
// (record_out in rowtypes.c). PostgREST's CSV has this form.
func appendRecord(dst []byte, values [][]byte) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch {
		case v == nil:
		case plainField(v):
			dst = append(dst, v...)
		default:
			dst = append(dst, '"')
			for _, c := range v {
				if c == '"' || c == '\\' {
					dst = append(dst, c)
				}
				dst = append(dst, c)
			}
			dst = append(dst, '"')
		}
	}
	return dst
}

// plainField reports whether a field of a record needs no quotes.
func plainField(v []byte) bool {
	for _, c := range v {
		if quotedChars[c] {
			return false
		}
	}
	return len(v) > 0
}

// quotedChars are the characters that quotes are needed for.
var quotedChars = [256]bool{
	'"': true, '\\': true, '(': true, ')': true, ',': true,
	' ': true, '\t': true, '\n': true, '\v': true, '\f': true, '\r': true,
}
