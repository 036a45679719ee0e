package server

import (
	"io"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// Bodies come as streams: fasthttp would read them into memory before anybody
// has asked who the client is, and those of unknown length into buffers that
// double, of which two or three are in memory at the end.
//
// What nobody has read of a body would be taken for the next request; see
// skipBody.

const (
	// trustedLength is how much memory the mere announcement of a body gets.
	trustedLength = 1 << 20
	// bodyPiece is how a body of unknown length is collected.
	bodyPiece = 1 << 20
	// maxBodyKept is maxKept for bodies: bulk inserts are alike.
	maxBodyKept = 1 << 20
)

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
	n := rq.ctx.Request.Header.ContentLength()
	if n < 0 {
		return rq.readPieces(stream, limit)
	}
	if n > limit {
		return nil, bodyTooLarge(limit)
	}
	have := 0
	if cap(rq.body) < n && n > trustedLength {
		rq.body = sized(rq.body, trustedLength)
		var err error
		if have, err = io.ReadFull(stream, rq.body); err != nil {
			return nil, rq.bodyBroken(err)
		}
	}
	whole := sized(rq.body, n)
	copy(whole, rq.body[:have])
	rq.body = whole
	for have < n {
		if have > 0 {
			rq.moreTime()
		}
		got, err := io.ReadFull(stream, whole[have:min(have+bodyPiece, n)])
		if have += got; err != nil {
			return nil, rq.bodyBroken(err)
		}
	}
	return whole, nil
}

// moreTime gives the client as long for the next piece of its body as it had
// for the last one: large bodies take long, and nobody waits for them but us.
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

// readPieces reads a body of unknown length. Pieces are put together in the
// end, so that it is in memory twice and not once for every size it has had.
func (rq *request) readPieces(stream io.Reader, limit int) ([]byte, error) {
	var pieces [][]byte
	b, total := sized(rq.body, 4<<10)[:0], 0
	for {
		if len(b) == cap(b) {
			pieces = append(pieces, b)
			if cap(b) == bodyPiece {
				rq.moreTime()
			}
			b = make([]byte, 0, min(2*cap(b), bodyPiece))
		}
		n, err := stream.Read(b[len(b):cap(b)])
		b, total = b[:len(b)+n], total+n
		if total > limit {
			return nil, bodyTooLarge(limit)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, rq.bodyBroken(err)
		}
	}
	if pieces == nil {
		rq.body = b
		return b, nil
	}
	whole := make([]byte, 0, total)
	for _, p := range pieces {
		whole = append(whole, p...)
	}
	rq.body = append(whole, b...)
	return rq.body, nil
}

func bodyTooLarge(limit int) *problem {
	return newProblem(fasthttp.StatusRequestEntityTooLarge, "PGRSTX01", "Request body too large").
		withDetails("The limit is " + strconv.Itoa(limit) + " bytes (server-max-body-size).")
}

func (rq *request) bodyBroken(err error) *problem {
	rq.bodyLost = true
	return newProblem(fasthttp.StatusBadRequest, "PGRSTX02", "The request body could not be read").withDetails(err.Error())
}

const (
	skipBytes  = 256 << 10
	drainPause = 300 * time.Millisecond
	drainTotal = 10 * time.Second
)

// skipBody reads what is left of the body: usually nothing. If it is much, or
// broken, the connection cannot be used for another request.
func (rq *request) skipBody() {
	stream := rq.bodyStream()
	if stream == nil {
		return
	}
	buf := sized(rq.body, 4<<10)
	rq.body = buf
	// A stream that failed at the head of a chunk would go on with what it takes
	// for the next one.
	for left := skipBytes; left > 0 && !rq.bodyLost; {
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
