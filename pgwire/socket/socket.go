//go:build unix

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Socket reads and writes a connection of package net, whose deadlines and Close apply. A
// read and a write may run at the same time. Two reads may not, and two writes may not.
type Socket struct {
	conn    net.Conn
	raw     syscall.RawConn
	in, out attempt
}

// New returns nil for a connection that is not a plain socket, such as one with TLS.
func New(conn net.Conn) *Socket {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	s := &Socket{conn: conn, raw: raw}
	s.in.prepare(read)
	s.out.prepare(write)
	return s
}

// Read implements io.Reader.
func (s *Socket) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := s.in.run(s.raw.Read, b, nil, true)
	switch {
	case err != nil:
		return 0, s.failed("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements io.Writer.
func (s *Socket) Write(b []byte) (int, error) { return s.WriteBoth(b, nil) }

// WriteBoth writes a and then b, with one system call if the socket takes all of it. It
// returns how much it has written.
func (s *Socket) WriteBoth(a, b []byte) (done int, err error) {
	for all := len(a) + len(b); done < all; {
		n, err := s.out.run(s.raw.Write, a, b, true)
		if err != nil {
			return done, s.failed("write", err)
		}
		if n == 0 {
			return done, io.ErrUnexpectedEOF
		}
		done += n
		first := min(n, len(a))
		a, b = a[first:], b[n-first:]
	}
	return done, nil
}

// ReadNow reads what has arrived. It does not wait: if nothing has arrived, it returns 0.
func (s *Socket) ReadNow(b []byte) (int, error) {
	n, err := s.in.run(s.raw.Read, b, nil, false)
	switch {
	case err == syscall.EAGAIN:
		return 0, nil
	case err != nil:
		return 0, s.failed("read", err)
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// WriteNow writes as much of b as the socket takes now, which may be nothing.
func (s *Socket) WriteNow(b []byte) (int, error) {
	n, err := s.out.run(s.raw.Write, b, nil, false)
	switch {
	case err == syscall.EAGAIN:
		return 0, nil
	case err != nil:
		return 0, s.failed("write", err)
	}
	return n, nil
}

// failed makes the error that package net would return.
func (s *Socket) failed(op string, err error) error {
	local := s.conn.LocalAddr()
	failure := &net.OpError{Op: op, Source: local, Addr: s.conn.RemoteAddr(), Err: err}
	if local != nil {
		failure.Net = local.Network()
	}
	var inner *net.OpError
	if errors.As(err, &inner) { // of RawConn
		failure.Err = inner.Err
	} else {
		failure.Err = os.NewSyscallError(op, err)
	}
	return failure
}
