package pgwire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire/internal/borrow"
)

// phase is the message that a step waits for. Phases follow each other in this order; a
// step skips those it did not ask for.
type phase uint8

const (
	wantParse     phase = iota // ParseComplete
	wantParams                 // ParameterDescription
	wantFields                 // RowDescription or NoData, of a statement
	wantBind                   // BindComplete
	wantRowFields              // RowDescription or NoData, of a portal
	wantRows                   // DataRow ..., CommandComplete
	responded
)

// following is the next phase of the step from p on.
func (s *step) following(p phase) phase {
	for ; ; p++ {
		switch p {
		case wantParse:
			if s.parse {
				return p
			}
		case wantParams, wantFields:
			if s.desc != nil {
				return p
			}
		case wantBind, wantRows:
			if s.desc == nil {
				return p
			}
		case wantRowFields:
			if s.described() {
				return p
			}
		default:
			return responded
		}
	}
}

// read reads the response to a flight, up to and including ReadyForQuery. It returns
// the flight's error. IsBroken tells whether the connection can still be used.
func (c *Conn) read(f *Flight) error {
	if f.resets {
		if err := c.readReset(f); err != nil {
			return err
		}
	}
	if f.simple != "" {
		return c.readSimple(f)
	}
	var (
		i       = -1  // step
		s       *step // f.steps[i]
		want    = responded
		sink    Sink       // of the step; nil: rows are discarded
		large   LargeSink  // the same, if it can read large rows
		stream  StreamSink // the same, if it passes rows on
		columns = -1       // of the step's rows; -1 unknown
		skip    bool       // the server skips everything up to Sync
		held    bool       // stream has rows that it has not passed on
		rest    = -1       // bytes of rows that are still read and discarded; -1: all
	)
	for {
		// Go to the first step whose response is not complete.
		for want == responded && i+1 < len(f.steps) && f.closes == 0 {
			i++
			s = &f.steps[i]
			if s.parse {
				f.Parsed++
			} else {
				f.Reused++
			}
			want = s.following(wantParse)
			columns, sink = -1, s.sink
			if s.entry != nil {
				columns = s.entry.columns
			}
			if f.err != nil {
				sink = nil
			}
			large, _ = sink.(LargeSink)
			if f.streams {
				stream, _ = sink.(StreamSink)
			}
		}
		if large != nil && sink != nil && want == wantRows {
			is, err := c.in.largeRow()
			if err != nil {
				return c.lost(f, err)
			}
			if is {
				c.begun = true
				refused, err := c.readLarge(large, columns)
				if refused != nil {
					rest = bytesToDiscard(refused)
					f.fail(i, refused)
					sink = nil
				}
				if err != nil {
					c.lost(f, err)
					return f.err
				}
				continue
			}
		}
		if held {
			passed, err := c.pass(stream, f)
			held = !passed
			if err != nil {
				f.fail(i, err)
				sink = nil
			}
		}
		kind, body, err := c.in.next()
		if err != nil {
			return c.lost(f, err)
		}
		c.begun = true
		if !wellFormed(kind, body) {
			return c.violation(fmt.Sprintf("malformed message %q", kind))
		}
		switch kind {
		case 'D':
			if want != wantRows {
				return c.unexpected(kind)
			}
			if sink == nil {
				if rest >= 0 {
					if rest -= len(body); rest < 0 {
						c.breakOff()
						return f.err
					}
				}
				continue
			}
			values, ok := c.row(body)
			if !ok || (columns >= 0 && len(values) != columns) {
				return c.violation(errMalformedRow.Error())
			}
			columns = len(values)
			err := sink.Row(values)
			borrow.Poison(values...)
			if err != nil {
				rest = bytesToDiscard(err)
				f.fail(i, err)
				sink = nil
			}
			held = stream != nil && err == nil
			continue
		case 'C', 'I':
			if want != wantRows {
				return c.unexpected(kind)
			}
			tag := body
			if kind == 'C' {
				if len(tag) == 0 || tag[len(tag)-1] != 0 {
					return c.violation("malformed CommandComplete")
				}
				tag = tag[:len(tag)-1]
			}
			if s.commit && string(tag) == "ROLLBACK" {
				f.fail(i, &ConnError{Kind: RolledBack, Sent: true, Begun: true})
			}
			held = false
			if sink != nil {
				sink.Complete(tag)
				borrow.Poison(tag)
			}
		case '1':
			if want != wantParse {
				return c.unexpected(kind)
			}
			if s.entry != nil {
				c.stmts.confirm(s.entry)
			}
		case '2':
			if want != wantBind {
				return c.unexpected(kind)
			}
		case '3':
			if f.closes == 0 {
				return c.unexpected(kind)
			}
			f.closes--
			c.stmts.closed()
			continue
		case 't':
			if want != wantParams {
				return c.unexpected(kind)
			}
			if err := s.desc.params(body); err != nil {
				return c.violation(err.Error())
			}
		case 'T', 'n':
			if want != wantFields && want != wantRowFields {
				return c.unexpected(kind)
			}
			fields := &c.msgs.fields
			fields.Fields = fields.Fields[:0]
			if kind == 'T' {
				if err := decodeFields(fields, body); err != nil {
					return c.violation(err.Error())
				}
			}
			if want == wantFields {
				s.desc.fields(fields.Fields)
				break
			}
			columns = len(fields.Fields)
			if s.entry != nil {
				s.entry.columns = columns
			}
			if sink != nil && kind == 'T' {
				err := sink.Fields(fields.Fields)
				borrow.Poison(body)
				if err != nil {
					f.fail(i, err)
					sink = nil
				}
			}
		case 'E':
			said, end := c.readError(f, body)
			if end != nil {
				return end
			}
			if skip {
				continue
			}
			skip, held = true, false
			switch {
			case f.closes > 0:
				i = -1
			case want == responded:
				i = len(f.steps) // the end of the transaction
			default:
				c.forgetStale(s, said)
			}
			if c.retired != nil && said.Code == InFailedSQLTransaction {
				f.fail(-1, c.retired) // see reset.go
			}
			if f.err == nil {
				f.fail(i, said)
				f.unexecuted = want < wantRowFields
			}
			c.suspectsFailover = c.suspectsFailover || f.writes && said.Code == ReadOnlySQLTransaction
			// The server skips the rest.
			i, want, f.closes = len(f.steps), responded, 0
			continue
		case 'Z':
			if want != responded || f.closes > 0 {
				return c.unexpected(kind)
			}
			c.stmts.settle()
			return c.ready(f, body)
		default:
			if err := c.asyncMessage(kind, body); err != nil {
				return err
			}
			continue
		}
		want = s.following(want + 1)
	}
}

