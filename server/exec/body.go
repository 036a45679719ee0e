package exec

import (
	"fmt"
	"io"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/server/spool"
)

// Body is the body of a response as it comes from the database.
//
// A body that grows beyond spool.Piece bytes is put away piece by piece: in
// memory, and from spool-threshold on in a temporary file. So a large body
// takes little memory, its length is known, and the connection to the database
// is free as soon as the last row has arrived, however slowly the client reads.
// Package spool says what else was tried.
type Body struct {
	// Bytes is the body, or the end of one whose beginning has been put away.
	// Its buffer may be swapped for another one.
	Bytes []byte

	store   *spool.Store
	keep    bool        // never fails for want of room
	spooled *spool.Body // what comes before Bytes; nil: nothing
	room    []byte      // of spooled, where rows go instead of Bytes; nil: they go to Bytes
	widest  int         // bytes of a row so far

	// receiver takes the rows while they arrive, instead of store; nil: nothing does.
	receiver Receiver
	passed   bool // receiver has got some
}

// begin empties the body. keep: it must not fail for want of room.
func (b *Body) begin(store *spool.Store, keep bool) {
	b.Drop()
	b.store, b.keep, b.widest = store, keep, 0
	b.receiver, b.passed = nil, false
}

// Drop empties the body.
func (b *Body) Drop() {
	b.Bytes, b.room = b.Bytes[:0], nil
	if b.spooled != nil {
		_ = b.spooled.Close()
		b.spooled = nil
	}
}

// size is the bytes of a body, or spool.Piece if its beginning has been put away.
func (b *Body) size() int {
	if b.spooled != nil {
		return spool.Piece
	}
	return len(b.Bytes)
}

// Spooled returns all of a body whose beginning has been put away, for the
// caller to send and close, and leaves an empty one. It returns nil if Bytes is
// all of the body.
func (b *Body) Spooled() *spool.Body {
	s := b.spooled
	if s == nil {
		return nil // fast path
	}
	_ = b.leaveRoom() // fails only for room that moveOn has left
	b.spooled = nil
	s.WriteTail(b.Bytes)
	b.Bytes = b.Bytes[:0]
	return s
}

// end returns where the next row goes; endRow takes it back.
func (b *Body) end() []byte {
	if b.room != nil {
		return b.room
	}
	return b.Bytes
}

// endRow takes what end returned with a row of n bytes appended.
func (b *Body) endRow(dst []byte, n int) error {
	b.widest = max(b.widest, n)
	if b.room != nil {
		b.room = dst
		return b.moveOn()
	}
	b.Bytes = dst
	if len(dst) >= spool.Piece && b.receiver == nil {
		return b.spill()
	}
	return nil
}

// spill puts away what there is of the body. The rows to come are made where
// they are kept, if there is room.
func (b *Body) spill() error {
	err := b.put(b.Bytes)
	b.Bytes = b.Bytes[:0]
	if err == nil {
		b.room = b.spooled.Room(b.margin())
	}
	return err
}

// moveOn goes on to other room if there may be too little for another row.
func (b *Body) moveOn() error {
	outgrown := cap(b.room) > spool.Piece
	if !outgrown && cap(b.room)-len(b.room) >= b.margin() {
		return nil
	}
	if err := b.leaveRoom(); err != nil {
		return err
	}
	b.room = b.spooled.Room(b.margin())
	return nil
}

// leaveRoom makes what is in the room a part of the body. It fails only if that
// has outgrown the room.
func (b *Body) leaveRoom() error {
	if b.room == nil {
		return nil
	}
	p := b.room
	b.room = nil
	return unwanted(b.spooled.Fill(p))
}

// margin is how much room the next row is given. A row that needs more is copied.
func (b *Body) margin() int { return 2 * b.widest }

// put puts away p, behind what has been put away before.
func (b *Body) put(p []byte) error {
	if b.spooled == nil {
		b.spooled = b.store.NewBody(b.keep)
	}
	_, err := b.spooled.Write(p)
	return unwanted(err)
}

// unwanted wraps the error of a body that cannot be kept: the rows still to
// come need not be received.
func unwanted(err error) error {
	if err != nil {
		err = fmt.Errorf("%w: %w", pgwire.ErrUnwanted, err)
	}
	return err
}

// set makes value, which is borrowed, the body. With whole it stays in Bytes
// whatever its length.
func (b *Body) set(value []byte, whole bool) error {
	b.Drop()
	if len(value) >= spool.Piece && !whole {
		return b.put(value)
	}
	b.Bytes = append(b.Bytes, value...)
	return nil
}

// read makes a value that comes in pieces the body.
func (b *Body) read(value io.Reader) error {
	b.Drop()
	defer func() { b.Bytes = b.Bytes[:0] }()
	if cap(b.Bytes) < spool.Piece {
		b.Bytes = make([]byte, spool.Piece)
	}
	b.Bytes = b.Bytes[:spool.Piece]
	for {
		n, err := io.ReadFull(value, b.Bytes)
		if n > 0 {
			if err := b.put(b.Bytes[:n]); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF: // that of the connection fails the flight
			return nil
		default:
			return err
		}
	}
}
