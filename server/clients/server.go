package clients

import (
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Timeouts of connections. A client that needs longer is broken or hostile.
const (
	ReadTimeout  = 60 * time.Second  // from the first byte of a request to the last of its body, or of each MiB of that
	WriteTimeout = 300 * time.Second // for the whole response
	IdleTimeout  = 120 * time.Second // between requests of a connection
)

// Options are how a Server serves.
type Options struct {
	Handler        fasthttp.RequestHandler
	Name           string // for the header Server
	ReadBufferSize int    // bytes; bounds request line and headers
	SharedPort     bool   // other processes may listen on the port as well (SO_REUSEPORT)
	Logger         fasthttp.Logger
}

// Server serves the clients of one listener.
type Server struct {
	HTTP     *fasthttp.Server // may be changed before Serve
	listener *listener
}

// NewServer makes a server, with every default of fasthttp reviewed. It owns the
// listener. The caller must call Serve and then, unless that fails, Shutdown.
func NewServer(l net.Listener, o Options) *Server {
	s := &Server{
		listener: newListener(l, o.ReadBufferSize, o.SharedPort),
		HTTP: &fasthttp.Server{
			Handler:                      o.Handler,
			Name:                         o.Name,
			ReadBufferSize:               o.ReadBufferSize,
			ReadTimeout:                  ReadTimeout,
			WriteTimeout:                 WriteTimeout,
			IdleTimeout:                  IdleTimeout,
			NoDefaultContentType:         true, // a response without a body has none
			DisablePreParseMultipartForm: true, // bodies are read as bytes
			StreamRequestBody:            true, // see Body
			GetOnly:                      false,
			CloseOnShutdown:              true,
			Logger:                       o.Logger,
			ErrorHandler:                 refuseMalformed,
			HeaderReceived:               headReceived,
			ConnState:                    noteState,
		},
	}
	s.listener.keepIdle(s.HTTP)
	return s
}

// Serve accepts and serves until Shutdown. An error says why it cannot accept.
func (s *Server) Serve() error { return s.HTTP.Serve(s.listener) }

// Open returns the number of open connections, idle ones included.
func (s *Server) Open() int { return s.listener.conns.count() }

// refuseMalformed responds to bytes that fasthttp cannot parse as a request.
func refuseMalformed(ctx *fasthttp.RequestCtx, err error) {
	if l := lineOf(ctx); l != nil && l.http10() { // fasthttp has forgotten
		ctx.Request.Header.SetProtocolBytes(http10)
	}
	var small *fasthttp.ErrSmallBuffer
	if errors.As(err, &small) {
		refuse(ctx, headTooMany)
	} else {
		refuse(ctx, headAmbiguous)
	}
}
