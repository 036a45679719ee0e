package oplog

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// FlushDelay is the maximum time that a line waits in memory.
const FlushDelay = 50 * time.Millisecond

// Options configure a Logger. The zero value of a field selects its default.
type Options struct {
	Out   io.Writer        // access lines; default: discarded
	Err   io.Writer        // diagnostics; default: discarded
	Level Level            // default: Crit
	JSON  bool             // one object per line; default: PostgREST's format
	Now   func() time.Time // default: time.Now; the location of its time is logged
}

// Logger is safe for concurrent use. Create it with New and end it with Close.
type Logger struct {
	level atomic.Uint32
	json  atomic.Bool
	now   func() time.Time
	clock clock

	out, err sink

	wake      chan struct{} // holds one token while lines wait to be written
	full      chan struct{} // holds one token while many bytes wait
	stop      chan struct{}
	stopped   chan struct{}
	closeOnce sync.Once

	timeouts debouncer
}

// New returns a logger and starts the goroutine that writes its buffers.
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
	l.SetJSON(o.JSON)
	go l.run()
	return l
}

// Level returns the current level.
func (l *Logger) Level() Level { return Level(l.level.Load()) }

// SetLevel changes the level for later lines.
func (l *Logger) SetLevel(v Level) { l.level.Store(uint32(v)) }

// JSON reports whether lines are JSON objects.
func (l *Logger) JSON() bool { return l.json.Load() }

// SetJSON changes the format of later lines.
func (l *Logger) SetJSON(on bool) { l.json.Store(on) }

// Flush writes everything logged so far.
func (l *Logger) Flush() {
	l.err.flush()
	l.out.flush()
}

// Close writes all waiting lines and ends the goroutine. Lines logged after
// Close are written by the next Flush only.
func (l *Logger) Close() {
	l.closeOnce.Do(func() {
		l.timeouts.stop()
		close(l.stop)
	})
	<-l.stopped
	l.Flush()
}

// run waits for a first line, collects further lines for FlushDelay, and writes
// them.
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

// appended is called after a line was added to s, with the length of s before
// and after. It wakes the writer only when the length crosses a limit.
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

// begin starts a diagnostic line: it locks standard error and appends the time.
// Each begin needs one end.
func (l *Logger) begin() (dst []byte) {
	now := l.now()
	l.err.mu.Lock()
	return append(l.clock.append(l.err.buf, now), ": "...)
}

// end ends the line dst, which begin returned.
func (l *Logger) end(dst []byte) {
	before := len(l.err.buf)
	dst = append(visible(dst, before), '\n')
	l.err.buf = dst
	l.err.mu.Unlock()
	l.appended(&l.err, before, len(dst))
}

// event logs one diagnostic and leaves it in the buffer. It consists of a text
// made of parts, and of the error object problem. One of the two may be missing.
// The JSON format also has the ID of the request that caused it, if there is one.
func (l *Logger) event(level Level, id []byte, problem string, parts ...string) {
	if !l.JSON() {
		dst := l.begin()
		for _, p := range parts {
			dst = append(dst, p...)
		}
		l.end(append(dst, problem...))
		return
	}
	dst := l.beginJSON(level)
	if len(parts) > 0 {
		dst = appendMessage(dst, parts)
	}
	if problem != "" {
		dst = append(append(dst, `,"error":`...), problem...)
	}
	l.endJSON(dst, id)
}

// line logs a text and leaves it in the buffer.
func (l *Logger) line(level Level, parts ...string) { l.event(level, nil, "", parts...) }

// say logs a text and writes it out.
func (l *Logger) say(level Level, parts ...string) { l.sayProblem(level, "", parts...) }

// sayProblem logs a text that is followed by an error object, and writes it out.
func (l *Logger) sayProblem(level Level, problem string, parts ...string) {
	l.event(level, nil, problem, parts...)
	l.err.flush()
}
