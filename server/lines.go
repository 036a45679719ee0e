package server

import (
	"bytes"
	"slices"

	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/planner"
)

// piece is how much of an NDJSON body one statement inserts, in bytes. More would take
// more memory here and in PostgreSQL, and saves nothing.
const piece = 4 << 20

// lines is an NDJSON body of which more than the first piece is to come.
type lines struct {
	keys    [][]byte // of the rows; nil: columns= has them
	payload body.Payload
	counted int  // bytes of payload.converted that count as memory of the body
	ended   bool // all of the body has been read
}

// readLines reads the first piece of an NDJSON body that has rows.
func (rq *request) readLines() error {
	p := &rq.payload
	anyKeys := rq.query.HasColumns
	var (
		part []byte
		end  bool
		err  error
	)
	p.Lines = 0
	for p.Kind = body.Empty; p.Kind == body.Empty && !end; {
		if part, end, err = rq.readPiece(); err != nil {
			return err
		}
		if p.converted, err = p.ParseLines(p.converted[:0], part, anyKeys); err != nil {
			return err
		}
	}
	if err := rq.body.Count(cap(p.converted)); err != nil {
		return err
	}
	counted := cap(p.converted)
	rq.plan.PayloadObject, rq.plan.Columns = false, p.Keys
	if anyKeys {
		rq.plan.Columns = rq.query.Columns
	}
	if !end {
		p.lines = &lines{counted: counted}
		p.lines.payload.Lines = p.Lines
		if !anyKeys {
			p.lines.keys = make([][]byte, 0, len(p.Keys))
			for _, key := range p.Keys {
				p.lines.keys = append(p.lines.keys, bytes.Clone(key))
			}
			rq.plan.Columns = p.lines.keys
		}
	}
	return nil
}

// readPiece reads whole lines of the body: about a piece of them, at least one. What
// follows them is kept for the next call.
func (rq *request) readPiece() (part []byte, end bool, err error) {
	for size := piece; ; size *= 2 {
		part, end, err = rq.body.Part(size, rq.worthReading)
		if err != nil || end {
			return part, end, err
		}
		if cut := bytes.LastIndexByte(part, '\n') + 1; cut > 0 {
			rq.body.Keep(len(part) - cut)
			return part[:cut], false, nil
		}
		rq.body.Keep(len(part)) // a long line
	}
}

// preparePieces settles how the rest of an NDJSON body gets to PostgreSQL. A plan that
// returns rows takes all of it at once, like an array, and so in memory.
func (rq *request) preparePieces(plan *planner.Plan) error {
	switch {
	case rq.payload.lines == nil:
		return nil // fast path
	case plan.Tagged:
		rq.call.NextPiece = rq.nextPiece
		return nil
	}
	var buf []byte
	for p := &rq.payload; ; {
		more, err := rq.parsePiece(&buf)
		if err != nil {
			return err
		}
		if !more {
			rq.call.Payload = p.converted
			return nil
		}
		p.converted = append(append(p.converted[:len(p.converted)-1], ','), p.lines.payload.Raw[1:]...)
		if err := rq.countConverted(); err != nil {
			return err
		}
	}
}

// nextPiece implements exec.Call.NextPiece.
func (rq *request) nextPiece() (more bool, err error) {
	p := &rq.payload
	if more, err = rq.parsePiece(&p.converted); !more {
		return false, err
	}
	rq.call.Payload = p.lines.payload.Raw
	return true, rq.countConverted()
}

// parsePiece parses the next piece that has rows into buf.
func (rq *request) parsePiece(buf *[]byte) (more bool, err error) {
	l := rq.payload.lines
	for !l.ended {
		part, end, err := rq.readPiece()
		if err != nil {
			return false, err
		}
		l.ended = end
		if *buf, err = l.payload.ParseLines((*buf)[:0], part, l.keys == nil); err != nil {
			return false, err
		}
		if l.payload.Kind == body.Empty {
			continue
		}
		if l.keys != nil && !slices.EqualFunc(l.keys, l.payload.Keys, bytes.Equal) {
			return false, &body.Error{Kind: body.KeysDiffer}
		}
		return true, nil
	}
	return false, nil
}

// countConverted counts the memory of a buffer that has grown.
func (rq *request) countConverted() error {
	n := cap(rq.payload.converted) - rq.payload.lines.counted
	if n <= 0 {
		return nil
	}
	rq.payload.lines.counted += n
	return rq.body.Count(n)
}
