package clients

import (
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/valyala/bytebufferpool"
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/server/spool"
)

// Bodies come as streams: fasthttp would read them into memory before it is known
// who the client is. A body takes memory as its bytes arrive, whatever length it
// announces, and all bodies together have a limit.

const (
	// freeBody is the memory in bytes that a body may take without being counted:
	// as much as its connection takes anyway.
	freeBody = 64 << 10
	// firstBody is the memory that a body of unknown length begins with.
	firstBody = 4 << 10
	// bodyPiece is how much of a body the client has ReadTimeout for.
	bodyPiece = 1 << 20
	// maxBodyKept is the largest buffer that is kept for later bodies: bulk inserts
	// are alike.
	maxBodyKept = 1 << 20
	// largeBuffer is the size from which on a buffer grows in larger steps.
	largeBuffer = 8 << 20
)

// Bodies is what the bodies of all requests share. It is safe for concurrent use.
type Bodies struct {
	pool   bytebufferpool.Pool
	memory spool.Budget
}

// Used returns the memory in bytes of all bodies that is counted.
func (s *Bodies) Used() int64 { return s.memory.Used() }

// Limits bound the memory of bodies, in bytes.
type Limits struct {
	Body   int   // one body
	Bodies int64 // all bodies, in any form
}

// BodyFault is what is wrong with a body.
type BodyFault uint8

// What is wrong.
const (
	BodyTooLarge   BodyFault = iota // longer than Limits.Body
	BodiesTooLarge                  // no room in Limits.Bodies at the moment
	BodyUnreadable                  // Err says why
)

// BodyError is an error of a Body.
type BodyError struct {
	Fault BodyFault
	Limit int64 // the limit that is exceeded, in bytes
	Err   error // of BodyUnreadable; has no network addresses
}

func (e *BodyError) Error() string {
	if e.Fault == BodyUnreadable {
		return "the request body could not be read: " + e.Err.Error()
	}
	return "the request body exceeds a limit of " + strconv.FormatInt(e.Limit, 10) + " bytes"
}

func (e *BodyError) Unwrap() error { return e.Err }

// Body is the body of a request. It is used for one request after another: Begin,
// then Restrict, Read, Count and Skip, then Release.
type Body struct {
	ctx    *fasthttp.RequestCtx
	shared *Bodies
	limits Limits

	read    bool                       // to its end
	lost    bool                       // it is uncertain where it ends
	chunks  chunks                     // decodes it, if it comes in chunks
	buffer  *bytebufferpool.ByteBuffer // what was read of a stream; nil: nothing
	counted int64                      // of shared.memory
	parts   int                        // bytes read by Part
	kept    int                        // of them at the beginning of buffer, see Keep
}

// Begin is called before all others.
func (b *Body) Begin(ctx *fasthttp.RequestCtx, shared *Bodies, limits Limits) {
	*b = Body{ctx: ctx, shared: shared, limits: limits}
}

// Restrict lowers the limit of this body, in bytes.
func (b *Body) Restrict(most int) { b.limits.Body = min(b.limits.Body, most) }

// stream returns the body as it arrives, nil without one.
func (b *Body) stream() io.Reader {
	stream := b.ctx.RequestBodyStream()
	if stream == nil || b.ctx.Request.Header.ContentLength() != chunkedLength {
		return stream
	}
	if b.chunks.r == nil {
		b.chunks.r = readerOf(stream)
	}
	return &b.chunks
}

// Read reads the whole body. The bytes are valid until Release. An error is a
// *BodyError, or what worthReading returned: it is called before more than
// freeBody is read. (Shorter bodies are read first because in PostgREST an error
// in the body comes before one in the path.)
func (b *Body) Read(worthReading func() error) ([]byte, error) {
	stream := b.stream()
	if stream == nil {
		return b.ctx.PostBody(), nil
	}
	length := b.ctx.Request.Header.ContentLength()
	known := length != chunkedLength
	switch {
	case !known:
		length = b.limits.Body + 1
	case length > b.limits.Body:
		return nil, b.tooLarge()
	case length > freeBody:
		if err := worthReading(); err != nil {
			return nil, err
		}
	}
	first := firstBody
	if known {
		first = freeBody
	}
	p, err := b.grow(min(length, first))
	if err != nil {
		return nil, err
	}
	for len(p) < length {
		if len(p) == cap(p) {
			if p, err = b.grow(min(nextSize(cap(p)), length)); err != nil {
				return nil, err
			}
		}
		before := len(p)
		n, err := stream.Read(p[before:min(cap(p), length)])
		p = p[:before+n]
		b.buffer.B = p
		switch {
		case len(p) == length: // the error, if any, is the end
		case err == io.EOF && !known:
			b.read = true
			return p, nil
		case err != nil:
			return nil, b.unreadable(unexpected(err))
		case len(p)/bodyPiece > before/bodyPiece:
			b.moreTime()
		}
		if !known && before <= freeBody && len(p) > freeBody {
			if err := worthReading(); err != nil {
				return nil, err
			}
		}
	}
	if !known {
		return nil, b.tooLarge()
	}
	b.read = true
	return p, nil
}

