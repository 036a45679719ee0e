package clients

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ListenTCP listens on a port. Hosts may be PostgREST's words: "*", "*4" and "*6" take
// IPv4 and IPv6, and "!4" takes IPv4 only. "!6" wants an IPv6 address, but PostgREST lets
// the socket take IPv4 too.
// reusePort lets other processes listen on the port as well.
func ListenTCP(host string, port int, reusePort bool) (net.Listener, error) {
	network := "tcp"
	switch host {
	case "*", "*4", "*6":
		host = ""
	case "!4":
		network, host = "tcp4", ""
	case "!6":
		host = "::"
	case "0.0.0.0":
		network = "tcp4" // or Go takes IPv6 too
	}
	lc := net.ListenConfig{}
	lc.SetMultipathTCP(false) // Go's default, under which Linux takes no filter (dropSYN)
	if reusePort {
		lc.Control = func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			})
			return errors.Join(err, failed)
		}
	}
	l, err := lc.Listen(context.Background(), network, net.JoinHostPort(host, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken by another program: %w", port, err)
	}
	return l, err
}

// RetryListener is a listener whose Accept tries again after errors that pass.
// fasthttp takes every error except a timeout for the end of the listener, and the
// process would end because clients opened more connections than there are
// descriptors.
type RetryListener struct{ net.Listener }

// Accept returns net.ErrClosed and errors of a broken listener only.
func (l RetryListener) Accept() (net.Conn, error) { return retryAccept(l.Listener) }

func retryAccept(l net.Listener) (net.Conn, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, maxAcceptPause) {
		c, err := l.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) || !temporary(err) {
			return c, err
		}
		time.Sleep(pause)
	}
}

const maxAcceptPause = 100 * time.Millisecond

// temporary reports whether accepting failed because of the state of the system,
// or of a client that went away meanwhile (accept(2), errors).
func temporary(err error) bool {
	var number syscall.Errno
	return errors.As(err, &number) && slices.Contains(passingErrors, number)
}

var passingErrors = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EPROTO, syscall.EPERM,
	syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP,
}
