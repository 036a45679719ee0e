package pool

import (
	"context"
	"runtime"

	"github.com/fastgrest/fastgrest/pgwire"
)

// ticket is a caller in the admission queue.
type ticket struct {
	in         *queue // nil: not in a queue
	prev, next *ticket
	number     uint64 // in order of arrival

	pool     *Pool
	flight   *pgwire.Flight // to be sent for the caller; nil: it wants the connection
	class    Class
	alone    bool  // the flight was behind a blocked one, and shares no longer
	permit   bool  // see permits
	deadline int64 // in ns since start, 0: none
	leave    context.CancelCauseFunc

	// turn ends the wait. Then one of the following is set: err; or conn, which is
	// lent to the caller; or conn and shared, if the flight has been sent and its
	// response is the next on conn. turn is nil in the ticket of a flight whose response
	// is discarded. A ticket of a group may also be done, with timing and err.
	turn   chan struct{}
	err    error
	conn   *Conn
	shared bool
	sentAt int64 // in ns since start
	done   bool
	timing Timing

	group *group // see merge.go; kept without tickets while the ticket is in none
}

// discarded reports whether the flight has been sent again on another connection.
func (t *ticket) discarded() bool { return t.turn == nil }

func (p *Pool) newTicket(f *pgwire.Flight, class Class) *ticket {
	t, _ := p.tickets.Get().(*ticket)
	if t == nil {
		t = &ticket{pool: p, turn: make(chan struct{}, 1)}
		t.leave = t.quit // once: a method value is an allocation
	}
	t.flight, t.class, t.deadline = f, class, 0
	if p.o.AcquireTimeout > 0 {
		t.deadline = now() + int64(p.o.AcquireTimeout)
	}
	return t
}

// recycle keeps the ticket for the next caller, unless the context can end: the end
// may still be about to call the ticket.
func (p *Pool) recycle(ctx context.Context, t *ticket) {
	if ctx.Done() != nil {
		return
	}
	t.flight, t.err, t.conn, t.shared, t.alone = nil, nil, nil, false, false
	t.done, t.timing = false, Timing{}
	p.tickets.Put(t)
}

// wait joins the queue, and returns at the end of the wait.
func (p *Pool) wait(ctx context.Context, t *ticket) error {
	waiter, _ := ctx.(Waiter)
	idle, others, err := p.join(t, waiter != nil)
	if err != nil {
		return err
	}
	if idle {
		if t.class == QuickRead && others {
			runtime.Gosched() // callers that are about to join the queue can share, see share.go
		}
		p.serve()
	}
	select {
	case <-t.turn: // fast path
		return t.err
	default:
	}
	if t.deadline > 0 {
		p.watch.start()
	}
	if waiter != nil {
		if err := waiter.Waiting(t.leave); err != nil {
			t.quit(err)
		}
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { t.quit(context.Cause(ctx)) })
		defer stop()
	}
	<-t.turn
	if waiter != nil {
		_ = waiter.Waiting(nil)
	}
	return t.err
}

// join puts a ticket at the end of the queue. idle reports that a connection is idle,
// so that serve has to be called. others reports that there are other callers then, which
// wait or use a connection.
func (p *Pool) join(t *ticket, bounded bool) (idle, others bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.shut:
		return false, false, ErrClosed
	case bounded && len(p.idle) == 0 && p.tooMany():
		p.timeouts.Add(1)
		p.tell(Event{Kind: AcquireTimedOut, Err: ErrTooManyWaiting})
		return false, false, ErrTooManyWaiting
	}
	if t.class == Slow && !p.slow.take() {
		p.slow.waiting.push(t)
		return false, false, nil
	}
	t.permit = t.class == Slow && p.slow.limited
	p.queue.push(t)
	if len(p.idle) > 0 {
		return true, p.queue.len > 1 || len(p.idle) < p.ready, nil
	}
	p.grow()
	return false, false, nil
}

// tooMany reports whether no more callers may wait. Callers for whom the pool can
// make a connection do not count, because they do not wait for each other.
func (p *Pool) tooMany() bool {
	room := p.o.MaxConns - int(p.live())
	return p.o.MaxWaiters > 0 && p.queue.len+p.slow.waiting.len >= p.o.MaxWaiters+max(room, 0)
}

// quit takes a caller out of the queue, if it is still there.
func (t *ticket) quit(cause error) {
	p := t.pool
	p.mu.Lock()
	in := t.in
	if in != nil {
		in.remove(t)
	}
	p.mu.Unlock()
	if in != nil {
		p.refuse(t, cause)
	}
}

// refuse ends the wait of a caller that has been taken out of the queue.
func (p *Pool) refuse(t *ticket, err error) {
	if err == ErrAcquireTimeout {
		p.timeouts.Add(1)
		p.tell(Event{Kind: AcquireTimedOut, Err: err})
	}
	if t.permit {
		p.mu.Lock()
		p.returnPermit(&t.permit)
		p.mu.Unlock()
		p.serve()
	}
	t.err = err
	t.turn <- struct{}{}
}

// expire refuses callers that have waited for too long. It reports whether others
// wait.
func (p *Pool) expire(at int64) (waiting bool) {
	var late []*ticket
	p.mu.Lock()
	for _, q := range [...]*queue{&p.queue, &p.slow.waiting} {
		for t := q.first; t != nil; {
			next := t.next
			if t.deadline > 0 && t.deadline <= at {
				q.remove(t)
				late = append(late, t)
			} else if !p.slow.limited {
				break // callers behind it have later deadlines, unless they have waited for a permit
			}
			t = next
		}
		waiting = waiting || q.len > 0
	}
	p.mu.Unlock()
	for _, t := range late {
		p.refuse(t, ErrAcquireTimeout)
	}
	return waiting
}
