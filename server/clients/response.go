package clients

import (
	"strings"

	"github.com/valyala/fasthttp"
)

// Finish is the last step of a handler. The body must have been read or skipped,
// and the response must be complete.
func Finish(ctx *fasthttp.RequestCtx) {
	SetVersion(ctx)
	coalesceWrites(ctx)
	nextLine(ctx)
}

// SetVersion makes the response to HTTP/1.0 an HTTP/1.0 response, as PostgREST
// does. Handlers that cannot call Finish call it.
func SetVersion(ctx *fasthttp.RequestCtx) {
	if !ctx.Request.Header.IsHTTP11() {
		ctx.Response.Header.SetProtocol(http10)
	}
}

var http10 = []byte("HTTP/1.0")

// RespondText makes a line of text the response. Its length is not sent, like in
// the HTTP server that PostgREST uses.
func RespondText(ctx *fasthttp.RequestCtx, status int, text string) {
	resp := &ctx.Response
	resp.Reset()
	resp.SetStatusCode(status)
	resp.Header.SetContentType("text/plain; charset=utf-8")
	switch {
	case ctx.IsHead(), lineOf(ctx).head():
		resp.SkipBody = true
	case ctx.Request.Header.IsHTTP11():
		resp.SetBodyStream(strings.NewReader(text), chunkedLength)
	default:
		resp.SetBodyString(text)
	}
}

// OmitLength sends an empty body in chunks instead of with its length, if the
// protocol has chunks and the status has a body.
func OmitLength(ctx *fasthttp.RequestCtx) {
	resp := &ctx.Response
	if !ctx.IsHead() && len(resp.Body()) == 0 && ctx.Request.Header.IsHTTP11() &&
		resp.StatusCode() != fasthttp.StatusNoContent && resp.StatusCode() != fasthttp.StatusNotModified {
		resp.SetBodyStream(strings.NewReader(""), chunkedLength)
	}
}

// FixLength sets the length of a body stream, unless it is negative, and corrects
// the length of responses whose status has no body. A 204 has no length (RFC 9110,
// 8.6). A 304 has the length of the body that it stands for.
func FixLength(resp *fasthttp.Response, streamed int64) {
	if streamed >= 0 {
		resp.Header.SetContentLength(int(streamed)) // in case other code has set one
	}
	status := resp.StatusCode()
	if !Bodiless(status) {
		return
	}
	if status != fasthttp.StatusNotModified {
		resp.ResetBody()
		resp.Header.Del(fasthttp.HeaderContentLength)
		return
	}
	n := int(streamed)
	if n < 0 {
		n = len(resp.Body())
	}
	if n > 0 {
		setLengthDespiteStatus(resp, n)
		resp.ResetBody()
	}
}

// Bodiless reports whether responses of the status have no body (RFC 9110, 6.4.1).
func Bodiless(status int) bool {
	return status < fasthttp.StatusOK || status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified
}
