package spool

import (
	"fmt"
	"io"
	"os"
)

// Body is one response body. The caller writes it, reads or sends it once, and
// closes it. It is not safe for concurrent use.
type Body struct {
	store *Store
	size  int64

	// The order of the body: first the file, then the pieces.
	file   *os.File
	filed  int64
	pieces []*piece
	closed bool

	keep  bool // writes never fail
	stuck bool // nothing more goes to the file

	client Client
	read   int64 // bytes that Read has returned
	from   int   // index of the piece that Read is at
	at     int   // offset in that piece
}

// NewBody returns an empty body. With keep, writes do not fail when there is no
// room.
func (s *Store) NewBody(keep bool) *Body {
	return &Body{store: s, keep: keep, stuck: s.noFiles || s.limits.Load().Files == 0}
}

// Size is the number of bytes written.
func (b *Body) Size() int64 { return b.size }

// Write appends p.
func (b *Body) Write(p []byte) (int, error) {
	if b.file == nil && !b.stuck && b.inMemory(p) {
		return len(p), nil
	}
	if !b.stuck {
		err := b.toFile(p)
		if err == nil {
			b.size += int64(len(p))
			return len(p), nil
		}
		if !b.keep {
			return 0, err
		}
		b.stuck = true
	}
	b.WriteTail(p)
	return len(p), nil
}

// Room returns empty memory behind the body with a capacity of at least n
// bytes, so that the caller can build a part in place. The caller passes the
// result to Fill before it calls any other method of the body. Room returns nil
// if there is no such memory; then the caller uses Write.
func (b *Body) Room(n int) []byte {
	limit := b.store.limits.Load().Body
	if b.file != nil || n > maxRoom || !b.stuck && b.size+Piece > int64(limit) {
		return nil
	}
	if k := len(b.pieces); k > 0 && b.pieces[k-1].left() >= max(n, 1) {
		return b.pieces[k-1].room()
	}
	another := b.store.takePiece(limit, b.stuck)
	if another == nil {
		return nil
	}
	b.pieces = append(b.pieces, another)
	return another.room()
}

// maxRoom is the maximum number of bytes that may stay unused at the end of a
// piece.
const maxRoom = pieceBytes / 8

// Fill appends p, which the caller began with the result of Room. If p was
// reallocated, Fill copies it.
func (b *Body) Fill(p []byte) error {
	last := b.pieces[len(b.pieces)-1]
	if room := last.room(); cap(p) == cap(room) && &p[:1][0] == &room[:1][0] {
		last.n += len(p)
		b.size += int64(len(p))
		return nil
	}
	_, err := b.Write(p)
	return err
}

// WriteTail appends p in memory, above the limit if necessary. It is for the
// end of a body, where an error cannot be reported any more.
func (b *Body) WriteTail(p []byte) { b.append(p, 0, true) }

// inMemory appends p if memory has room for all of it.
func (b *Body) inMemory(p []byte) bool {
	limit := b.store.limits.Load().Body
	return b.size+int64(len(p)) <= int64(limit) && b.append(p, limit, false)
}

func (b *Body) append(p []byte, limit int, any bool) bool {
	n, had, size := len(p), len(b.pieces), 0
	if had > 0 {
		size = b.pieces[had-1].n
	}
	for len(p) > 0 {
		if k := len(b.pieces); k > 0 && b.pieces[k-1].left() > 0 {
			last := b.pieces[k-1]
			took := copy(last.b[last.n:], p)
			last.n += took
			p = p[took:]
			continue
		}
		another := b.store.takePiece(limit, any)
		if another == nil { // undo
			for _, p := range b.pieces[had:] {
				b.store.givePiece(p)
			}
			if b.pieces = b.pieces[:had]; had > 0 {
				b.pieces[had-1].n = size
			}
			return false
		}
		b.pieces = append(b.pieces, another)
	}
	b.size += int64(n)
	return true
}

// toFile appends p to the file, after the pieces that are still in memory. On
// failure the body is unchanged.
func (b *Body) toFile(p []byte) error {
	if b.file == nil {
		f, err := b.store.newFile()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
		b.file = f
	}
	n := int64(len(p))
	if b.filed == 0 {
		n += b.size
	}
	if err := b.store.reserve(n); err != nil {
		return err
	}
	for _, piece := range b.pieces {
		if _, err := b.file.WriteAt(piece.b[:piece.n], b.filed); err != nil {
			return b.unfile(n, err)
		}
		b.filed += int64(piece.n)
	}
	if _, err := b.file.WriteAt(p, b.filed); err != nil {
		return b.unfile(n, err)
	}
	b.filed += int64(len(p))
	b.givePieces()
	return nil
}

// unfile undoes a failed toFile of n bytes.
func (b *Body) unfile(n int64, err error) error {
	b.store.inFiles.Give(n)
	if len(b.pieces) > 0 {
		b.filed = 0
	}
	return fmt.Errorf("%w: %w", ErrFull, err)
}

func (b *Body) givePieces() {
	for _, p := range b.pieces {
		b.store.givePiece(p)
	}
	b.pieces = b.pieces[:0]
}

// Read reads the body from its beginning. Connections use WriteTo instead.
func (b *Body) Read(p []byte) (n int, err error) {
	if b.read == b.size {
		return 0, io.EOF
	}
	if left := b.filed - b.read; left > 0 {
		n, err = b.file.ReadAt(p[:min(int64(len(p)), left)], b.read)
	} else {
		for b.at == b.pieces[b.from].n {
			b.from, b.at = b.from+1, 0
		}
		from := b.pieces[b.from]
		n = copy(p, from.b[b.at:from.n])
		b.at += n
	}
	b.read += int64(n)
	return n, err
}

// Close releases the memory and the file. A second call does nothing.
func (b *Body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	b.givePieces()
	if b.file == nil {
		return nil
	}
	b.store.inFiles.Give(b.filed)
	err := b.file.Close()
	_ = os.Remove(b.file.Name())
	return err
}
