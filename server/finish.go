package server

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/server/cors"
)

// corsRequest is what the CORS rules look at.
func (rq *request) corsRequest() cors.Request {
	h := &rq.ctx.Request.Header
	return cors.Request{
		Origin:         h.Peek(fasthttp.HeaderOrigin),
		Upgrade:        h.Peek(fasthttp.HeaderUpgrade),
		RequestMethod:  h.Peek(fasthttp.HeaderAccessControlRequestMethod),
		RequestHeaders: h.Peek(fasthttp.HeaderAccessControlRequestHeaders),
	}
}

// preflight answers a CORS preflight, before anything else is looked at.
func (rq *request) preflight() bool {
	if !rq.ctx.IsOptions() {
		return false
	}
	r := rq.corsRequest()
	var granted bool
	rq.corsHeaders, rq.scratch, granted = cors.Preflight(rq.corsHeaders[:0], rq.scratch[:0], &r, rq.snap.config.ServerCORSAllowedOrigins)
	if !granted {
		return false
	}
	rq.addCORS()
	rq.traceHeader()
	rq.noLength = true
	rq.sayNoLength()
	return true
}

func (rq *request) addCORS() {
	for _, h := range rq.corsHeaders {
		rq.ctx.Response.Header.AddBytesKV(h.Name, h.Value)
	}
	rq.corsHeaders = rq.corsHeaders[:0]
}

// finish adds what belongs on every answer, errors included.
func (rq *request) finish() {
	resp := &rq.ctx.Response
	c := rq.snap.config
	if !rq.ctx.IsOptions() {
		r := rq.corsRequest()
		if r.Origin != nil {
			rq.corsHeaders = cors.Simple(rq.corsHeaders[:0], &r, c.ServerCORSAllowedOrigins)
			rq.addCORS()
		}
	}
	if c.ServerTimingEnabled && resp.StatusCode() < fasthttp.StatusBadRequest {
		rq.serverTiming()
	}
	if status := resp.StatusCode(); status < fasthttp.StatusOK || status > 999 {
		// The database may say so. No status of this kind ends a request: whoever
		// is between us and the client would take what comes next on this
		// connection for the answer, or after 101 pass on everything the client
		// sends, past its own rules.
		resp.SetConnectionClose()
	}
	if resp.StatusCode() == fasthttp.StatusServiceUnavailable {
		resp.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(rq.server.retryAfter()))
	}
	rq.traceHeader()
	rq.sayNoLength()
	rq.keepLength()
}

// keepLength has a 204 or 304 say how long its body would have been, as
// PostgREST's do when an error or the database chooses such a status for an
// answer that has one. fasthttp refuses to set a length with these statuses,
// but keeps one that is there.
func (rq *request) keepLength() {
	resp := &rq.ctx.Response
	if rq.streamed >= 0 {
		resp.Header.SetContentLength(int(rq.streamed)) // whatever the database says
	}
	status := resp.StatusCode()
	if status != fasthttp.StatusNoContent && status != fasthttp.StatusNotModified {
		return
	}
	n := int(rq.streamed)
	if n < 0 {
		n = len(resp.Body())
	}
	if n > 0 {
		resp.SetStatusCode(fasthttp.StatusOK)
		resp.Header.SetContentLength(n)
		resp.SetStatusCode(status)
		resp.ResetBody()
	}
}

// sayNoLength sends an empty body in chunks instead of with its length.
// Statuses that never have a body need no such thing.
func (rq *request) sayNoLength() {
	resp := &rq.ctx.Response
	if rq.noLength && !rq.ctx.IsHead() && len(resp.Body()) == 0 && rq.ctx.Request.Header.IsHTTP11() &&
		resp.StatusCode() != fasthttp.StatusNoContent && resp.StatusCode() != fasthttp.StatusNotModified {
		resp.SetBodyStream(strings.NewReader(""), -1)
	}
}

// traceHeader echoes the client's trace header.
func (rq *request) traceHeader() {
	name := rq.snap.config.ServerTraceHeader
	if name == "" {
		return
	}
	h := &rq.ctx.Response.Header
	var own []string // of the same name, by the database: they come after
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
	dst := rq.scratch[:0]
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
	rq.scratch = dst
	rq.ctx.Response.Header.AddBytesV("Server-Timing", dst)
}