// readError reads an ErrorResponse. end is set if the connection ended with it: the
// error is fatal, or the message is malformed.
func (c *Conn) readError(f *Flight, body []byte) (said *Error, end error) {
	said, err := serverError(body)
	if err != nil {
		return nil, c.violation(err.Error())
	}
	if said.Fatal() {
		c.breakOff()
		f.fail(-1, said)
		return nil, said
	}
	return said, nil
}

// ready is the end of a flight.
func (c *Conn) ready(f *Flight, body []byte) error {
	if len(body) != 1 || (body[0] != 'I' && body[0] != 'T' && body[0] != 'E') {
		return c.violation("malformed ReadyForQuery")
	}
	c.status = body[0]
	c.in.shrink()
	return f.err
}

// fail records the first error.
func (f *Flight) fail(step int, err error) {
	if f.err == nil {
		f.err, f.failed, f.unexecuted = err, step, false
	}
}

// forgetStale forgets statements that the server can no longer run.
func (c *Conn) forgetStale(s *step, e *Error) {
	if c.guard != nil {
		c.guard.Lock()
		defer c.guard.Unlock()
	}
	switch {
	case s.entry == nil:
	case e.otherResult():
		c.stmts.forget(s.stmt)
	case e.Deallocated():
		c.stmts.clear() // by DEALLOCATE ALL: others do not know the names of ours
	}
}

// keepColumns is PostgreSQL's bound on the columns of a row. Memory for more columns is
// not kept.
const keepColumns = 1664

// row splits a DataRow into values, which are slices of body.
func (c *Conn) row(body []byte) (values [][]byte, ok bool) {
	if len(body) < 2 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(body))
	if n > cap(c.values) {
		values = make([][]byte, n)
		if n <= keepColumns {
			c.values = values
		}
	} else {
		values = c.values[:n]
	}
	at := 2
	for i := range values {
		if len(body)-at < 4 {
			return nil, false
		}
		size := binary.BigEndian.Uint32(body[at:])
		at += 4
		if uint(size) > uint(len(body)-at) {
			if size != null {
				return nil, false
			}
			values[i] = nil
			continue
		}
		end := at + int(size)
		values[i] = body[at:end:end]
		at = end
	}
	return values, at == len(body)
}

// wellFormed reports whether the length of a message fits its kind and its counts. It
// checks the messages whose length is not checked elsewhere.
func wellFormed(kind byte, body []byte) bool {
	switch kind {
	case '1', '2', '3', 'n', 'I':
		return len(body) == 0
	case 't':
		return len(body) >= 2 && len(body)-2 == 4*int(binary.BigEndian.Uint16(body))
	}
	return true
}

// null is the size of a value that is NULL.
const null = 1<<32 - 1

// unexpected closes the connection after a message that does not belong there.
func (c *Conn) unexpected(kind byte) error {
	return c.violation(fmt.Sprintf("unexpected message %q", kind))
}

// violation closes the connection after a violation of the protocol.
func (c *Conn) violation(text string) error {
	c.breakOff()
	return &ConnError{Kind: Protocol, Sent: true, Begun: true, Err: errors.New(text)}
}

func (d *Description) params(body []byte) error {
	var m pgproto3.ParameterDescription
	if err := m.Decode(body); err != nil {
		return err
	}
	d.Params = m.ParameterOIDs
	return nil
}

// decodeFields decodes a RowDescription. Unlike Decode it refuses bytes after the last
// field.
func decodeFields(m *pgproto3.RowDescription, body []byte) error {
	if err := m.Decode(body); err != nil {
		return err
	}
	const rest = 1 + 18 // of a field, after its name
	size := 2 + rest*len(m.Fields)
	for i := range m.Fields {
		size += len(m.Fields[i].Name)
	}
	if size != len(body) {
		return errors.New("malformed RowDescription")
	}
	return nil
}

func (d *Description) fields(fields []pgproto3.FieldDescription) {
	d.Fields = d.Fields[:0]
	for _, f := range fields {
		d.Fields = append(d.Fields, Field{
			Name: string(f.Name), Type: f.DataTypeOID, TypMod: f.TypeModifier,
			Table: f.TableOID, Attr: f.TableAttributeNumber,
		})
	}
}
