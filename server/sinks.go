package server

import (
	"bytes"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/spool"
)

// The sinks take the rows of a flight into the request's result.

// rowsSink encodes rows of plain columns as JSON.
type rowsSink request

func (s *rowsSink) Fields(fields []pgproto3.FieldDescription) error {
	if !s.result.prepared.Fits(len(fields), func(i int) ([]byte, uint32) { return fields[i].Name, fields[i].DataTypeOID }) {
		return errStale
	}
	return nil
}

func (s *rowsSink) Row(values [][]byte) error {
	r := &s.result
	if r.prepared.Prefix > 0 {
		if len(values) < r.prepared.Prefix {
			return errStale
		}
		r.total, r.hasTotal = parseInt(values[0]), true
		if values[1] == nil {
			return nil // an empty page brings only its total
		}
	}
	values = r.prepared.Page(values)
	r.rows++
	dst := r.body
	if r.room != nil {
		dst = r.room
	}
	start := len(dst)
	if r.plan.Singular || r.plan.One {
		if r.rows > 1 {
			return nil // only counted
		}
	} else if r.rows == 1 {
		dst = append(dst, '[')
	} else {
		dst = append(dst, ',')
	}
	ok := true
	if r.plan.Scalar {
		dst, ok = appendScalar(dst, r.prepared.Columns, values)
	} else {
		dst, ok = rowjson.AppendObject(dst, r.prepared.Columns, values)
	}
	if !ok || r.prepared.NoNUL && bytes.Contains(dst[start:], escapedNUL) {
		return errUnreadable
	}
	r.widest = max(r.widest, len(dst)-start)
	if r.room != nil {
		r.room = dst
		return (*request)(s).moveOn()
	}
	r.body = dst
	if len(dst) >= spool.Piece {
		return (*request)(s).spill()
	}
	return nil
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
	r := &s.result
	switch {
	case r.plan.One:
		if r.rows == 0 {
			r.body = append(r.body, "null"...)
		}
		r.rows = 1 // even if a range or a filter took it away
	case r.plan.Singular:
	case r.rows == 0:
		r.body = append(r.body, '[', ']')
	default:
		r.body = append(r.body, ']')
	}
	if r.plan.Total.Count == sqlgen.CountPage {
		r.total, r.hasTotal = r.rows, true
	}
}

// tagSink reads the number of rows from the command tag: "INSERT 0 3".
type tagSink request

func (s *tagSink) Fields([]pgproto3.FieldDescription) error { return nil }
func (s *tagSink) Row([][]byte) error                       { return nil }

func (s *tagSink) Complete(tag []byte) {
	s.result.rows = 0
	if string(tag) == "SELECT 0" {
		return
	}
	s.result.rows = parseInt(tag[bytes.LastIndexByte(tag, ' ')+1:])
}

// valueSink takes the one row of a body that PostgreSQL computed.
type valueSink request

func (s *valueSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *valueSink) Row(values [][]byte) error {
	r := &s.result
	if len(values) != 5 {
		return errStale
	}
	s.head(values)
	r.dropBody()
	if len(values[4]) >= spool.Piece && !r.plan.Located {
		return (*request)(s).spillValue(values[4])
	}
	r.body = append(r.body, values[4]...)
	return nil
}

// head takes all but the body.
func (s *valueSink) head(values [][]byte) {
	r := &s.result
	if values[0] != nil {
		r.total, r.hasTotal = parseInt(values[0]), true
	}
	r.rows = parseInt(values[1])
	r.headers, r.hasHeaders = append(r.headers[:0], values[2]...), values[2] != nil
	r.status, r.hasStatus = append(r.status[:0], values[3]...), values[3] != nil
}

// Complete finds no row where a range or a filter has taken the only row of a
// call away and nothing aggregates what is left. That counts as no rows at all.
func (s *valueSink) Complete([]byte) {
	if r := &s.result; r.rows == 0 && r.plan.One {
		r.total, r.hasTotal = 0, true
	}
}

// planSink takes an execution plan: a line per row.
type planSink request

func (s *planSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *planSink) Row(values [][]byte) error {
	for _, v := range values {
		s.result.body = append(append(s.result.body, v...), '\n')
	}
	return nil
}

func (s *planSink) Complete([]byte) {}

// estimateSink takes the plan of the count and reads the rows expected.
type estimateSink request

func (s *estimateSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *estimateSink) Row(values [][]byte) error {
	if len(values) == 1 {
		s.result.estimate = planRows(values[0])
	}
	return nil
}

func (s *estimateSink) Complete([]byte) {}

// settingsSink takes what user code wants of the response.
type settingsSink request

func (s *settingsSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *settingsSink) Row(values [][]byte) error {
	r := &s.result
	if len(values) != 3 {
		return errStale
	}
	r.headers, r.hasHeaders = append(r.headers[:0], values[0]...), values[0] != nil
	r.status, r.hasStatus = append(r.status[:0], values[1]...), values[1] != nil
	r.inserted, r.hasInserted = 0, values[2] != nil
	if r.hasInserted {
		r.inserted = parseInt(values[2])
	}
	return nil
}

func (s *settingsSink) Complete([]byte) {}

func parseInt(b []byte) int64 {
	n, _ := strconv.ParseInt(string(b), 10, 64)
	return n
}
