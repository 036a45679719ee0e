package server

import (
	"net"

	"github.com/valyala/bytebufferpool"
	"github.com/valyala/fasthttp"
)

// gatherFrom is the length from which on fasthttp sends a body in two writes:
// what fits into its buffer of 4 KiB behind the head, then the rest. Of shorter
// bodies there might be one, which nobody but the next read would send on.
const gatherFrom = 4 << 10

// gather makes one write of the first two of a long answer. The first is kept
// until the second comes; should there be none after all, it leaves before we
// wait for the next request.
type gather struct {
	on    bool                       // the next write is to be kept
	kept  *bytebufferpool.ByteBuffer // nil: nothing is
	parts [2][]byte
	all   net.Buffers // over parts
}

var gathered bytebufferpool.Pool

// gatherAnswer has the answer's first two writes sent as one.
func gatherAnswer(ctx *fasthttp.RequestCtx) {
	r := &ctx.Response
	if r.IsBodyStream() || len(r.Body()) < gatherFrom || r.SkipBody || ctx.IsHead() || bodiless(r.StatusCode()) {
		return // fast path
	}
	if c, ok := ctx.Conn().(*clientConn); ok {
		c.gather.on = true
	}
}

// bodiless reports whether answers of the status have no body (RFC 9110, 6.4.1).
func bodiless(status int) bool {
	return status < fasthttp.StatusOK || status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified
}

// keep keeps p for the next write.
func (g *gather) keep(p []byte) {
	g.on = false
	g.kept = gathered.Get()
	g.kept.B = append(g.kept.B[:0], p...)
}

// writeGathered writes what was kept, and p. Of p it tells how much has left.
func (c *clientConn) writeGathered(p []byte) (int, error) {
	g := &c.gather
	first := g.kept.B
	if c.sending(first) {
		first = first[1:]
	}
	before := len(first)
	g.parts = [2][]byte{first, p}
	g.all = g.parts[:]
	n, err := g.all.WriteTo(c.Conn)
	g.parts = [2][]byte{}
	gathered.Put(g.kept)
	g.kept = nil
	return max(0, int(n)-before), err
}

// release sends what is still kept.
func (c *clientConn) release() {
	c.gather.on = false
	if c.gather.kept != nil {
		_, _ = c.writeGathered(nil) // who is gone will not be read from either
	}
}
