package server

import (
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/valyala/bytebufferpool"
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/spool"
)

// Bodies come as streams: fasthttp would read them into memory before we know who
// the client is. A body takes memory as its bytes arrive, whatever length it
// announces, and all bodies together have one budget.
//
// What we leave of a body would be taken for the next request; see skipBody.

const (
	// freeBody is the memory a body may take without being counted: as much as
	// its connection takes anyway.
	freeBody = 64 << 10
	// firstBody is the memory a body of unknown length begins with.
	firstBody = 4 << 10
	// bodyPiece is how much of a body the client has readTimeout for.
	bodyPiece = 1 << 20
	// maxBodyKept is the largest buffer that later bodies may use: bulk inserts
	// are alike.
	maxBodyKept = 1 << 20
)

// bodies is what the bodies of all requests share.
type bodies struct {
	pool   bytebufferpool.Pool
	memory spool.Budget
}

// bodyStream is the request's body as it arrives, nil without one.
func (rq *request) bodyStream() io.Reader {
	stream := rq.ctx.RequestBodyStream()
	if stream == nil || rq.ctx.Request.Header.ContentLength() != chunkedLength {
		return stream
	}
	if rq.chunks.r == nil {
		rq.chunks.r = readerOf(stream)
	}
	return &rq.chunks
}

// readBody reads the request's body. It is valid until the request ends.
func (rq *request) readBody() ([]byte, error) {
	stream := rq.bodyStream()
	if stream == nil {
		return rq.ctx.PostBody(), nil
	}
	limit := rq.snap.config.ServerMaxBodySize
	length := rq.ctx.Request.Header.ContentLength()
	known := length != chunkedLength
	switch {
	case !known:
		length = limit + 1
	case length > limit:
		return nil, bodyTooLarge(limit)
	case length > freeBody:
		if err := rq.worthReading(); err != nil {
			return nil, err
		}
	}
	first := firstBody
	if known {
		first = freeBody
	}
	b, err := rq.growBody(min(length, first))
	if err != nil {
		return nil, err
	}
	for len(b) < length {
		if len(b) == cap(b) {
			if b, err = rq.growBody(min(nextSize(cap(b)), length)); err != nil {
				return nil, err
			}
		}
		before := len(b)
		n, err := stream.Read(b[before:min(cap(b), length)])
		b = b[:before+n]
		rq.body.B = b
		switch {
		case len(b) == length: // the error, if any, is the end
		case err == io.EOF && !known:
			rq.bodyRead = true
			return b, nil
		case err != nil:
			return nil, rq.bodyBroken(unexpected(err))
		case len(b)/bodyPiece > before/bodyPiece:
			rq.moreTime()
		}
		if !known && before <= freeBody && len(b) > freeBody {
			if err := rq.worthReading(); err != nil {
				return nil, err
			}
		}
	}
	if !known {
		return nil, bodyTooLarge(limit)
	}
	rq.bodyRead = true
	return b, nil
}

// growBody gives the body a buffer of at least size bytes, with what there is of
// it. The first time it takes one from the pool.
func (rq *request) growBody(size int) ([]byte, error) {
	shared := &rq.server.bodies
	if rq.body == nil {
		rq.body = shared.pool.Get()
		if n := cap(rq.body.B); n > freeBody && rq.countMemory(n) != nil {
			rq.body.B = nil
		}
	}
	old := rq.body.B
	if cap(old) >= size {
		return old, nil
	}
	if size > freeBody {
		if err := rq.countMemory(size); err != nil {
			return nil, err
		}
	}
	rq.body.B = append(make([]byte, 0, size), old...)
	if cap(old) > freeBody {
		shared.memory.Give(int64(cap(old)))
		rq.counted -= int64(cap(old))
	}
	return rq.body.B, nil
}

// nextSize is the size of the buffer that follows a full one. What has been
// outgrown is garbage for a while, and a large body has little of it if its
// buffer grows in large steps.
func nextSize(full int) int {
	if full < largeBuffer {
		return 2 * full
	}
	return 4 * full
}

const largeBuffer = 8 << 20

