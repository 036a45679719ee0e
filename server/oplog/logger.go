package oplog

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// FlushDelay is how long a line may wait in memory.
const FlushDelay = 50 * time.Millisecond

// Options say where lines go. The zero value of a field means its default.
type Options struct {
	Out   io.Writer        // access lines; default: nowhere
	Err   io.Writer        // diagnostics; default: nowhere
	Level Level            // default: Crit
	Now   func() time.Time // default: time.Now; its location is the one logged
}

// Logger is safe for use by many goroutines. Use New and end with Close.
type Logger struct {
	level atomic.Uint32
	now   func() time.Time
	clock clock

	out, err sink

	wake      chan struct{} // holds one token while something waits to be written
	full      chan struct{} // holds one token while much waits
	stop      chan struct{}
	stopped   chan struct{}
	closeOnce sync.Once

	timeouts debouncer
}

// New starts a logger and the goroutine that writes its buffers.
func New(o Options) *Logger {
	l := &Logger{
		now:     o.Now,
		wake:    make(chan struct{}, 1),
		full:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.out.w, l.err.w = o.Out, o.Err
	if o.Out == nil {
		l.out.w = io.Discard
	}
	if o.Err == nil {
		l.err.w = io.Discard
	}
	l.SetLevel(o.Level)
	go l.run()
	return l
}

// Level returns the level in force.
func (l *Logger) Level() Level { return Level(l.level.Load()) }

// SetLevel changes the level for what is logged from now on.
func (l *Logger) SetLevel(v Level) { l.level.Store(uint32(v)) }

// Flush writes everything logged so far.
func (l *Logger) Flush() {
	l.err.flush()
	l.out.flush()
}

// Close writes what waits and ends the goroutine. Lines logged afterwards are
// written by the next Flush only.
func (l *Logger) Close() {
	l.closeOnce.Do(func() {
		l.timeouts.stop()
		close(l.stop)
	})
	<-l.stopped
	l.Flush()
}

// run waits for a first line, gives others FlushDelay to join it, and writes.
func (l *Logger) run() {
	defer close(l.stopped)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-l.wake:
		}
		timer.Reset(FlushDelay)
		select {
		case <-l.stop:
			return
		case <-l.full:
		case <-timer.C:
		}
		l.Flush()
	}
}

// appended is called after a line was added to s, with the length s had before
// and has now. Only the lines that cross a border have something to do.
func (l *Logger) appended(s *sink, before, after int) {
	switch {
	case after >= maxPending:
		s.flush()
	case before == 0:
		signal(l.wake)
	case before < soonPending && after >= soonPending:
		signal(l.full)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// begin opens a diagnostic line: it locks standard error and appends the time.
// Every begin is followed by one end.
func (l *Logger) begin() (dst []byte) {
	now := l.now()
	l.err.mu.Lock()
	return append(l.clock.append(l.err.buf, now), ": "...)
}

// end closes the line dst, which came from begin.
func (l *Logger) end(dst []byte) {
	dst = append(dst, '\n')
	before := len(l.err.buf)
	l.err.buf = dst
	l.err.mu.Unlock()
	l.appended(&l.err, before, len(dst))
}

// line logs one diagnostic made of parts and leaves it in the buffer.
func (l *Logger) line(parts ...string) {
	dst := l.begin()
	for _, p := range parts {
		dst = append(dst, p...)
	}
	l.end(dst)
}

// say logs one diagnostic made of parts and writes it out.
func (l *Logger) say(parts ...string) {
	l.line(parts...)
	l.err.flush()
}
