package server

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/cors"
)

// corsRequest is what the CORS rules look at.
func (rq *request) corsRequest() cors.Request {
	h := &rq.ctx.Request.Header
	var exposed []byte
	if rq.server.nodes != nil {
		exposed = exposedBookmark
	}
	return cors.Request{
		Origin:         h.Peek(fasthttp.HeaderOrigin),
		Upgrade:        h.Peek(fasthttp.HeaderUpgrade),
		RequestMethod:  h.Peek(fasthttp.HeaderAccessControlRequestMethod),
		RequestHeaders: h.Peek(fasthttp.HeaderAccessControlRequestHeaders),
		Exposed:        exposed,
	}
}

// preflight makes the response to a CORS preflight, before any other check. It
// returns false for other requests.
func (rq *request) preflight() bool {
	if !rq.ctx.IsOptions() {
		return false
	}
	r := rq.corsRequest()
	headers, scratch, granted := cors.Preflight(nil, rq.response.scratch[:0], &r, rq.snap.config.ServerCORSAllowedOrigins)
	rq.response.scratch = scratch
	if !granted {
		return false
	}
	rq.addCORS(headers)
	rq.traceHeader()
	rq.response.noLength = true
	rq.omitLength()
	return true
}

func (rq *request) addCORS(headers []cors.Header) {
	for _, h := range headers {
		rq.ctx.Response.Header.AddBytesKV(h.Name, h.Value)
	}
}

// finish adds the headers of every response. failed: the response is an error,
// which has no Server-Timing.
func (rq *request) finish(failed bool) {
	resp := &rq.ctx.Response
	c := rq.snap.config
	if !rq.ctx.IsOptions() {
		r := rq.corsRequest()
		if r.Origin != nil {
			var room [3]cors.Header // so that nothing is allocated
			if rq.response.linked && !failed {
				r.Exposed = exposedLink
			}
			rq.addCORS(cors.Simple(room[:0], &r, c.ServerCORSAllowedOrigins))
		}
	}
	if c.ServerTimingEnabled && !failed {
		rq.serverTiming()
	}
	if rq.server.nodes != nil {
		rq.setBookmark()
	}
	if resp.StatusCode() < fasthttp.StatusOK {
		// The database may choose such a status, which does not end a request. A
		// proxy would take the next response on this connection for the response to
		// this request, or after 101 pass on everything that the client sends.
		resp.SetConnectionClose()
	}
	if resp.StatusCode() == fasthttp.StatusServiceUnavailable {
		resp.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(max(rq.response.retryAfter, rq.server.retryAfter())))
	}
	rq.traceHeader()
	rq.omitLength()
	if rq.response.running != nil {
		clients.FixChunks(resp)
	}
	clients.FixLength(resp, rq.response.spooled)
}

// omitLength sends an empty body without its length, where PostgREST does.
func (rq *request) omitLength() {
	if rq.response.noLength {
		clients.OmitLength(rq.ctx)
	}
}

// traceHeader echoes the client's trace header.
func (rq *request) traceHeader() {
	name := rq.snap.config.ServerTraceHeader
	if name == "" {
		return
	}
	h := &rq.ctx.Response.Header
	var own []string // set by the database under the same name; they come last
	for _, value := range h.PeekAll(name) {
		own = append(own, string(value))
	}
	h.Del(name)
	h.AddBytesV(name, rq.header(name))
	for _, value := range own {
		h.Add(name, value)
	}
}

// serverTiming reports how long the parts of the request took, in milliseconds.
func (rq *request) serverTiming() {
	t := &rq.timing
	dst := rq.response.scratch[:0]
	for i, part := range [...]struct {
		name string
		d    time.Duration
	}{{"jwt", t.jwt}, {"parse", t.parse}, {"plan", t.plan}, {"transaction", t.transaction}, {"response", t.response}} {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, part.name...), ";dur="...)
		dst = strconv.AppendFloat(dst, float64(part.d)/float64(time.Millisecond), 'f', 1, 64)
	}
	rq.response.scratch = dst
	rq.ctx.Response.Header.AddBytesV("Server-Timing", dst)
}
