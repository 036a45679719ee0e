package pgwire

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Conn is one connection. It runs one flight at a time and belongs to one
// goroutine at a time; only Flight.Interrupt comes from elsewhere.
type Conn struct {
	cfg    *Config
	pg     *pgconn.PgConn // hijacked; it still knows how to send a cancel request
	net    net.Conn
	socket *socket // nil: net is all there is
	in     *reader
	out    outgoing
	stmts  stmtCache
	own    Flight // for Query and Rollback

	status           byte // of the transaction: 'I' none, 'T' in one, 'E' in a failed one
	broken           bool
	busy             bool // between the first byte out and the last byte in
	answered         bool // the server has said something since the flight was sent
	suspectsFailover bool // the server may have lost its role, see failover.go

	// See reset.go. While the connection is shared, all are under guard.
	session   SessionState // what the session may hold when the next flight begins
	flights   uint64       // number of the last flight
	dirtiedBy uint64       // number of the last flight that left something
	retired   error        // a reset failed: no further flights

	aside     chan error // result of a large flight's sender
	asideBusy bool       // there is one

	guard *sync.Mutex // over stmts and session while the connection is shared, else nil

	values [][]byte // of a row
	msgs   struct { // to encode from and decode into
		parse    pgproto3.Parse
		describe pgproto3.Describe
		fields   pgproto3.RowDescription
	}
	params map[string]*[]byte // ParameterStatus
	pid    uint32
	host   string
	port   string
}

// newConn puts a connection around a network connection that is past the
// greetings.
func newConn(cfg *Config, netConn net.Conn, in *reader) *Conn {
	c := &Conn{cfg: cfg, net: netConn, socket: newSocket(netConn), in: in, status: 'I', params: map[string]*[]byte{}}
	c.stmts.init(cfg.Statements)
	return c
}

// Run sends a flight and reads its answer into the sinks. A context that can
// never end costs nothing; when another ends, the flight is interrupted.
//
// The error is one of: *Error, what the server said about the first step that
// failed; the error of a Sink; *ConnError. After it, IsBroken tells whether
// the connection can be used on, and InTransaction whether there is something
// to roll back.
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
	c.busy, c.answered = true, false
	f.interruption.begin(c)
	c.in.progress.await(f.limit)
	err := c.send()
	if err == nil {
		err = c.read(f)
	} else {
		c.breakOff()
	}
	if c.asideBusy {
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

// abort is the end of a flight in which something panicked, such as a Sink. It
// returns when no other goroutine uses the flight or its arguments.
func (c *Conn) abort(f *Flight) {
	c.breakOff()
	c.in.progress.rest()
	if c.asideBusy {
		<-c.aside
		c.asideBusy = false
	}
	if c.busy {
		f.interruption.end()
	}
}

// joinSender waits for the goroutine that sends a large flight. The arguments
// are the caller's again when Run returns.
func (c *Conn) joinSender(err error) error {
	if !c.broken {
		// The server has answered everything, so it must have read everything.
		_ = c.net.SetWriteDeadline(time.Now().Add(lastWords))
	}
	sendErr := <-c.aside
	c.asideBusy = false
	if sendErr != nil {
		c.breakOff()
		if err == nil {
			err = &ConnError{Kind: Lost, Sent: true, Answered: true, Err: sendErr}
		}
	} else if !c.broken {
		_ = c.net.SetWriteDeadline(time.Time{})
	}
	return err
}

// lost is the end of a connection that broke while we were reading.
func (c *Conn) lost(f *Flight, err error) error {
	c.breakOff()
	e := &ConnError{Kind: Lost, Sent: true, Answered: c.answered, Err: err}
	if errors.Is(err, errMessageLength) || errors.Is(err, errMalformedRow) {
		e.Kind = Protocol
	}
	f.fail(-1, e)
	return e
}

// breakOff closes the network connection without a word.
func (c *Conn) breakOff() {
	if !c.broken {
		c.broken = true
		_ = c.net.Close()
	}
}

// meanwhile handles the messages that may come at any time.
func (c *Conn) meanwhile(kind byte, body []byte) error {
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
		name, rest, ok := cutZero(body)
		value, rest, ok2 := cutZero(rest)
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

func cutZero(b []byte) (before, after []byte, ok bool) {
	for i := range b {
		if b[i] == 0 {
			return b[:i], b[i+1:], true
		}
	}
	return nil, nil, false
}

// Host is the host of the configuration that the connection was made to, or
// the directory of its socket; Port goes with it.
func (c *Conn) Host() string { return c.host }

// Port: see Host.
func (c *Conn) Port() string { return c.port }

// PID is the process id of the server's end.
func (c *Conn) PID() uint32 { return c.pid }

// InTransaction is the state of the last flight's end: 'I' outside a
// transaction, 'T' inside one, 'E' inside a failed one.
func (c *Conn) InTransaction() byte { return c.status }

// IsBroken reports that the connection is of no more use: lost, closed, given
// up, or left in the middle of a flight by a Sink that panicked.
func (c *Conn) IsBroken() bool { return c.broken || c.busy || c.retired != nil }

// Close says goodbye and closes the connection.
func (c *Conn) Close() error {
	if c.broken {
		return nil
	}
	if !c.busy {
		_ = c.net.SetWriteDeadline(time.Now().Add(lastWords))
		goodbye, _ := (&pgproto3.Terminate{}).Encode(nil)
		_, _ = c.net.Write(goodbye)
	}
	c.broken = true
	return c.net.Close()
}