// moreTime gives the client as long for the next piece as it had for the last one.
func (b *Body) moreTime() { _ = b.ctx.Conn().SetReadDeadline(time.Now().Add(ReadTimeout)) }

// grow gives the body a buffer of at least size bytes, with what was read so far.
// The first buffer comes from the pool.
func (b *Body) grow(size int) ([]byte, error) {
	if b.buffer == nil {
		b.buffer = b.shared.pool.Get()
		if n := cap(b.buffer.B); n > freeBody && b.take(n) != nil {
			b.buffer.B = nil
		}
	}
	old := b.buffer.B
	if cap(old) >= size {
		return old, nil
	}
	if size > freeBody {
		if err := b.take(size); err != nil {
			return nil, err
		}
	}
	b.buffer.B = append(make([]byte, 0, size), old...)
	if n := int64(cap(old)); n > freeBody {
		b.shared.memory.Give(n)
		b.counted -= n
	}
	return b.buffer.B, nil
}

// nextSize is the size of the buffer that follows a full one. Buffers that were
// outgrown are garbage for a while, and a large body leaves little of it if its
// buffer grows in large steps.
func nextSize(full int) int {
	if full < largeBuffer {
		return 2 * full
	}
	return 4 * full
}

// take counts n bytes.
func (b *Body) take(n int) error {
	if !b.shared.memory.Take(int64(n), b.limits.Bodies) {
		return &BodyError{Fault: BodiesTooLarge, Limit: b.limits.Bodies}
	}
	b.counted += int64(n)
	return nil
}

// Count counts n bytes that the body was converted to, until Release.
func (b *Body) Count(n int) error {
	if n > freeBody {
		return b.take(n)
	}
	return nil
}

// Release gives the memory back.
func (b *Body) Release() {
	if b.counted > 0 {
		b.shared.memory.Give(b.counted)
	}
	if b.buffer != nil {
		if cap(b.buffer.B) > maxBodyKept {
			b.buffer.B = nil
		}
		b.shared.pool.Put(b.buffer)
	}
	*b = Body{}
}

func (b *Body) tooLarge() error {
	return &BodyError{Fault: BodyTooLarge, Limit: int64(b.limits.Body)}
}

func (b *Body) unreadable(err error) error {
	b.lost = true
	var network *net.OpError
	if errors.As(err, &network) { // its text has addresses
		err = network.Err
	}
	return &BodyError{Fault: BodyUnreadable, Err: err}
}

const (
	skipBytes  = 256 << 10
	drainPause = 300 * time.Millisecond
	drainTotal = 10 * time.Second
)

// Skip reads what is left of the body, which fasthttp would take for the next
// request (fact 3 of fasthttp.go). Usually nothing is left. If it is much, or
// broken, or does not arrive soon, the connection is closed after the response.
func (b *Body) Skip() {
	stream := b.stream()
	if stream == nil || b.read {
		return // fast path
	}
	_, _ = b.grow(firstBody) // so little is not counted, and so does not fail
	p := b.buffer.B[:firstBody]
	// A stream that failed at the head of a chunk would take what follows for the
	// next chunk.
	for left := skipBytes; left > 0 && !b.lost; {
		if c, ok := b.ctx.Conn().(*conn); ok {
			_ = c.SetReadDeadline(time.Now().Add(drainPause))
		}
		n, err := stream.Read(p)
		left -= n
		if err == io.EOF {
			return // of the body or of the connection
		}
		if err != nil {
			break
		}
	}
	b.ctx.SetConnectionClose()
	drain(b.ctx)
}

// drain reads what a client is still sending, until it pauses or drainTotal is
// over. The connection is closed after the response, and closing it with bytes
// unread would reset it, so that the response might be lost.
func drain(ctx *fasthttp.RequestCtx) {
	c := ctx.Conn()
	if c == nil {
		return
	}
	p := make([]byte, 16<<10)
	for end := time.Now().Add(drainTotal); time.Now().Before(end); {
		if c.SetReadDeadline(time.Now().Add(drainPause)) != nil {
			return
		}
		if _, err := c.Read(p); err != nil {
			return
		}
	}
}
