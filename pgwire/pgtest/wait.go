package pgtest

import (
	"bytes"
	"sync"
	"time"
)

// Until waits for something that others bring about. It reports whether that
// has come to be in time.
func Until(within time.Duration, so func() bool) bool {
	for end := time.Now().Add(within); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// Transcript is an io.Writer that can be read while others write to it.
type Transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *Transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

// String is what has been written so far.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// Reset forgets what has been written.
func (t *Transcript) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Reset()
}
