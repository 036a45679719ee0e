package clients

import (
	"github.com/valyala/bytebufferpool"
	"github.com/valyala/fasthttp"
)

// coalescer makes one write of the first two writes of a long response: what fits
// into fasthttp's buffer, then the rest. The first is kept until the second comes.
// Should there be none, what is kept is sent before the next read.
type coalescer struct {
	on   bool                       // the next write is to be kept
	kept *bytebufferpool.ByteBuffer // nil: nothing is kept
}

var keptWrites bytebufferpool.Pool

// coalesceWrites has the first two writes of a response sent as one, if there are
// going to be two.
func coalesceWrites(ctx *fasthttp.RequestCtx) {
	r := &ctx.Response
	if r.IsBodyStream() || len(r.Body()) < coalesceFrom || r.SkipBody || ctx.IsHead() || Bodiless(r.StatusCode()) {
		return // fast path
	}
	if c, ok := ctx.Conn().(*conn); ok {
		c.coalesce.on = true
	}
}

// keep keeps a copy of p for the next write.
func (w *coalescer) keep(p []byte) {
	w.on = false
	w.kept = keptWrites.Get()
	w.kept.B = append(w.kept.B[:0], p...)
}

// writeJoined writes what was kept, and p. It returns how much of p was written.
func (c *conn) writeJoined(p []byte) (int, error) {
	w := &c.coalesce
	first := w.kept.B
	if c.sending(first) {
		first = first[1:]
	}
	before := len(first)
	n, err := c.send(first, p)
	keptWrites.Put(w.kept)
	w.kept = nil
	return max(0, n-before), err
}

// flush sends what is kept.
func (c *conn) flush() {
	c.coalesce.on = false
	if c.coalesce.kept != nil {
		_, _ = c.writeJoined(nil) // the next read fails as well
	}
}
