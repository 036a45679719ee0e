package clients

import (
	"io"
	"net"
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/server/spool"
)

// ChunkWriter sends a body in chunks while it is produced, each at once. fasthttp ends
// the body (fact 10 of fasthttp.go): a body that its producer cannot complete has no
// last chunk, by which a client recognizes it.
type ChunkWriter struct {
	w      io.Writer // fasthttp's, which makes a chunk of each write
	client spool.Client
	begun  bool // the first chunk has been sent, and with it the head
	head   [maxChunkHead]byte
	parts  [3][]byte
	all    net.Buffers // over parts
}

// maxChunkHead is the length of the size of a chunk and its line end.
const maxChunkHead = 16 + 2

// NewChunkWriter makes the writer of a body stream. w is what the stream's WriteTo gets.
func NewChunkWriter(w io.Writer, client spool.Client) *ChunkWriter {
	client.Begin()
	return &ChunkWriter{w: w, client: client}
}

// Write sends p as one chunk. The client has its patience for each piece of it. The
// first chunk is fasthttp's and goes with the head. The others go past fasthttp's
// buffer, each in one system call. An empty p is not sent: it would end the body.
func (c *ChunkWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), spool.Piece)]
		if err := c.client.Wait(); err != nil {
			return n, err
		}
		if err := c.send(part); err != nil {
			return n, err
		}
		n += len(part)
		p = p[len(part):]
	}
	return n, nil
}

func (c *ChunkWriter) send(p []byte) error {
	if !c.begun || c.client.Conn == nil {
		c.begun = true
		_, err := c.w.Write(p)
		return err
	}
	head := append(strconv.AppendUint(c.head[:0], uint64(len(p)), 16), crlf...)
	c.parts = [...][]byte{head, p, crlf}
	c.all = c.parts[:]
	_, err := c.all.WriteTo(c.client.Conn)
	c.parts = [3][]byte{}
	return err
}

// Break begins a chunk that does not follow. It makes sure that every client sees that the
// body is incomplete: Python's http.client accepts a connection that ends between two
// chunks when it reads lines. Only whole chunks may have been written.
func (c *ChunkWriter) Break() {
	if !c.begun || c.client.Conn == nil || c.client.Wait() != nil {
		return
	}
	_, _ = c.client.Conn.Write([]byte("1\r\n")) // the connection is closed in any case
}

// TakesChunks reports whether the response may be sent in chunks.
func TakesChunks(ctx *fasthttp.RequestCtx) bool { return ctx.Request.Header.IsHTTP11() }

// FixChunks has a body stream sent in chunks whatever length other code has set. It
// closes the stream if the status has no body.
func FixChunks(resp *fasthttp.Response) {
	if Bodiless(resp.StatusCode()) {
		resp.ResetBody()
	} else {
		resp.Header.SetContentLength(chunkedLength)
	}
}
