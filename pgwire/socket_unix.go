//go:build unix

package pgwire

import (
	"io"
	"net"
	"syscall"
)

// socket makes one attempt to read or to write without waiting, which net.Conn cannot.
// It is made once per connection, so that a call allocates nothing. A read and a write
// may run at the same time, two reads or two writes may not.
type socket struct {
	raw     syscall.RawConn
	in, out attempt
}

type attempt struct {
	buf []byte
	n   int
	err error
	fn  func(fd uintptr) bool
}

// newSocket returns nil for a connection that is not a plain socket, such as one with
// TLS.
func newSocket(conn net.Conn) *socket {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.in.prepare(syscall.Read)
	s.out.prepare(syscall.Write)
	return s
}

func (a *attempt) prepare(op func(fd int, b []byte) (int, error)) {
	a.fn = func(fd uintptr) bool {
		a.n, a.err = op(int(fd), a.buf)
		for a.err == syscall.EINTR {
			a.n, a.err = op(int(fd), a.buf)
		}
		return true // do not wait for the socket
	}
}

// result returns the result of an attempt: 0 bytes if the socket would have to wait.
func (a *attempt) result(refused error) (int, error) {
	a.buf = nil
	switch {
	case refused != nil:
		return 0, refused
	case a.err == syscall.EAGAIN:
		return 0, nil
	case a.err != nil:
		return 0, a.err
	}
	return a.n, nil
}

// write writes as much of b as the socket takes now.
func (s *socket) write(b []byte) (int, error) {
	s.out.buf = b
	return s.out.result(s.raw.Write(s.out.fn))
}

// read reads what has arrived, which may be nothing.
func (s *socket) read(b []byte) (int, error) {
	s.in.buf = b
	n, err := s.in.result(s.raw.Read(s.in.fn))
	if n == 0 && err == nil && s.in.err == nil {
		return 0, io.EOF
	}
	return n, err
}
