package pgwire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Connect opens a connection, trying the hosts in turn.
func Connect(ctx context.Context, cfg *Config) (*Conn, error) {
	one := cfg.Config.Copy()
	a := new(attempts)
	a.watch(one)
	in := new(reader)
	one.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		*in = reader{} // there may have been another host
		in.init(r)
		return pgproto3.NewFrontend(&byMessage{in: in}, w)
	}
	pg, err := pgconn.ConnectConfig(ctx, one)
	if err != nil {
		return nil, &ConnError{Kind: CannotConnect, Err: a.explain(err)}
	}
	host, port := a.done()
	// A read of pgconn in the background would take the first bytes that are for us.
	if err := pg.SyncConn(ctx); err != nil {
		_ = pg.Close(ctx)
		return nil, &ConnError{Kind: CannotConnect, Err: err}
	}
	hijacked, err := pg.Hijack()
	if err != nil {
		return nil, &ConnError{Kind: CannotConnect, Err: err}
	}
	in.src = hijacked.Conn
	c := newConn(cfg, hijacked.Conn, in)
	c.pg, c.pid, c.status = pg, hijacked.PID, hijacked.TxStatus
	c.host, c.port = host, port
	for name, value := range hijacked.ParameterStatuses {
		c.setParam([]byte(name), []byte(value))
	}
	return c, nil
}

// byMessage lets pgconn's Frontend read through our reader, a message at a
// time, so that what the server says after the greetings is still with us
// when the Frontend is dismissed.
type byMessage struct {
	in   *reader
	left int // of the current message
}

func (m *byMessage) Read(p []byte) (int, error) {
	if m.left == 0 {
		if err := m.in.need(5); err != nil {
			return 0, err
		}
		// A length that makes no sense is the Frontend's to complain about.
		m.left = 1 + max(4, int(binary.BigEndian.Uint32(m.in.buf[m.in.r+1:])))
	}
	if err := m.in.need(1); err != nil {
		return 0, err
	}
	n := copy(p[:min(len(p), m.left)], m.in.buf[m.in.r:m.in.w])
	m.in.r += n
	m.left -= n
	return n, nil
}

// attempts notes what pgconn does on its way to a connection: to say what
// went wrong where, and to find the server again for a cancel request. (For
// that, pgconn asks the connection for the address, which for a unix socket
// says nothing, and then goes to the first of the configured hosts, which may
// be another.)
type attempts struct {
	mu        sync.Mutex        // pgconn may clean up behind our back
	hosts     map[string]string // by resolved address
	dials     []address
	connected bool
}

type address struct{ network, addr string }

func (a *attempts) watch(cfg *pgconn.Config) {
	a.hosts = map[string]string{}
	lookup, dial := cfg.LookupFunc, cfg.DialFunc
	cfg.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		ips, err := lookup(ctx, host)
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, ip := range ips {
			a.hosts[ip] = host
		}
		return ips, err
	}
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dial(ctx, network, a.note(network, addr))
	}
}

// note returns the address to dial.
func (a *attempts) note(network, addr string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.connected:
		a.dials = append(a.dials, address{network, addr})
	case network == "unix":
		addr = a.dials[len(a.dials)-1].addr
	}
	return addr
}

// done returns the host, as it was configured, and port of the connection.
func (a *attempts) done() (host, port string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.connected = true
	last := a.dials[len(a.dials)-1]
	if last.network == "unix" {
		host, port, _ = strings.Cut(last.addr, "/.s.PGSQL.")
		return host, port
	}
	host, port, _ = net.SplitHostPort(last.addr)
	if name := a.hosts[host]; name != "" {
		host = name
	}
	return host, port
}

// connectFailure says it in libpq's words, which people know how to search
// for, one line per address.
type connectFailure struct {
	text   string
	server *Error // what a server said, if one did
	cause  error
}

func (e *connectFailure) Error() string { return e.text }

func (e *connectFailure) Unwrap() []error {
	if e.server != nil {
		return []error{e.server, e.cause}
	}
	return []error{e.cause}
}

func (a *attempts) explain(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	each := []error{err}
	if list, ok := errors.Unwrap(err).(interface{ Unwrap() []error }); ok {
		each = list.Unwrap()
	}
	e := &connectFailure{cause: err}
	var lines []string
	for i, err := range each {
		// Names that could not be resolved come first; then each dial has its error.
		dial := i - (len(each) - len(a.dials))
		line := describeFailure(err)
		if 0 <= dial && dial < len(a.dials) {
			if superseded(a.dials[dial:], err) {
				continue
			}
			line = a.where(a.dials[dial]) + " failed: " + line
		}
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
		var said *pgconn.PgError
		if errors.As(err, &said) {
			e.server = fromPgconn(said)
		}
	}
	e.text = strings.Join(lines, "\n")
	return e
}

// superseded: with sslmode=prefer an address is tried with TLS and then
// without; that the first was declined says nothing about why the second
// failed.
func superseded(dials []address, err error) bool {
	return len(dials) > 1 && dials[0] == dials[1] && strings.Contains(err.Error(), "server refused TLS connection")
}

func (a *attempts) where(d address) string {
	if d.network == "unix" {
		return fmt.Sprintf("connection to server on socket %q", d.addr)
	}
	ip, port, err := net.SplitHostPort(d.addr)
	if err != nil {
		return fmt.Sprintf("connection to server at %q", d.addr)
	}
	if host := a.hosts[ip]; host != "" && host != ip {
		return fmt.Sprintf("connection to server at %q (%s), port %s", host, ip, port)
	}
	return fmt.Sprintf("connection to server at %q, port %s", ip, port)
}

func describeFailure(err error) string {
	var (
		said   *pgconn.PgError
		lookup *net.DNSError
		op     *net.OpError
		number syscall.Errno
	)
	switch {
	case errors.As(err, &said):
		text := said.Severity + ":  " + said.Message
		if said.Detail != "" {
			text += "\nDETAIL:  " + said.Detail
		}
		if said.Hint != "" {
			text += "\nHINT:  " + said.Hint
		}
		return text
	case errors.As(err, &lookup):
		return fmt.Sprintf("could not translate host name %q to address: %s", lookup.Name, lookup.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout expired"
	case errors.As(err, &number):
		text := number.Error()
		text = strings.ToUpper(text[:1]) + text[1:]
		if errors.As(err, &op) && op.Op == "dial" {
			if op.Net == "unix" {
				return text + "\n\tIs the server running locally and accepting connections on that socket?"
			}
			return text + "\n\tIs the server running on that host and accepting TCP/IP connections?"
		}
		return text
	}
	for { // the innermost words, without pgconn's labels
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
