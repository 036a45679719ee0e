package delay

import (
	"context"
	"sync"
	"time"
)

// parcel is bytes on their way. Without bytes it is the end of a direction.
type parcel struct {
	due   time.Time
	to    *direction
	bytes []byte
}

// line is what is under way, in all connections and directions. All of it takes equally long, so that one
// queue in order of arrival is in order of delivery, too, and one clock serves all.
type line struct {
	each  time.Duration // what a parcel takes
	wake  chan struct{}
	alarm *alarm

	mu    sync.Mutex
	queue []parcel
}

func newLine(each time.Duration) (*line, error) {
	a, err := newAlarm()
	return &line{each: each, wake: make(chan struct{}, 1), alarm: a}, err
}

func (l *line) send(to *direction, bytes []byte) {
	l.mu.Lock()
	l.queue = append(l.queue, parcel{time.Now().Add(l.each), to, bytes}) // the time under the lock: no parcel overtakes another
	first := len(l.queue) == 1
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// run delivers until ctx ends.
func (l *line) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.alarm.close() })
	defer stop()
	var due []parcel
	for {
		var wait time.Duration
		due, wait = l.take(due[:0])
		for _, p := range due {
			p.to.arrived <- p.bytes
		}
		var err error
		switch {
		case len(due) > 0: // meanwhile more may have become due
		case wait > 0:
			err = l.alarm.sleep(wait)
		default:
			select {
			case <-l.wake:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take removes what is due. If that is nothing, it says how long until something is, 0 without anything.
func (l *line) take(due []parcel) ([]parcel, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	n := 0
	for n < len(l.queue) && !l.queue[n].due.After(now) {
		n++
	}
	due = append(due, l.queue[:n]...)
	rest := copy(l.queue, l.queue[n:])
	clear(l.queue[rest:])
	l.queue = l.queue[:rest]
	if n > 0 || rest == 0 {
		return due, 0
	}
	return due, l.queue[0].due.Sub(now)
}
