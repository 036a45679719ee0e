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
	// largeArg: an argument of this size is not copied into the buffer of
	// outgoing bytes but sent from where it lies.
	largeArg = 16 << 10
	// keepOut bounds the buffer of outgoing bytes between flights.
	keepOut = 64 << 10
	// certainWrite is what we trust a connection to take without anybody
	// reading at the other end, where we cannot ask the socket: less than
	// any system's send buffer.
	certainWrite = 8 << 10
)

// outgoing is what a flight sends: buf, with large arguments inserted.
type outgoing struct {
	buf   []byte
	parts []part
}

type part struct {
	at    int // in buf
	bytes []byte
}

// reset forgets what has been sent.
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

// encode is the first half of sending a flight: it decides what has to be
// parsed, and appends the messages to what goes out. After an error nothing
// has changed.
func (c *Conn) encode(f *Flight) error {
	if f.simple != "" {
		return c.encodeSimple(f)
	}
	c.encodeReset(f)
	c.stmts.flight++
	c.encodeCloses(f)
	// Touch what is known first: making room for the unknown must not push
	// it out.
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
	c.stmts.forgive(f.closes)
	c.noteState(f)
	return nil
}

func (c *Conn) encodeCloses(f *Flight) {
	f.closes = len(c.stmts.doomed)
	for _, s := range c.stmts.doomed {
		c.out.buf, _ = (&pgproto3.Close{ObjectType: 'S', Name: s.name}).Encode(c.out.buf)
	}
}

func (c *Conn) encodeStep(f *Flight, s *step) error {
	s.parse = false
	name := ""
	if !s.unnamed && c.stmts.keeps(s.stmt.sql) {
		name = s.stmt.name
		if s.entry == nil {
			s.entry = c.stmts.use(s.stmt) // perhaps parsed by an earlier step
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
	// The portal is described rather than the statement: its description
	// tells the formats that the rows will really have.
	if s.described() {
		c.describe('P', "")
	}
	c.out.buf = append(c.out.buf, executeUnnamed...)
	return nil
}

// described: the step asks for a description of its rows.
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

// encodeBind is pgproto3.Bind.Encode with large arguments left in place.
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
		switch {
		case v == nil:
			b = append(b, 0xFF, 0xFF, 0xFF, 0xFF)
			continue
		case len(v) > maxMessage:
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

// send hands the bytes to the network.
//
// A server that is sending does not read, and we do not read while we are
// sending: with enough bytes in both directions that is for ever. So we send
// here as much as the socket takes at once. What is left is sent by a
// goroutine, while the caller goes on to read; read waits for it.
func (c *Conn) send() error {
	if len(c.out.parts) > 0 {
		return c.sendAside(c.out.all())
	}
	b := c.out.buf
	if c.socket == nil {
		if len(b) > certainWrite {
			return c.sendAside(net.Buffers{b})
		}
		n, err := c.net.Write(b)
		return c.sent(n, err)
	}
	n, err := c.socket.write(b)
	if err == nil && n < len(b) {
		return c.sendAside(net.Buffers{b[n:]})
	}
	return c.sent(n, err)
}

func (c *Conn) sendAside(list net.Buffers) error {
	if c.aside == nil {
		c.aside = make(chan error, 1)
	}
	c.asideBusy = true
	go func() {
		_, err := list.WriteTo(c.net)
		if err != nil {
			// The reader must not wait for an answer to what was never sent.
			_ = c.net.SetReadDeadline(time.Now().Add(lastWords))
		}
		c.aside <- err
	}()
	return nil
}

// sent turns the failure of a write into what the caller is to know. The
// server may have said why it went away, and that is worth more than "broken
// pipe".
func (c *Conn) sent(n int, err error) error {
	if err == nil {
		return nil
	}
	_ = c.net.SetReadDeadline(time.Now().Add(lastWords))
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

// lastWords is how long we listen to a server that does not.
const lastWords = time.Second
