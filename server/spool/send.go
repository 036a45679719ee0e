package spool

import (
	"bufio"
	"io"
	"net"
	"time"
)

// Client is the receiver of a body.
type Client struct {
	// Conn is the connection below the writer that is passed to WriteTo. The
	// content of a file goes to it directly; for TCP the kernel copies it
	// (sendfile).
	Conn net.Conn
	// Patience is the time in which the client must accept Piece bytes. Zero
	// means no limit.
	Patience time.Duration
}

// For sets the receiver of the body. If Conn is nil, WriteTo uses only its
// writer, without a time limit.
func (b *Body) For(c Client) { b.client = c }

// WriteTo sends the body and releases each part after it was sent.
func (b *Body) WriteTo(w io.Writer) (sent int64, err error) {
	b.client.Begin()
	if b.filed > 0 {
		if sent, err = b.sendFile(w); err != nil {
			return sent, err
		}
	}
	for i, p := range b.pieces {
		if err := b.client.Wait(); err != nil {
			return sent, err
		}
		n, err := w.Write(p.b[:p.n])
		sent += int64(n)
		if err != nil {
			b.pieces = b.pieces[i:]
			return sent, err
		}
		b.store.givePiece(p)
	}
	b.pieces = nil
	return sent, b.client.Wait() // for the bytes that the writer has buffered
}

func (b *Body) sendFile(w io.Writer) (sent int64, err error) {
	if buffered, ok := w.(*bufio.Writer); ok && b.client.Conn != nil {
		if err := b.client.Wait(); err != nil {
			return 0, err
		}
		if err := buffered.Flush(); err != nil {
			return 0, err
		}
		w = b.client.Conn
	}
	var buf []byte
	if _, itself := w.(io.ReaderFrom); !itself {
		p := b.store.takePiece(0, true)
		defer b.store.givePiece(p)
		buf = p.b[:]
	}
	part := io.LimitedReader{R: b.file}
	for sent < b.filed {
		if err := b.client.Wait(); err != nil {
			return sent, err
		}
		part.N = min(Piece, b.filed-sent)
		n, err := io.CopyBuffer(w, &part, buf)
		sent += n
		if err != nil {
			return sent, err
		}
		if n == 0 {
			return sent, io.ErrUnexpectedEOF
		}
	}
	return sent, nil
}

// Begin prepares the connection for a large body.
func (c Client) Begin() { limitUnsent(c.Conn) }

// Wait extends the write deadline for another piece.
func (c Client) Wait() error {
	switch {
	case c.Conn == nil:
		return nil
	case c.Patience <= 0:
		return c.Conn.SetWriteDeadline(time.Time{})
	}
	return c.Conn.SetWriteDeadline(time.Now().Add(c.Patience))
}
