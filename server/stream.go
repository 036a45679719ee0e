package server

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/valyala/bytebufferpool"
)

// A body that PostgreSQL computes as one value says how long it is before it
// comes. One that is large is handed from one socket to the other while it
// arrives, so that an answer of any size costs no memory, and a slow client
// slows the database's sending down instead of filling ours.
//
// The answer then leaves before the handler returns, past fasthttp, which is
// told that the connection is ours. It is closed in the end: that is also how
// a client learns that something went wrong halfway.
//
// fasthttp may still hold answers to earlier requests of a pipeline. What is
// behind them is not streamed: it would overtake them. See clientConn.

// streamSink passes a large value on to the client; smaller ones it keeps.
type streamSink request

func (s *streamSink) Fields(f []pgproto3.FieldDescription) error { return (*valueSink)(s).Fields(f) }
func (s *streamSink) Row(values [][]byte) error                  { return (*valueSink)(s).Row(values) }
func (s *streamSink) Complete(tag []byte)                        { (*valueSink)(s).Complete(tag) }

// errHeadSent: an answer has begun and could not be finished.
var errHeadSent = errors.New("answer cut off")

func (s *streamSink) Large(values [][]byte, size int64, body io.Reader) error {
	rq := (*request)(s)
	if len(values) != 4 {
		return errStale
	}
	(*valueSink)(s).head(values)
	rq.result.body = rq.result.body[:0]
	if err := rq.respond(); err != nil {
		return err
	}
	if len(rq.ctx.Response.Body()) > 0 {
		return nil // an answer of our own instead, as for a range beyond the end
	}
	return rq.stream(size, body)
}

// respond makes the answer's head for what is being executed.
func (rq *request) respond() error {
	if plan := rq.result.plan; plan.Routine != nil {
		return rq.respondCall(plan)
	} else {
		return rq.respondRead(plan)
	}
}

// chunkTime is how long a client may take to accept streamChunk bytes. Until
// it does, a connection to the database is busy for it.
const chunkTime = 30 * time.Second

const streamChunk = 64 << 10

// pieces hold the head of a stream, then its body, one after the other.
var pieces bytebufferpool.Pool

// stream sends head and body.
func (rq *request) stream(size int64, body io.Reader) error {
	rq.timing.transaction = rq.lap()
	rq.finish()
	rq.streamed = size
	resp := &rq.ctx.Response
	resp.Header.SetContentLength(int(size))
	resp.SetConnectionClose()
	conn := rq.ctx.Conn()
	out := &patientWriter{conn}
	piece := pieces.Get()
	defer pieces.Put(piece)
	piece.B = resp.Header.AppendBytes(piece.B)
	if _, err := out.Write(piece.B); err != nil {
		return errHeadSent
	}
	piece.B = sized(piece.B, streamChunk)
	if n, err := io.CopyBuffer(struct{ io.Writer }{out}, body, piece.B); err != nil || n != size {
		return errHeadSent
	}
	return nil
}

// patientWriter gives each write the same time.
type patientWriter struct{ net.Conn }

func (w *patientWriter) Write(b []byte) (int, error) {
	if err := w.Conn.SetWriteDeadline(time.Now().Add(chunkTime)); err != nil {
		return 0, err
	}
	return w.Conn.Write(b)
}

// handOver tells fasthttp that the connection has had its answer.
func (rq *request) handOver() {
	rq.ctx.HijackSetNoResponse(true)
	rq.ctx.Hijack(func(net.Conn) {}) // which closes it
}
