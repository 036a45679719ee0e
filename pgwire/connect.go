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

// Connect opens a connection. It tries the hosts in turn. An error has the kind
// CannotConnect.
func Connect(ctx context.Context, cfg *Config) (*Conn, error) {
	one := cfg.Config.Copy()
	a := new(attempts)
	a.watch(one)
	in := new(reader)
	one.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		*in = reader{} // of an earlier host
		in.init(r)
		return pgproto3.NewFrontend(&byMessage{in: in}, w)
	}
	pg, err := pgconn.ConnectConfig(ctx, one)
	if err != nil {
		return nil, &ConnError{Kind: CannotConnect, Err: a.explain(err)}
	}
	host, port := a.done()
	// A background read of pgconn would take bytes that follow the startup.
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

// byMessage lets pgconn's Frontend read through our reader, one message at a time. So
// messages that follow the startup stay in the reader.
type byMessage struct {
	in   *reader
	left int // of the current message
}

func (m *byMessage) Read(p []byte) (int, error) {
	if m.left == 0 {
		if err := m.in.need(5); err != nil {
			return 0, err
		}
		// The Frontend refuses an invalid length.
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

// attempts records the addresses that pgconn tries, for error messages and for cancel
// requests. (For a cancel request pgconn asks the connection for the address. A unix
// socket does not know it, and then pgconn goes to the first of the configured hosts,
// which may be another one.)
type attempts struct {
	mu        sync.Mutex        // goroutines of pgconn may dial
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

// connectFailure is an error in libpq's words, one line per address.
type connectFailure struct {
	text   string
	server *Error // reported by a server, or nil
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
		// Errors of name resolution come first, then one error for each dial.
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

// superseded reports whether the error is a refusal of TLS and the same address was
// then tried without TLS, as sslmode=prefer does. The second error is the cause.
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
	for { // the innermost error, without pgconn's prefixes
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
