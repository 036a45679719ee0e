package delay

import (
	"context"
	"sync"
	"time"
)

// parcel is a part of the bytes under way. Without bytes it is the end of a
// direction.
type parcel struct {
	due   time.Time
	to    *direction
	bytes []byte
}

// line holds the parcels under way of all connections and directions. All take the same time, so one queue in the
// order of arrival is also in the order of delivery, and one timer is enough.
type line struct {
	each  time.Duration // the delay of a parcel
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
	l.queue = append(l.queue, parcel{time.Now().Add(l.each), to, bytes}) // the time is taken under the lock, so that no parcel overtakes another
	first := len(l.queue) == 1
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// run delivers parcels until ctx ends.
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
		case len(due) > 0: // more may have become due meanwhile
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

// take removes the parcels that are due. If there are none, it returns the time until the next one, or 0 if the
// line is empty.
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
