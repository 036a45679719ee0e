package server

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// What fasthttp lets pass although somebody in front of us may read it in
// another way: then there are two opinions on where a request ends, and one
// client can put words into the mouth of the next (RFC 9112, 2.2, 5.2, 6.3).

// maxHeaders is how many header lines a request may have. Browsers behind
// several proxies send some forty.
const maxHeaders = 256

type headFault uint8

const (
	headFine headFault = iota
	headAmbiguous
	headTooMany
)

// checkHead looks at the lines of the head as they came: each ends with CR LF,
// none continues the one before, and there are not too many.
func checkHead(raw []byte) headFault {
	lines := 0
	for at := 0; ; lines++ {
		i := bytes.IndexByte(raw[at:], '\n')
		if i < 0 {
			break
		}
		end := at + i
		if end == 0 || raw[end-1] != '\r' {
			return headAmbiguous
		}
		at = end + 1
		if at < len(raw) && (raw[at] == ' ' || raw[at] == '\t') {
			return headAmbiguous
		}
	}
	if lines > maxHeaders+1 { // and the empty one
		return headTooMany
	}
	return headFine
}

// saysLengthTwice reports whether a body that comes in chunks has a length, too.
func saysLengthTwice(h *fasthttp.RequestHeader, raw []byte) bool {
	if h.ContentLength() != -1 { // of chunks
		return false
	}
	for line := range bytes.SplitSeq(raw, newline) {
		name, _, _ := bytes.Cut(line, colon)
		if bytes.EqualFold(name, contentLength) {
			return true
		}
	}
	return false
}

var (
	colon         = []byte{':'}
	contentLength = []byte(fasthttp.HeaderContentLength)
)

// refuseHead answers requests whose head cannot be trusted, and ends the
// connection: where the next request begins is anybody's guess.
func refuseHead(ctx *fasthttp.RequestCtx) bool {
	raw := ctx.Request.Header.RawHeaders()
	fault := checkHead(raw)
	if fault == headFine && saysLengthTwice(&ctx.Request.Header, raw) {
		fault = headAmbiguous
	}
	switch fault {
	case headFine: // fast path
		return false
	case headTooMany:
		ctx.Error("Request header fields too large", fasthttp.StatusRequestHeaderFieldsTooLarge)
	default:
		ctx.Error("Bad request", fasthttp.StatusBadRequest)
	}
	ctx.SetConnectionClose()
	drain(ctx)
	return true
}
