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
	rq.response.cors, rq.response.scratch, granted = cors.Preflight(rq.response.cors[:0], rq.response.scratch[:0], &r, rq.snap.config.ServerCORSAllowedOrigins)
	if !granted {
		return false
	}
	rq.addCORS()
	rq.traceHeader()
	rq.response.noLength = true
	rq.sayNoLength()
	return true
}

func (rq *request) addCORS() {
	for _, h := range rq.response.cors {
		rq.ctx.Response.Header.AddBytesKV(h.Name, h.Value)
	}
	rq.response.cors = rq.response.cors[:0]
}

// finish adds what belongs on every answer. failed: the answer is an error, which
// has no Server-Timing.
func (rq *request) finish(failed bool) {
	resp := &rq.ctx.Response
	c := rq.snap.config
	if !rq.ctx.IsOptions() {
		r := rq.corsRequest()
		if r.Origin != nil {
			rq.response.cors = cors.Simple(rq.response.cors[:0], &r, c.ServerCORSAllowedOrigins)
			rq.addCORS()
		}
	}
	if c.ServerTimingEnabled && !failed {
		rq.serverTiming()
	}
	if resp.StatusCode() < fasthttp.StatusOK {
		// The database may choose such a status, which does not end a request. A
		// proxy would take the next answer on this connection for the answer to
		// this request, or after 101 pass on everything the client sends.
		resp.SetConnectionClose()
	}
	if resp.StatusCode() == fasthttp.StatusServiceUnavailable {
		resp.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(max(rq.response.retryAfter, rq.server.retryAfter())))
	}
	rq.traceHeader()
	rq.sayNoLength()
	rq.fixLength()
}

// fixLength settles the length of answers without a body, whose status an error
// or the database may have chosen. A 204 has no length (RFC 9110, 8.6). A 304 has
// the length of the body it stands for; fasthttp does not set a length with this
// status, but keeps one that is there.
func (rq *request) fixLength() {
	resp := &rq.ctx.Response
	if rq.response.streamed >= 0 {
		resp.Header.SetContentLength(int(rq.response.streamed)) // whatever the database says
	}
	status := resp.StatusCode()
	if !bodiless(status) {
		return
	}
	if status != fasthttp.StatusNotModified {
		resp.ResetBody()
		resp.Header.Del(fasthttp.HeaderContentLength)
		return
	}
	n := int(rq.response.streamed)
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
	if rq.response.noLength && !rq.ctx.IsHead() && len(resp.Body()) == 0 && rq.ctx.Request.Header.IsHTTP11() &&
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
