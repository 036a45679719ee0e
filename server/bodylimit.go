package server

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// refuseBody answers a request whose body is larger than server-max-body-size.
// fasthttp has not read all of it, and of the request there may be nothing
// left to go by.
func (s *Server) refuseBody(ctx *fasthttp.RequestCtx) {
	rq := s.requests.Get().(*request)
	rq.begin(ctx, s.snapshot.Load())
	rq.fail(bodyTooLarge(rq.snap.config.ServerMaxBodySize))
	rq.finish()
	rq.observe()
	rq.end()
	s.requests.Put(rq)
	drain(ctx)
}

func bodyTooLarge(limit int) *problem {
	return newProblem(fasthttp.StatusRequestEntityTooLarge, "PGRSTX01", "Request body too large").
		withDetails("The limit is " + strconv.Itoa(limit) + " bytes (server-max-body-size).")
}

const (
	drainPause = 300 * time.Millisecond
	drainTotal = 10 * time.Second
)

// drain takes what a client is still sending, until it pauses or the time is
// up. The connection is closed after the answer, and closing it with bytes
// unread would reset it and take the answer along.
func drain(ctx *fasthttp.RequestCtx) {
	conn := ctx.Conn()
	if conn == nil {
		return
	}
	buf := make([]byte, 16<<10)
	for end := time.Now().Add(drainTotal); time.Now().Before(end); {
		if conn.SetReadDeadline(time.Now().Add(drainPause)) != nil {
			return
		}
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}
