package pgtest

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Until calls so every 5 ms until it returns true, and reports whether it did in time.
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

// Count is the number of times that text has been written.
func (t *Transcript) Count(text string) int { return strings.Count(t.String(), text) }

// Lines are the lines written so far.
func (t *Transcript) Lines() []string {
	text := strings.TrimSuffix(t.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Matching lists the lines that match a regular expression.
func (t *Transcript) Matching(expr string) (list []string) {
	re := regexp.MustCompile(expr)
	for _, line := range t.Lines() {
		if re.MatchString(line) {
			list = append(list, line)
		}
	}
	return list
}

// Await waits for a line that matches, and returns it.
func (t *Transcript) Await(tb testing.TB, expr string) string {
	tb.Helper()
	var found []string
	if !Until(patience, func() bool { found = t.Matching(expr); return len(found) > 0 }) {
		tb.Fatalf("no line matches %s in:\n%s", expr, t.String())
	}
	return found[0]
}