// worthReading reports that the resource does not exist. It is asked before more
// than freeBody is read. Shorter bodies come first: in PostgREST a fault in the
// body comes before one in the path.
func (rq *request) worthReading() error {
	q := catalog.QI{Schema: rq.schemaName(), Name: string(rq.target.name)}
	p := rq.snap.planner
	switch {
	case rq.target.resource == resourceRelation && p.Catalog().Tables[q] == nil:
		return p.NotFound(q)
	case rq.target.resource == resourceRoutine && p.Catalog().Routines[q] == nil:
		return p.NoRoutine(q)
	}
	return nil
}

// countMemory takes n bytes of what all bodies may have.
func (rq *request) countMemory(n int) error {
	limit := rq.snap.config.BodiesMaxSize
	if !rq.server.bodies.memory.Take(int64(n), int64(limit)<<20) {
		return bodiesTooLarge(limit)
	}
	rq.counted += int64(n)
	return nil
}

// countConverted counts what a body has been converted to.
func (rq *request) countConverted() error {
	if n := cap(rq.payload.converted); n > freeBody {
		return rq.countMemory(n)
	}
	return nil
}

// dropBody gives the body's memory back.
func (rq *request) dropBody() {
	shared := &rq.server.bodies
	if rq.counted > 0 {
		shared.memory.Give(rq.counted)
		rq.counted = 0
	}
	if rq.body == nil {
		return // fast path
	}
	if cap(rq.body.B) > maxBodyKept {
		rq.body.B = nil
	}
	shared.pool.Put(rq.body)
	rq.body = nil
}

// moreTime gives the client as long for the next piece of its body as it had for
// the last one.
func (rq *request) moreTime() {
	_ = rq.ctx.Conn().SetReadDeadline(time.Now().Add(readTimeout))
}

// sized is b with length n, or a new slice.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

func bodyTooLarge(limit int) *problem {
	return newProblem(fasthttp.StatusRequestEntityTooLarge, "PGRSTX01", "Request body too large").
		withDetails("The limit is " + strconv.Itoa(limit) + " bytes (server-max-body-size).")
}

func bodiesTooLarge(limit int) *problem {
	p := newProblem(fasthttp.StatusServiceUnavailable, "PGRSTX08", "Too many large request bodies at the same time").
		withDetails("The limit for all of them is " + strconv.Itoa(limit) + " MiB (bodies-max-size).")
	p.retryAfter = 1
	return p
}

func (rq *request) bodyBroken(err error) *problem {
	rq.bodyLost = true
	var network *net.OpError
	if errors.As(err, &network) { // its text has our addresses
		err = network.Err
	}
	return newProblem(fasthttp.StatusBadRequest, "PGRSTX02", "The request body could not be read").withDetails(err.Error())
}

const (
	skipBytes  = 256 << 10
	drainPause = 300 * time.Millisecond
	drainTotal = 10 * time.Second
)

// skipBody reads what is left of the body: usually nothing. If it is much, or
// broken, or does not arrive soon, the connection cannot be used for another
// request.
func (rq *request) skipBody() {
	stream := rq.bodyStream()
	if stream == nil || rq.bodyRead {
		return // fast path
	}
	_, _ = rq.growBody(firstBody) // so little is not counted, and so does not fail
	buf := rq.body.B[:firstBody]
	// A stream that failed at the head of a chunk would go on with what it takes
	// for the next one.
	for left := skipBytes; left > 0 && !rq.bodyLost; {
		if conn, ok := rq.ctx.Conn().(*clientConn); ok {
			_ = conn.SetReadDeadline(time.Now().Add(drainPause))
		}
		n, err := stream.Read(buf)
		left -= n
		if err == io.EOF {
			return // of the body or, as well, of the connection
		}
		if err != nil {
			break
		}
	}
	rq.ctx.SetConnectionClose()
	drain(rq.ctx)
}

// drain takes what a client is still sending, until it pauses or the time is
// up. The connection is closed after the answer, and closing it with bytes
// unread would reset it and take the answer along.
func drain(ctx *fasthttp.RequestCtx) {
	conn := ctx.Conn()
	if conn == nil {
		return
	}
	buf := make([]byte, 16<<10)
	for end := time.Now().Add(drainTotal); time.Now().Before(end); {
		if conn.SetReadDeadline(time.Now().Add(drainPause)) != nil {
			return
		}
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}
