package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// Piece is the size of a piece of memory, and how much of a body is sent at
// a time: what a socket takes at once, more or less.
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

// Limits bound what bodies may take.
type Limits struct {
	// Body is how many bytes of one body stay in memory. All bodies together
	// get as much as bodiesAtOnce of them.
	Body int
	// Files is how many bytes all files together may have; 0: there are none.
	Files int64
}

// bodiesAtOnce bodies may fill their share of memory. With more of them under
// way the newest get less, down to a piece.
const bodiesAtOnce = 8

// ErrFull: there is no room for a body.
var ErrFull = errors.New("no room for the answer")

// Store is what bodies share. It is safe for concurrent use; a Body is not.
type Store struct {
	dir      string
	noFiles  bool
	limits   atomic.Pointer[Limits]
	inMemory Budget
	inFiles  Budget
}

// NewStore makes a store with its files in dir, "" for the system's directory
// for temporary files. If no file can be made there the error says why, and the
// store keeps everything in memory.
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

// SetLimits changes the limits for what is written from now on.
func (s *Store) SetLimits(l Limits) { s.limits.Store(&l) }

// Stats are the bytes kept at the moment.
type Stats struct{ Memory, Files int64 }

// Stats tells what is kept.
func (s *Store) Stats() Stats { return Stats{s.inMemory.Used(), s.inFiles.Used()} }

// newFile makes a file that is gone when it is closed, or when we are.
func (s *Store) newFile() (*os.File, error) {
	f, err := os.CreateTemp(s.dir, "fastgrest-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where open files cannot be removed Body.Close does it
	return f, nil
}

// takePiece returns a piece if there is room for another; any: even if not.
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

// reserve takes n bytes of what files may have.
func (s *Store) reserve(n int64) error {
	limit := s.limits.Load().Files
	if !s.inFiles.Take(n, limit) {
		return fmt.Errorf("%w: all of the %d bytes that files may have are in use", ErrFull, limit)
	}
	return nil
}
