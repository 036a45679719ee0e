package simtest

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// backend is the process of PostgreSQL that serves a connection. It reads a message, does it,
// and reads the next one. It sends what it has to say at ReadyForQuery, after an error, and
// before it waits.
type backend struct {
	session
	conn   *conn
	rng    *rand.Rand
	in     []byte
	out    []byte
	skip   bool // until Sync
	erred  bool // the last message
	opened time.Time
}

// errEnded ends the process without a word.
var errEnded = errors.New("the process ends")

// fatal ends the process with a message.
type fatal struct{ code, text string }

func (f fatal) Error() string { return f.text }

// refused is an error that the client is told.
type refused struct{ code, text, routine string }

func (r refused) Error() string { return r.text }

// serve runs the process.
func (b *backend) serve() {
	defer b.node.ended(b)
	err := b.startup()
	for err == nil {
		var kind byte
		var body []byte
		if kind, body, err = b.next(); err == nil {
			err = b.message(kind, body)
		}
	}
	var f fatal
	if errors.As(err, &f) {
		b.say(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: f.code, Message: f.text})
		_ = b.flush()
	}
	b.abort()
	_ = b.conn.Close()
}

// next reads a message.
func (b *backend) next() (kind byte, body []byte, err error) {
	head, err := b.take(5)
	if err != nil {
		return 0, nil, err
	}
	kind, n := head[0], int(binary.BigEndian.Uint32(head[1:]))
	body, err = b.take(n - 4)
	return kind, body, err
}

func (b *backend) take(n int) ([]byte, error) {
	for len(b.in) < n {
		var room [4096]byte
		got, err := b.conn.Read(room[:])
		b.in = append(b.in, room[:got]...)
		if end := b.terminated(); end != nil {
			return nil, end
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return nil, errEnded
		}
	}
	taken := b.in[:n:n]
	b.in = b.in[n:]
	return taken, nil
}

func (b *backend) say(m pgproto3.BackendMessage) { b.out, _ = m.Encode(b.out) }

func (b *backend) flush() error {
	if len(b.out) == 0 {
		return nil
	}
	_, err := b.conn.Write(b.out)
	b.out = b.out[:0]
	if err != nil {
		return errEnded
	}
	return nil
}

func (b *backend) startup() error {
	head, err := b.take(8)
	if err != nil {
		return err
	}
	n, code := int(binary.BigEndian.Uint32(head)), binary.BigEndian.Uint32(head[4:])
	if n < 8 || n > 10000 {
		return errEnded
	}
	body, err := b.take(n - 8)
	if err != nil {
		return err
	}
	const cancelRequest = 80877102
	if code == cancelRequest {
		b.node.cancel(binary.BigEndian.Uint32(body), body[4:])
		return errEnded
	}
	if err := b.node.admit(b); err != nil {
		return err
	}
	b.pause(b.short(400))
	b.say(&pgproto3.AuthenticationOk{})
	for _, p := range [][2]string{{"server_version", "16.3 (simulated)"}, {"DateStyle", "ISO, MDY"}, {"client_encoding", "UTF8"}} {
		b.say(&pgproto3.ParameterStatus{Name: p[0], Value: p[1]})
	}
	b.say(&pgproto3.BackendKeyData{ProcessID: b.pid, SecretKey: b.secret})
	b.say(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	return b.flush()
}

// message does what a message asks for. Errors of the session are told; other errors end the
// process.
func (b *backend) message(kind byte, body []byte) error {
	if kind == 'X' {
		return errEnded
	}
	if kind == 'Q' {
		b.skip = false
		return b.simple(string(body[:len(body)-1]))
	}
	if kind == 'S' {
		return b.sync()
	}
	if b.skip {
		return nil
	}
	b.execute = true
	err := b.fault(kind)
	if err == nil {
		err = b.extended(kind, body)
	}
	b.execute = false
	return b.tell(err, true)
}

// tell reports an error of the session, which aborts its transaction.
func (b *backend) tell(err error, skip bool) error {
	var r refused
	if err == nil || !errors.As(err, &r) {
		return err
	}
	b.say(&pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: r.code, Message: r.text, Routine: r.routine})
	b.skip = skip
	b.fail()
	return b.flush()
}

func (b *backend) extended(kind byte, body []byte) error {
	switch kind {
	case 'P':
		var m pgproto3.Parse
		if err := m.Decode(body); err != nil {
			return fatal{"08P01", err.Error()}
		}
		if err := b.parse(m.Name, m.Query); err != nil {
			return err
		}
		b.say(&pgproto3.ParseComplete{})
	case 'B':
		var m pgproto3.Bind
		if err := m.Decode(body); err != nil {
			return fatal{"08P01", err.Error()}
		}
		if err := b.bind(&m); err != nil {
			return err
		}
		b.say(&pgproto3.BindComplete{})
	case 'D':
		return b.describe(body[0], string(body[1:len(body)-1]))
	case 'E':
		return b.run()
	case 'C':
		delete(b.prepared, string(body[1:len(body)-1]))
		b.say(&pgproto3.CloseComplete{})
	case 'H':
		return b.flush()
	default:
		return fatal{"08P01", "unknown message " + string(kind)}
	}
	return nil
}

func (b *backend) describe(what byte, name string) error {
	p := b.portal
	if what == 'S' {
		st := b.prepared[name]
		if st == nil {
			return refused{code: "26000", text: "prepared statement does not exist"}
		}
		b.say(&pgproto3.ParameterDescription{ParameterOIDs: st.params()})
		p = &portal{statement: st}
	}
	b.rowDescription(p)
	return nil
}

func (b *backend) rowDescription(p *portal) {
	fields := p.fields()
	if fields == nil {
		b.say(&pgproto3.NoData{})
		return
	}
	var m pgproto3.RowDescription
	for i, f := range fields {
		m.Fields = append(m.Fields, pgproto3.FieldDescription{Name: []byte(f.name), DataTypeOID: f.oid, DataTypeSize: -1, TypeModifier: -1, Format: p.format(i), TableOID: f.table})
	}
	b.say(&m)
}

// row sends a row. A value is nil, a string or an int64.
func (b *backend) row(p *portal, values []any) {
	m := pgproto3.DataRow{Values: make([][]byte, len(values))}
	for i, v := range values {
		switch v := v.(type) {
		case string:
			m.Values[i] = []byte(v)
		case int64:
			if p.format(i) == 1 {
				m.Values[i] = binary.BigEndian.AppendUint64(nil, uint64(v))
			} else {
				m.Values[i] = strconv.AppendInt(nil, v, 10)
			}
		}
	}
	b.say(&m)
}

// sync ends a flight.
func (b *backend) sync() error {
	var err error
	if !b.skip && b.status == 'I' {
		b.execute = true
		err = b.commitImplicit()
		b.execute = false
		if err = b.tell(err, false); err != nil {
			return err
		}
	}
	b.skip = false
	return b.ready()
}

// ready sends ReadyForQuery, sometimes late.
func (b *backend) ready() error {
	if b.implicit != nil { // after an error
		b.abortImplicit()
	}
	if b.rng.Float64() < b.node.w.plan.faults && !b.node.w.calm.Load() {
		b.node.w.count("late ReadyForQuery", 1)
		if err := b.flush(); err != nil {
			return err
		}
		if err := b.pause(b.short(30_000)); err != nil {
			return err
		}
	}
	b.say(&pgproto3.ReadyForQuery{TxStatus: b.status})
	if b.status == 'I' && b.node.w.plan.pooler {
		b.change()
	}
	return b.flush()
}
