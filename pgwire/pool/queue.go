package pool

import (
	"context"
	"runtime"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// The admission queue has all callers that wait for a connection, in order of
// arrival. While it has any, connections go to its head, and only flights that are
// in it share one.

// ticket is a caller in the queue.
type ticket struct {
	in         *queue // nil: not in a queue
	prev, next *ticket
	number     uint64 // in order of arrival

	pool     *Pool
	flight   *pgwire.Flight // to be sent for the caller; nil: it wants the connection
	class    Class
	alone    bool  // the flight was behind a blocked one once, and shares no more
	permit   bool  // see permits
	deadline int64 // in ns since start, 0: none
	leave    context.CancelCauseFunc

	// turn ends the wait. One of them says what became of it: err; conn, which is
	// the caller's; or conn with shared: the flight has been sent, and the response
	// to it is the next one on conn.
	turn   chan struct{}
	err    error
	conn   *Conn
	shared bool
	sent   int64
}

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

// recycle keeps the ticket for the next caller. A context that can end may still
// be about to call it.
func (p *Pool) recycle(ctx context.Context, t *ticket) {
	if ctx.Done() != nil {
		return
	}
	t.flight, t.err, t.conn, t.shared, t.alone = nil, nil, nil, false, false
	p.tickets.Put(t)
}

// wait joins the queue, and returns when the caller has got what it waited for.
func (p *Pool) wait(ctx context.Context, t *ticket) error {
	waiter, _ := ctx.(Waiter)
	idle, err := p.join(t, waiter != nil)
	if err != nil {
		return err
	}
	if idle {
		if t.class == QuickRead {
			runtime.Gosched() // others that are about to join the queue can go along, see share.go
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

// join puts a ticket at the end of the queue. idle: serve has to be called, because
// a connection is idle.
func (p *Pool) join(t *ticket, bounded bool) (idle bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.shut:
		return false, ErrClosed
	case bounded && len(p.idle) == 0 && p.tooMany():
		p.timeouts.Add(1)
		p.tell(Event{Kind: AcquireTimedOut, Err: ErrTooManyWaiting})
		return false, ErrTooManyWaiting
	}
	if t.class == Slow && !p.slow.take() {
		p.slow.held.push(t)
		return false, nil
	}
	t.permit = t.class == Slow && p.slow.limited
	p.queue.push(t)
	if len(p.idle) > 0 {
		return true, nil
	}
	p.grow()
	return false, nil
}

// tooMany reports whether no more callers may wait. Callers for whom the pool can
// make a connection do not count, because they do not wait for each other.
func (p *Pool) tooMany() bool {
	room := p.o.MaxConns - int(p.live())
	return p.o.MaxWaiters > 0 && p.queue.len+p.slow.held.len >= p.o.MaxWaiters+max(room, 0)
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

// refuse ends the wait of a caller that is not in the queue any more.
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
	for _, q := range [...]*queue{&p.queue, &p.slow.held} {
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

// queue is a list of tickets in order of arrival, under Pool.mu.
type queue struct {
	first, last *ticket
	len         int
	arrived     uint64 // number of the last ticket that was pushed
}

// push puts a ticket at the end.
func (q *queue) push(t *ticket) {
	q.arrived++
	t.number = q.arrived
	q.insert(t, nil)
}

// restore gives a ticket that has been removed its place again.
func (q *queue) restore(t *ticket) {
	next := q.first
	for next != nil && next.number < t.number {
		next = next.next
	}
	q.insert(t, next)
}

// insert puts a ticket before another one, or at the end if next is nil.
func (q *queue) insert(t, next *ticket) {
	prev := q.last
	if next != nil {
		prev = next.prev
	}
	t.in, t.prev, t.next = q, prev, next
	if prev != nil {
		prev.next = t
	} else {
		q.first = t
	}
	if next != nil {
		next.prev = t
	} else {
		q.last = t
	}
	q.len++
}

func (q *queue) remove(t *ticket) {
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		q.first = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		q.last = t.prev
	}
	t.in, t.prev, t.next = nil, nil, nil
	q.len--
}

// pop removes the first ticket; nil if there is none.
func (q *queue) pop() *ticket {
	t := q.first
	if t != nil {
		q.remove(t)
	}
	return t
}

func (q *queue) clear() (all []*ticket) {
	for t := q.pop(); t != nil; t = q.pop() {
		all = append(all, t)
	}
	return all
}

var start = time.Now()

func now() int64 { return int64(time.Since(start)) }
