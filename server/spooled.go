package server

import (
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/spool"
)

// A body that grows beyond a piece is put away piece by piece while it comes
// from the database: in memory, and from stream-threshold on in a temporary
// file. So it costs little memory however large it is, it has a length, and
// the connection to the database is free as soon as the last row is here,
// however slowly the client reads. See package spool for what else was tried.
//
// fasthttp sends it like any other body: answers stay in order, and the
// client's connection can be used again.

func spoolLimits(c *config.Config) spool.Limits {
	return spool.Limits{Body: c.StreamThreshold, Files: int64(c.SpoolMaxSize) << 20}
}

// spill puts away what there is of the body. The rows to come are made where
// they are kept, if there is room.
func (rq *request) spill() error {
	r := &rq.result
	err := rq.spillValue(r.body)
	r.body = r.body[:0]
	if err == nil {
		r.room = r.spooled.Room(r.margin())
	}
	return err
}

// moveOn goes on to other room if there may be too little for another row.
func (rq *request) moveOn() error {
	r := &rq.result
	outgrown := cap(r.room) > spool.Piece
	if !outgrown && cap(r.room)-len(r.room) >= r.margin() {
		return nil
	}
	if err := r.leaveRoom(); err != nil {
		return err
	}
	r.room = r.spooled.Room(r.margin())
	return nil
}

// leaveRoom makes what is in the room a part of the body. It fails only if that
// has outgrown the room.
func (r *result) leaveRoom() error {
	if r.room == nil {
		return nil
	}
	p := r.room
	r.room = nil
	return unwanted(r.spooled.Fill(p))
}

// margin is how much room the next row is given. If it needs more it is copied.
func (r *result) margin() int { return 2 * r.widest }

// unwanted is why an answer cannot be kept: nobody needs what is still to come.
func unwanted(err error) error {
	if err != nil {
		err = fmt.Errorf("%w: %w", pgwire.ErrUnwanted, err)
	}
	return err
}

// spillValue puts away b. What has been written to the database is not undone
// for want of room for the answer.
func (rq *request) spillValue(b []byte) error {
	r := &rq.result
	if r.spooled == nil {
		r.spooled = rq.server.spool.NewBody(!r.plan.ReadOnly)
	}
	_, err := r.spooled.Write(b)
	return unwanted(err)
}

// spillLarge puts away a value that comes in pieces.
func (rq *request) spillLarge(value io.Reader) error {
	r := &rq.result
	defer func() { r.body = r.body[:0] }()
	r.body = sized(r.body, spool.Piece)
	for {
		n, err := io.ReadFull(value, r.body)
		if n > 0 {
			if err := rq.spillValue(r.body[:n]); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF: // if of the connection, that fails the flight
			return nil
		default:
			return err
		}
	}
}

// dropBody empties the body.
func (r *result) dropBody() {
	r.body, r.room = r.body[:0], nil
	if r.spooled != nil {
		_ = r.spooled.Close()
		r.spooled = nil
	}
}

// sendSpooled has fasthttp send the body that has been put away, and close it.
func (rq *request) sendSpooled() {
	r := &rq.result
	_ = r.leaveRoom() // which moveOn has not left outgrown
	b := r.spooled
	r.spooled = nil
	b.WriteTail(r.body)
	r.body = r.body[:0]
	b.For(spool.Client{Conn: socketOf(rq.ctx), Patience: rq.snap.config.SpoolSendTimeout})
	rq.streamed = b.Size()
	rq.ctx.Response.SetBodyStream(b, int(rq.streamed))
}

// socketOf is the client's connection itself.
func socketOf(ctx *fasthttp.RequestCtx) net.Conn {
	if c, ok := ctx.Conn().(*clientConn); ok {
		return c.Conn
	}
	return ctx.Conn()
}

// largeSink is a valueSink that need not have a large value in memory.
type largeSink request

func (s *largeSink) Fields(f []pgproto3.FieldDescription) error { return (*valueSink)(s).Fields(f) }
func (s *largeSink) Row(values [][]byte) error                  { return (*valueSink)(s).Row(values) }
func (s *largeSink) Complete(tag []byte)                        { (*valueSink)(s).Complete(tag) }

func (s *largeSink) Large(values [][]byte, _ int64, value io.Reader) error {
	if len(values) != 4 {
		return errStale
	}
	(*valueSink)(s).head(values)
	s.result.dropBody()
	return (*request)(s).spillLarge(value)
}
