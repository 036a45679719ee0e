package oplog

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDiagnosticsAreWrittenAtOnce reads the stream without a Flush.
func TestDiagnosticsAreWrittenAtOnce(t *testing.T) {
	l := newPair(t, Info)
	l.QueryFailed(nil, "first")
	l.Starting("1")
	if got := strings.Count(l.err.String(), "\n"); got != 2 {
		t.Errorf("%d lines, want 2: %q", got, l.err.String())
	}
}

func TestAccessLinesAreWrittenSoon(t *testing.T) {
	l := newPair(t, Info)
	for range 3 {
		l.Access(&Access{Status: 200})
		start := time.Now()
		before := l.out.String()
		for l.out.String() == before {
			if time.Since(start) > time.Minute {
				t.Fatal("the line never came")
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func TestCloseWritesWhatWaits(t *testing.T) {
	l := newPair(t, Info)
	l.Access(&Access{Status: 200})
	l.Close()
	if l.out.String() == "" {
		t.Error("the line was lost")
	}
	l.Access(&Access{Status: 200})
	l.Close()
	if got := strings.Count(l.out.String(), "\n"); got != 2 {
		t.Errorf("%d lines after the second Close, want 2", got)
	}
}

func TestNoStreams(t *testing.T) {
	l := New(Options{Level: Debug})
	l.Access(&Access{Status: 200})
	l.Starting("1")
	l.Close()
}

// TestSlowReader checks that the buffer is bounded and that no line is lost.
func TestSlowReader(t *testing.T) {
	gate := &gatedWriter{open: make(chan struct{})}
	l := New(Options{Out: gate, Level: Info})
	defer l.Close()
	line := &Access{Status: 200, Target: bytes.Repeat([]byte{'x'}, 1000)}
	const lines = 3 * maxPending / 1000
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range lines {
			l.Access(line)
		}
	}()
	select {
	case <-done:
		t.Error("a blocked stream took everything")
	case <-time.After(100 * time.Millisecond):
	}
	l.out.mu.Lock()
	if n := len(l.out.buf); n > maxPending+2000 {
		t.Errorf("%d bytes wait, more than %d", n, maxPending)
	}
	l.out.mu.Unlock()
	close(gate.open)
	<-done
	l.Flush()
	if gate.lines != lines {
		t.Errorf("%d lines arrived, want %d", gate.lines, lines)
	}
}

type gatedWriter struct {
	open  chan struct{}
	lines int
}

func (g *gatedWriter) Write(p []byte) (int, error) {
	<-g.open
	g.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// TestConcurrent checks that lines stay whole and that the lines of one
// goroutine stay in order.
func TestConcurrent(t *testing.T) {
	l := newPair(t, Info)
	const workers, each = 8, 500
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			role := []byte{'a' + byte(w)}
			for i := range each {
				l.Access(&Access{Status: 200, Role: role, Length: int64(i)})
				if i%100 == 0 {
					l.ConfigReloaded()
				}
			}
		})
	}
	wg.Wait()
	l.Flush()
	lines := strings.Split(strings.TrimSuffix(l.out.String(), "\n"), "\n")
	if len(lines) != workers*each {
		t.Fatalf("%d lines, want %d", len(lines), workers*each)
	}
	seen := map[string]int{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 11 {
			t.Fatalf("broken line %q", line)
		}
		if f[8] != strconv.Itoa(seen[f[2]]) {
			t.Fatalf("out of order: %q after %d lines", line, seen[f[2]])
		}
		seen[f[2]]++
	}
	for role, n := range seen {
		if n != each {
			t.Errorf("role %s: %d lines, want %d", role, n, each)
		}
	}
}
