package oplog

import (
	"io"
	"sync"
)

const (
	// soonPending is the number of waiting bytes that are written without
	// waiting for FlushDelay. It keeps buffers small at any rate of lines.
	soonPending = 64 << 10
	// maxPending is the maximum number of bytes that wait for a slow stream.
	// At the maximum a method that logs waits for the stream.
	maxPending = 1 << 20
	// maxKept bounds the buffers that stay allocated after a stream was slow.
	maxKept = 4 * soonPending
)

// sink is one output stream with its waiting lines.
type sink struct {
	mu  sync.Mutex // guards buf; never held while writing
	buf []byte

	writing sync.Mutex // held while writing; taken before mu
	spare   []byte     // the other buffer; guarded by writing
	w       io.Writer
}

// flush writes the waiting lines. The lines stay in order, because a goroutine
// takes the buffer only while it holds writing.
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
