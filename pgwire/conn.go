package pgwire

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire/socket"
)

// Conn is one connection. It runs one flight at a time, for one goroutine at a time.
// Only Flight.Interrupt, Flight.Abandon and CheckDeadline may be called by others.
type Conn struct {
	cfg    *Config
	pg     *pgconn.PgConn // hijacked; sends cancel requests
	net    net.Conn
	socket *socket.Socket // of net; nil: only net can be used
	in     *reader
	out    outgoing
	stmts  stmtCache
	own    Flight // for Query and Rollback

	status           byte // of the transaction, see InTransaction
	broken           bool
	busy             bool // from the first byte sent to the last byte received
	begun            bool // a message has arrived since the flight was sent
	suspectsFailover bool // the server may have lost its role, see failover.go

	// See reset.go. While the connection is shared, guard guards them.
	session   SessionState // before the next flight
	flights   uint64       // number of the last flight
	dirtiedBy uint64       // number of the last flight that left something
	retired   error        // a reset failed: no further flights

	sender     chan error // result of the goroutine that sends a large flight
	senderBusy bool       // the goroutine runs

	guard *sync.Mutex // guards stmts and session while the connection is shared, else nil

	passed time.Time // when rows were passed on last, see stream.go
	values [][]byte  // of a row
	msgs   struct {  // reused to encode and decode
		parse    pgproto3.Parse
		describe pgproto3.Describe
		fields   pgproto3.RowDescription
	}
	params map[string]*[]byte // ParameterStatus
	pid    uint32
	host   string
	port   string
}

// newConn makes a connection of a network connection on which the startup is done.
func newConn(cfg *Config, netConn net.Conn, in *reader) *Conn {
	c := &Conn{cfg: cfg, net: netConn, socket: socket.New(netConn), in: in, status: 'I', params: map[string]*[]byte{}}
	if c.socket != nil {
		in.src = c.socket
	}
	c.stmts.init(cfg.Statements)
	return c
}

// Run sends a flight and reads its response into the sinks. If ctx ends, the flight is
// interrupted. A context that cannot end costs nothing.
//
// The error is one of: *Error, which the server reported for the first step that
// failed; the error of a Sink; *ConnError. Afterwards IsBroken tells whether the
// connection can still be used, and InTransaction whether a transaction is open.
func (c *Conn) Run(ctx context.Context, f *Flight) error {
	if c.IsBroken() {
		return &ConnError{Kind: Closed}
	}
	if f.known && !c.knowsStatements(f) {
		return &ConnError{Kind: Unparsed}
	}
	if ctx.Done() != nil {
		return c.runUnder(ctx, f)
	}
	return c.run(f)
}

func (c *Conn) run(f *Flight) error {
	f.err, f.failed = nil, -1
	over := false
	defer func() {
		if !over {
			c.abort(f)
		}
	}()
	c.out.reset()
	if err := c.encode(f); err != nil {
		over = true
		return &ConnError{Kind: Unsendable, Err: err}
	}
	c.busy, c.begun = true, false
	f.interruption.begin(c)
	c.in.progress.await(f.limit)
	err := c.send()
	if err == nil {
		err = c.read(f)
	} else {
		c.breakOff()
	}
	if c.senderBusy {
		err = c.joinSender(err)
	}
	c.in.progress.rest()
	err = c.settle(f, err)
	if f.interruption.end() {
		err = c.afterInterrupt(f, err)
	}
	c.busy, over = false, true
	return err
}

// abort ends a flight in which a panic occurred, in a Sink for example. It returns
// when no other goroutine uses the flight or its arguments.
func (c *Conn) abort(f *Flight) {
	c.breakOff()
	c.in.progress.rest()
	if c.senderBusy {
		<-c.sender
		c.senderBusy = false
	}
	if c.busy {
		f.interruption.end()
	}
}

// joinSender waits for the goroutine that sends a large flight: when Run returns, the
// arguments belong to the caller again.
func (c *Conn) joinSender(err error) error {
	if !c.broken {
		// The response is complete, so the server must have read the whole flight.
		_ = c.net.SetWriteDeadline(time.Now().Add(lingerTime))
	}
	sendErr := <-c.sender
	c.senderBusy = false
	if sendErr != nil {
		c.breakOff()
		if err == nil {
			err = &ConnError{Kind: Lost, Sent: true, Begun: true, Err: sendErr}
		}
	} else if !c.broken {
		_ = c.net.SetWriteDeadline(time.Time{})
	}
	return err
}

// lost closes a connection after an error of a read, and fails the flight.
func (c *Conn) lost(f *Flight, err error) error {
	c.breakOff()
	e := &ConnError{Kind: Lost, Sent: true, Begun: c.begun, Err: err}
	if errors.Is(err, errMessageLength) || errors.Is(err, errMalformedRow) {
		e.Kind = Protocol
	}
	f.fail(-1, e)
	return e
}

// breakOff closes the network connection without a Terminate message.
func (c *Conn) breakOff() {
	if !c.broken {
		c.broken = true
		_ = c.net.Close()
	}
}

// asyncMessage handles the messages that may arrive at any time.
func (c *Conn) asyncMessage(kind byte, body []byte) error {
	switch kind {
	case 'N':
		if c.cfg.OnNotice != nil {
			notice, err := serverError(body)
			if err != nil {
				return c.violation(err.Error())
			}
			c.cfg.OnNotice(notice)
		}
	case 'S':
		name, rest, ok := bytes.Cut(body, zero)
		value, rest, ok2 := bytes.Cut(rest, zero)
		if !ok || !ok2 || len(rest) > 0 {
			return c.violation("malformed ParameterStatus")
		}
		c.setParam(name, value)
	case 'A':
		if c.cfg.OnNotification != nil {
			var m pgproto3.NotificationResponse
			if err := m.Decode(body); err != nil {
				return c.violation(err.Error())
			}
			c.cfg.OnNotification(m.Channel, m.Payload)
		}
	default:
		return c.unexpected(kind)
	}
	return nil
}

// zero ends a string of the protocol.
var zero = []byte{0}

// Host is the configured host that the connection was made to, or the directory of
// its socket.
func (c *Conn) Host() string { return c.host }

// Port is the port on Host.
func (c *Conn) Port() string { return c.port }

// PID is the process id of the server process.
func (c *Conn) PID() uint32 { return c.pid }

// InTransaction is the state after the last flight: 'I' outside a transaction, 'T'
// inside one, 'E' inside a failed one.
func (c *Conn) InTransaction() byte { return c.status }

// IsBroken reports that the connection cannot be used any more: it was lost, closed
// or given up, a Sink panicked, or a session reset failed.
func (c *Conn) IsBroken() bool { return c.broken || c.busy || c.retired != nil }

// Close sends a Terminate message and closes the connection.
func (c *Conn) Close() error {
	if c.broken {
		return nil
	}
	if !c.busy {
		_ = c.net.SetWriteDeadline(time.Now().Add(lingerTime))
		terminate, _ := (&pgproto3.Terminate{}).Encode(nil)
		_, _ = c.net.Write(terminate)
	}
	c.broken = true
	return c.net.Close()
}
