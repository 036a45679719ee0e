package pool

import "testing"

// TestExpire: callers are refused at their own deadlines. A slow caller that has
// waited for a permit is behind others in the queue that have later deadlines.
func TestExpire(t *testing.T) {
	p := &Pool{}
	p.slow.limited = true
	wait := func(q *queue, deadline int64) *ticket {
		c := &ticket{pool: p, turn: make(chan struct{}, 1), deadline: deadline}
		q.push(c)
		return c
	}
	quick, slow := wait(&p.queue, 30), wait(&p.queue, 20)
	held, forever := wait(&p.slow.waiting, 30), wait(&p.queue, 0)
	check := func(at int64, refused ...*ticket) {
		t.Helper()
		if !p.expire(at) {
			t.Errorf("at %d no caller waits", at)
		}
		for _, c := range refused {
			if len(c.turn) != 1 || c.err != ErrAcquireTimeout {
				t.Errorf("at %d a caller with the deadline %d waits", at, c.deadline)
			}
		}
		if n := p.queue.len + p.slow.waiting.len; n != 4-len(refused) {
			t.Errorf("at %d %d callers wait", at, n)
		}
	}
	check(19)
	check(20, slow)
	check(30, slow, quick, held)
	check(1000, slow, quick, held)
	if len(forever.turn) > 0 {
		t.Error("a caller without a deadline was refused")
	}
}
