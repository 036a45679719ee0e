package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// Piece is the size of a piece of memory, and of the parts in which a body is
// sent. A socket accepts about as many bytes at once.
const Piece = 64 << 10

// piece fills an allocation of Piece bytes.
type piece struct {
	b [pieceBytes]byte
	n int
}

const pieceBytes = Piece - 16

func (p *piece) left() int    { return len(p.b) - p.n }
func (p *piece) room() []byte { return p.b[p.n:p.n] }

var pieces = sync.Pool{New: func() any { return new(piece) }}

// Limits bound the memory and the files of a Store.
type Limits struct {
	// Body is the number of bytes of one body that stay in memory. All bodies
	// together may use bodiesAtOnce times as many.
	Body int
	// Files is the number of bytes that all files together may have. Zero means
	// no files.
	Files int64
}

// bodiesAtOnce is the number of bodies that may fill their share of memory. If
// there are more, the newest get less, down to one piece.
const bodiesAtOnce = 8

// ErrFull means that there is no room for a body.
var ErrFull = errors.New("no room for the response")

// Store holds the resources that bodies share. It is safe for concurrent use; a
// Body is not.
type Store struct {
	dir      string
	noFiles  bool
	limits   atomic.Pointer[Limits]
	inMemory Budget
	inFiles  Budget
}

// NewStore returns a store that creates its files in dir; "" is the system's
// directory for temporary files. If no file can be created there, it returns
// the reason and a store that keeps everything in memory.
func NewStore(dir string, l Limits) (*Store, error) {
	s := &Store{dir: dir}
	s.SetLimits(l)
	if l.Files == 0 {
		return s, nil
	}
	f, err := s.newFile()
	if err != nil {
		s.noFiles = true
		return s, err
	}
	return s, f.Close()
}

// SetLimits changes the limits for later writes.
func (s *Store) SetLimits(l Limits) { s.limits.Store(&l) }

// Stats are the bytes that are currently kept.
type Stats struct{ Memory, Files int64 }

// Stats returns the bytes that are currently kept.
func (s *Store) Stats() Stats { return Stats{s.inMemory.Used(), s.inFiles.Used()} }

// newFile creates a file that disappears when it is closed or when the process
// exits.
func (s *Store) newFile() (*os.File, error) {
	f, err := os.CreateTemp(s.dir, "fastgrest-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // Body.Close removes it where open files cannot be removed
	return f, nil
}

// takePiece returns a piece if the limit permits another one. With any it
// ignores the limit.
func (s *Store) takePiece(limit int, any bool) *piece {
	if any {
		s.inMemory.Force(Piece)
	} else if !s.inMemory.Take(Piece, bodiesAtOnce*max(int64(limit), Piece)) {
		return nil
	}
	p := pieces.Get().(*piece)
	p.n = 0
	return p
}

func (s *Store) givePiece(p *piece) {
	pieces.Put(p)
	s.inMemory.Give(Piece)
}

// reserve takes n bytes of the limit of the files.
func (s *Store) reserve(n int64) error {
	limit := s.limits.Load().Files
	if !s.inFiles.Take(n, limit) {
		return fmt.Errorf("%w: the limit of %d bytes for all files is reached", ErrFull, limit)
	}
	return nil
}
