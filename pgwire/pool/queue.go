package pool

// The admission queue has all callers that wait for a connection. While callers wait,
// each free connection goes to the head of the queue, and only flights of the queue
// share a connection.

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

// restore puts a ticket that has been removed back in its place.
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

// pop removes the first ticket and returns it, nil if the queue is empty.
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
