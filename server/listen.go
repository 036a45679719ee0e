package server

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/server/admin"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/config"
)

func (s *Server) listenAPI(c *config.Config) (net.Listener, error) {
	if c.ServerUnixSocket != "" {
		l, err := clients.ListenUnix(c.ServerUnixSocket, c.ServerUnixSocketMode)
		if err == nil {
			s.socketFile = c.ServerUnixSocket
		}
		return l, err
	}
	return clients.ListenTCP(c.ServerHost, c.ServerPort, c.ServerReusePort)
}

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

// adminTimeout is how long requests of the admin port may take at the end.
const adminTimeout = time.Second

// serveAdmin opens the admin port, if one is configured.
func (s *Server) serveAdmin(c *config.Config) (stop func(), err error) {
	var l net.Listener
	switch {
	case c.AdminServerUnixSocket != "":
		l, err = clients.ListenUnix(c.AdminServerUnixSocket, c.AdminServerUnixSocketMode)
	case c.AdminServerPort != 0:
		l, err = clients.ListenTCP(c.AdminServerHost, c.AdminServerPort, false)
	default:
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	r := router.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath, r.HandleMethodNotAllowed, r.HandleOPTIONS = false, false, false, false
	r.PanicHandler = func(ctx *fasthttp.RequestCtx, value any) { s.panicked(ctx, nil, value) }
	handler := admin.Handler(adminView{s}, s.options.Manual)
	r.ANY("/{path:*}", handler)
	r.NotFound = handler
	http := &fasthttp.Server{
		Handler: r.Handler, Name: "fastgrest/" + s.options.Version, NoDefaultContentType: true,
		ReadTimeout: clients.ReadTimeout, WriteTimeout: clients.WriteTimeout, IdleTimeout: clients.IdleTimeout, Logger: s.log,
	}
	s.log.AdminListening(l.Addr().String())
	if c.AdminServerUnixSocket == "" {
		s.log.AdminPage(browserAddress(l.Addr()))
	}
	s.history = &admin.History{}
	ctx, cancel := context.WithCancel(context.Background())
	go adminView{s}.keepHistory(ctx)
	go func() {
		if err := http.Serve(clients.RetryListener{Listener: l}); err != nil {
			s.log.AdminCrashed(err)
			s.die(loggedError{err})
		}
	}()
	return func() {
		cancel()
		ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
		defer cancel()
		_ = http.ShutdownWithContext(ctx)
	}, nil
}
