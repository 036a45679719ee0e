package clients

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// Head is what fasthttp does not keep of a request's header lines. The values
// borrow from the lines as the client sent them, and are valid until the handler
// returns.
type Head struct {
	// Authorization is the value of the first Authorization line, nil without
	// one. Spaces at its end stay: for PostgREST they are part of the token.
	Authorization []byte
	// ContentType is the value of the first Content-Type line, nil without one.
	// fasthttp keeps the last one. PostgREST uses the first, and two programs must
	// not read one body in two ways.
	ContentType []byte
}

// maxHeaders is how many header lines a request may have. Browsers behind
// several proxies send about forty.
const maxHeaders = 256

// headFault is a reason to refuse a request.
type headFault uint8

const (
	headFine headFault = iota
	headAmbiguous
	headTooMany
)

// parseHead reads all header lines once. A fault is something that fasthttp accepts
// and that another HTTP server may read in another way. If two servers disagree
// about where a request ends, one client can write into the request of another
// (RFC 9112, 2.2, 5.1, 5.2, 6.1). chunked: fasthttp expects a body in chunks.
func parseHead(raw []byte, chunked bool) (h Head, fault headFault) {
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
			if h.ContentType == nil && bytes.EqualFold(name, contentType) {
				h.ContentType = bytes.TrimRight(fieldValue(line[colon+1:]), " \t")
			}
		case len(authorization):
			if h.Authorization == nil && bytes.EqualFold(name, authorization) {
				h.Authorization = fieldValue(line[colon+1:])
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

// fieldValue removes white space at the start of a value. The result is not nil.
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

// ReadHead checks the head of a request and returns parts of it. If it returns
// false it has refused the request: the connection ends after the response,
// because it is uncertain where the next request begins.
func ReadHead(ctx *fasthttp.RequestCtx) (h Head, ok bool) {
	r := &ctx.Request.Header
	h, fault := parseHead(r.RawHeaders(), r.ContentLength() == chunkedLength)
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

// headReceived is called for each head, before fasthttp reads the body. A client
// that speaks HTTP/1.0 does not wait for 100 (RFC 9110, 10.1.1).
func headReceived(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	if !h.IsHTTP11() {
		h.Del(fasthttp.HeaderExpect)
	}
	return c
}

// refuse responds to a request that is not HTTP, or too long.
func refuse(ctx *fasthttp.RequestCtx, fault headFault) {
	if fault == headTooMany {
		RespondText(ctx, fasthttp.StatusRequestHeaderFieldsTooLarge, "Request header fields too large")
	} else {
		RespondText(ctx, fasthttp.StatusBadRequest, "Bad Request")
	}
	SetVersion(ctx)
}
