package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/fastgrest/fastgrest/server/admin"
	"github.com/fastgrest/fastgrest/server/config"
)

func (s *Server) listenAPI(c *config.Config) (net.Listener, error) {
	if c.ServerUnixSocket != "" {
		l, err := listenUnix(c.ServerUnixSocket, c.ServerUnixSocketMode)
		if err == nil {
			s.socketFile = c.ServerUnixSocket
		}
		return l, err
	}
	return listenTCP(c.ServerHost, c.ServerPort, c.ServerReusePort)
}

// listenTCP understands PostgREST's words for hosts: "*" and "*4" prefer IPv4
// and take IPv6 too, "*6" the other way round; "!4" and "!6" take one only.
func listenTCP(host string, port int, reusePort bool) (net.Listener, error) {
	network := "tcp"
	switch host {
	case "*", "*4", "*6":
		host = ""
	case "!4":
		network, host = "tcp4", ""
	case "!6":
		network, host = "tcp6", ""
	case "0.0.0.0":
		network = "tcp4" // or Go takes IPv6 too
	}
	lc := net.ListenConfig{}
	lc.SetMultipathTCP(false) // Go's default, under which Linux takes no filter (refuseNew)
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

// acceptPatiently accepts as soon as that is possible again. fasthttp takes
// everything but a timeout for the end of the listener, and the process would
// end because a client opened more connections than there are descriptors.
func acceptPatiently(l net.Listener) (net.Conn, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, maxAcceptPause) {
		conn, err := l.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) || !passes(err) {
			return conn, err
		}
		time.Sleep(pause)
	}
}

const maxAcceptPause = 100 * time.Millisecond

// passes reports whether what keeps us from accepting is the state of the
// system, or a client that went away meanwhile (accept(2), errors).
func passes(err error) bool {
	for _, e := range [...]syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EPROTO, syscall.EPERM,
		syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// patientListener is a listener that accepts patiently.
type patientListener struct{ net.Listener }

func (l patientListener) Accept() (net.Conn, error) { return acceptPatiently(l.Listener) }

func listenerAddress(l net.Listener) string { return l.Addr().String() }

// browserAddress is an address that a browser on this machine can open. Browsers
// refuse the wildcard addresses.
func browserAddress(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	switch {
	case !ok || !tcp.IP.IsUnspecified():
		return a.String()
	case tcp.IP.To4() != nil:
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	default:
		return net.JoinHostPort("::1", strconv.Itoa(tcp.Port))
	}
}

// serveAdmin opens the admin port, if one is configured.
func (s *Server) serveAdmin(c *config.Config) (stop func(), err error) {
	var l net.Listener
	switch {
	case c.AdminServerUnixSocket != "":
		l, err = listenUnix(c.AdminServerUnixSocket, c.AdminServerUnixSocketMode)
	case c.AdminServerPort != 0:
		l, err = listenTCP(c.AdminServerHost, c.AdminServerPort, false)
	default:
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	r := router.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath, r.HandleMethodNotAllowed, r.HandleOPTIONS = false, false, false, false
	r.PanicHandler = func(ctx *fasthttp.RequestCtx, value any) { s.panicked(ctx, nil, value) }
	handler := admin.Handler((*adminView)(s))
	r.ANY("/{path:*}", handler)
	r.NotFound = handler
	http := &fasthttp.Server{
		Handler: r.Handler, Name: "fastgrest/" + s.options.Version, NoDefaultContentType: true,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, Logger: s.log,
	}
	s.log.AdminListening(listenerAddress(l))
	if c.AdminServerUnixSocket == "" {
		s.log.AdminPage(browserAddress(l.Addr()))
	}
	s.history = &admin.History{}
	ctx, cancel := context.WithCancel(context.Background())
	go (*adminView)(s).keepHistory(ctx)
	go func() {
		if err := http.Serve(patientListener{l}); err != nil {
			s.log.AdminCrashed(err)
			s.die(loggedError{err})
		}
	}()
	return func() {
		cancel()
		ctx, cancel := context.WithTimeout(context.Background(), adminPatience)
		defer cancel()
		_ = http.ShutdownWithContext(ctx)
	}, nil
}
