package server

import (
	"bufio"
	"io"

	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/spool"
)

// spooledBody is a spooled body that fasthttp sends. fasthttp closes it when all of
// it is sent, or when the client has gone or is too slow.
type spooledBody struct {
	*spool.Body
	observation
	sent int64 // bytes that the socket has taken
}

// sendSpooled has fasthttp send a spooled body, and close it.
// fasthttp sends it like any other body: responses stay in order, and the
// client's connection can be used again.
func (rq *request) sendSpooled(b *spool.Body) {
	b.For(spool.Client{Conn: clients.Socket(rq.ctx), Patience: rq.snap.config.SpoolSendTimeout})
	rq.response.spooled = b.Size()
	rq.ctx.Response.SetBodyStream(&spooledBody{Body: b, observation: observation{server: rq.server, spooled: true}}, int(rq.response.spooled))
}

// WriteTo sends the body. Bytes that stay in fasthttp's buffer do not count as sent.
func (b *spooledBody) WriteTo(w io.Writer) (sent int64, err error) {
	sent, err = b.Body.WriteTo(w)
	if buffered, ok := w.(*bufio.Writer); ok {
		if err == nil {
			err = buffered.Flush()
		}
		sent -= int64(buffered.Buffered())
	}
	b.sent = max(0, sent)
	return b.sent, err
}

// Close releases the body. A body that is closed before observe is not the response.
func (b *spooledBody) Close() error {
	b.report(b.sent, b.sent < b.Size())
	return b.Body.Close()
}
