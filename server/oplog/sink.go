package oplog

import (
	"io"
	"sync"
)

const (
	// soonPending is how much is written without waiting for FlushDelay, so
	// that buffers stay small at any rate.
	soonPending = 64 << 10
	// maxPending is how much may wait for a slow reader before the one who
	// logs has to wait as well.
	maxPending = 1 << 20
	// maxKept bounds the buffers that stay allocated after a reader was slow.
	maxKept = 4 * soonPending
)

// sink is one output stream with the lines that wait for it.
type sink struct {
	mu  sync.Mutex // guards buf; never held while writing
	buf []byte

	writing sync.Mutex // held while writing; taken before mu
	spare   []byte     // the other buffer; guarded by writing
	w       io.Writer
}

// flush writes what waits. Order is kept because the buffer is taken only by
// whoever holds writing.
func (s *sink) flush() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	out := s.buf
	s.buf = s.spare[:0]
	s.mu.Unlock()
	if len(out) > 0 {
		_, _ = s.w.Write(out)
	}
	if cap(out) > maxKept {
		out = nil
	}
	s.spare = out[:0]
}
