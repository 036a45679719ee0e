package server

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"
)

// rawHead holds what fasthttp does not keep of a request's header lines. The values
// borrow from the lines as the client sent them.
type rawHead struct {
	// authorization is the value of the first Authorization line, nil without
	// one. Spaces at its end stay: for PostgREST they are part of the token.
	authorization []byte
	// contentType is the value of the first Content-Type line, nil without one.
	// fasthttp keeps the last one. PostgREST uses the first, and so must we: two
	// programs must not read one body in two ways.
	contentType []byte
}

// maxHeaders is how many header lines a request may have. Browsers behind
// several proxies send about forty.
const maxHeaders = 256

type headFault uint8

const (
	headFine headFault = iota
	headAmbiguous
	headTooMany
)

// readHead reads all header lines once. Its fault is what fasthttp accepts and
// another HTTP server may read in another way: two opinions about where a
// request ends let one client write into the request of the next (RFC 9112, 2.2,
// 5.1, 5.2, 6.1). chunked says that fasthttp expects a body in chunks.
func readHead(raw []byte, chunked bool) (h rawHead, fault headFault) {
	hasLength, hasCoding := false, false
	lines := 0
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end <= 0 || raw[end-1] != '\r' {
			return h, headAmbiguous
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		if len(line) == 0 {
			break
		}
		lines++
		colon := bytes.IndexByte(line, ':')
		// A space or tab in a name is a folded line, or a name that others trim.
		if colon < 0 || line[0] == '\t' || bytes.IndexByte(line[:colon], ' ') >= 0 {
			return h, headAmbiguous
		}
		switch name := line[:colon]; colon {
		case len(contentType):
			if h.contentType == nil && bytes.EqualFold(name, contentType) {
				h.contentType = bytes.TrimRight(fieldValue(line[colon+1:]), " \t")
			}
		case len(authorization):
			if h.authorization == nil && bytes.EqualFold(name, authorization) {
				h.authorization = fieldValue(line[colon+1:])
			}
		case len(contentLength):
			hasLength = hasLength || bytes.EqualFold(name, contentLength)
		case len(transferEncoding):
			hasCoding = hasCoding || bytes.EqualFold(name, transferEncoding)
		}
	}
	switch {
	case lines > maxHeaders:
		return h, headTooMany
	case hasCoding && (hasLength || !chunked): // fasthttp ignores "identity"
		return h, headAmbiguous
	}
	return h, headFine
}

// fieldValue is what follows a colon, without the white space in front. It is
// never nil.
func fieldValue(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

var (
	authorization    = []byte(fasthttp.HeaderAuthorization)
	contentType      = []byte(fasthttp.HeaderContentType)
	contentLength    = []byte(fasthttp.HeaderContentLength)
	transferEncoding = []byte(fasthttp.HeaderTransferEncoding)
)

// readHead reads the head of a request. It reports false, and has answered, if
// the head cannot be trusted; then the connection ends, because we cannot know
// where the next request begins.
func (s *Server) readHead(ctx *fasthttp.RequestCtx) (h rawHead, ok bool) {
	r := &ctx.Request.Header
	h, fault := readHead(r.RawHeaders(), r.ContentLength() == chunkedLength)
	if l := lineOf(ctx); l != nil && l.bare {
		fault = headAmbiguous
	}
	if fault == headFine { // fast path
		return h, true
	}
	refuse(ctx, fault)
	ctx.SetConnectionClose()
	drain(ctx)
	return h, false
}

// refuse answers a request that is not HTTP, or too much of it.
func refuse(ctx *fasthttp.RequestCtx, fault headFault) {
	if fault == headTooMany {
		answerText(ctx, fasthttp.StatusRequestHeaderFieldsTooLarge, "Request header fields too large")
	} else {
		answerText(ctx, fasthttp.StatusBadRequest, "Bad Request")
	}
	answerInKind(ctx)
}

// answerInKind answers HTTP/1.0 with HTTP/1.0, as PostgREST does.
func answerInKind(ctx *fasthttp.RequestCtx) {
	if !ctx.Request.Header.IsHTTP11() {
		ctx.Response.Header.SetProtocol(http10)
	}
}

var http10 = []byte("HTTP/1.0")

// headReceived is called for each head, before fasthttp reads the body. A client
// that speaks HTTP/1.0 does not wait for 100 (RFC 9110, 10.1.1).
func headReceived(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	if !h.IsHTTP11() {
		h.Del(fasthttp.HeaderExpect)
	}
	return c
}

// answerText answers with a line of text and without a length, like the HTTP
// server that PostgREST uses.
func answerText(ctx *fasthttp.RequestCtx, status int, text string) {
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
