package pgwire

import (
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// largeArg is the size of an argument that is not copied into the write buffer.
	largeArg = 16 << 10
	// keepOut bounds the write buffer that is kept between flights.
	keepOut = 64 << 10
	// certainWrite is the size of a write that does not block, where the socket cannot be
	// asked: less than the send buffer of any system.
	certainWrite = 8 << 10
)

// outgoing has the bytes that a flight sends: buf, with large arguments inserted.
type outgoing struct {
	buf   []byte
	parts []part
}

type part struct {
	at    int // in buf
	bytes []byte
}

// reset removes the bytes that have been sent.
func (o *outgoing) reset() {
	clear(o.parts)
	o.parts = o.parts[:0]
	if cap(o.buf) > keepOut {
		o.buf = nil
	}
	o.buf = o.buf[:0]
}

// all lists the pieces in order.
func (o *outgoing) all() net.Buffers {
	list := make(net.Buffers, 0, 2*len(o.parts)+1)
	from := 0
	for _, p := range o.parts {
		list = append(list, o.buf[from:p.at], p.bytes)
		from = p.at
	}
	return append(list, o.buf[from:])
}

// encode decides which statements have to be parsed, and appends the messages of the
// flight to c.out. After an error the state of the connection is unchanged.
func (c *Conn) encode(f *Flight) error {
	if f.simple != "" {
		return c.encodeSimple(f)
	}
	c.encodeReset(f)
	c.stmts.flight++
	c.encodeCloses(f)
	// Mark the parsed statements as used first, so that making room for others does not
	// evict them.
	for i := range f.steps {
		f.steps[i].entry = c.stmts.use(f.steps[i].stmt)
	}
	for i := range f.steps {
		if err := c.encodeStep(f, &f.steps[i]); err != nil {
			c.stmts.settle()
			return err
		}
	}
	c.out.buf, _ = (&pgproto3.Sync{}).Encode(c.out.buf)
	c.noteState(f)
	return nil
}

func (c *Conn) encodeCloses(f *Flight) {
	f.closes = len(c.stmts.toClose)
	for _, s := range c.stmts.toClose {
		c.out.buf, _ = (&pgproto3.Close{ObjectType: 'S', Name: s.name}).Encode(c.out.buf)
	}
}

func (c *Conn) encodeStep(f *Flight, s *step) error {
	s.parse = false
	name := ""
	if !s.unnamed && c.stmts.keeps(s.stmt.sql) {
		name = s.stmt.name
		if s.entry == nil {
			s.entry = c.stmts.use(s.stmt) // an earlier step may parse it
		}
		if s.entry == nil {
			s.entry, s.parse = c.stmts.add(s.stmt), true
		}
	} else {
		s.entry, s.parse = nil, true
	}
	if s.parse {
		if strings.IndexByte(s.stmt.sql, 0) >= 0 {
			return errNul
		}
		c.msgs.parse.Name, c.msgs.parse.Query = name, s.stmt.sql
		var err error
		if c.out.buf, err = c.msgs.parse.Encode(c.out.buf); err != nil {
			return err
		}
	}
	if s.desc != nil {
		c.describe('S', name)
		return nil
	}
	if err := c.encodeBind(f, s, name); err != nil {
		return err
	}
	// The description of the portal, unlike that of the statement, has the formats of
	// the rows.
	if s.described() {
		c.describe('P', "")
	}
	c.out.buf = append(c.out.buf, executeUnnamed...)
	return nil
}

// described reports whether the step asks for a description of its rows.
func (s *step) described() bool { return s.parse && s.sink != nil }

var (
	errNul      = errors.New("SQL contains a zero byte")
	errTooMany  = errors.New("more than 65535 parameters or columns")
	errTooLarge = errors.New("more than 1 GiB of parameters")

	executeUnnamed, _ = (&pgproto3.Execute{}).Encode(nil)
)

func (c *Conn) describe(kind byte, name string) {
	c.msgs.describe.ObjectType, c.msgs.describe.Name = kind, name
	c.out.buf, _ = c.msgs.describe.Encode(c.out.buf)
}

// encodeBind is pgproto3.Bind.Encode, but does not copy large arguments.
func (c *Conn) encodeBind(f *Flight, s *step, name string) error {
	args := f.args[s.arg0 : s.arg0+s.args]
	if len(args) > 0xFFFF || len(s.formats) > 0xFFFF {
		return errTooMany
	}
	b := append(c.out.buf, 'B', 0, 0, 0, 0, 0) // length follows; unnamed portal
	start := len(b) - 5
	b = append(b, name...)
	b = append(b, 0)
	if s.binary {
		b = binary.BigEndian.AppendUint16(b, uint16(len(args)))
		for i := range args {
			b = append(b, 0, format(args[i].binary))
		}
	} else {
		b = append(b, 0, 0)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(args)))
	elsewhere := 0
	for i := range args {
		v := args[i].bytes
		if len(v) > maxMessage {
			return errTooLarge
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		if len(v) < largeArg {
			b = append(b, v...)
			continue
		}
		c.out.parts = append(c.out.parts, part{len(b), v})
		elsewhere += len(v)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.formats)))
	for _, code := range s.formats {
		b = binary.BigEndian.AppendUint16(b, uint16(code))
	}
	c.out.buf = b
	length := len(b) - start + elsewhere
	if length > maxMessage {
		return errTooLarge
	}
	binary.BigEndian.PutUint32(b[start:], uint32(length))
	return nil
}

func format(binary bool) byte {
	if binary {
		return 1
	}
	return 0
}

// send writes the bytes to the network.
//
// A server that is writing does not read, and neither does the caller while it writes:
// with enough bytes in both directions this is a deadlock. So send writes as much as
// the socket takes at once. A goroutine writes the rest while the caller reads the
// response; joinSender waits for it.
func (c *Conn) send() error {
	if len(c.out.parts) > 0 {
		return c.sendInBackground(c.out.all())
	}
	b := c.out.buf
	if c.socket == nil {
		if len(b) > certainWrite {
			return c.sendInBackground(net.Buffers{b})
		}
		n, err := c.net.Write(b)
		return c.sent(n, err)
	}
	n, err := c.socket.WriteNow(b)
	if err == nil && n < len(b) {
		return c.sendInBackground(net.Buffers{b[n:]})
	}
	return c.sent(n, err)
}

// write writes all of b.
func (c *Conn) write(b []byte) (err error) {
	if c.socket != nil {
		_, err = c.socket.Write(b)
	} else {
		_, err = c.net.Write(b)
	}
	return err
}

func (c *Conn) sendInBackground(list net.Buffers) error {
	if c.sender == nil {
		c.sender = make(chan error, 1)
	}
	c.senderBusy = true
	go func() {
		_, err := list.WriteTo(c.net)
		if err != nil {
			// There may be no response to wait for.
			_ = c.net.SetReadDeadline(time.Now().Add(lingerTime))
		}
		c.sender <- err
	}()
	return nil
}

// sent returns the error of a write. The server may have sent the reason why it closed
// the connection, which tells more than "broken pipe".
func (c *Conn) sent(n int, err error) error {
	if err == nil {
		return nil
	}
	_ = c.net.SetReadDeadline(time.Now().Add(lingerTime))
	for {
		kind, body, readErr := c.in.next()
		if readErr != nil {
			break
		}
		if kind != 'E' {
			continue
		}
		if said, bad := serverError(body); bad == nil {
			err = said
			break
		}
	}
	return &ConnError{Kind: Lost, Sent: n > 0, Err: err}
}

// lingerTime bounds the last reads and writes on a connection that is failing or being
// closed.
const lingerTime = time.Second
