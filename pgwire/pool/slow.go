package pool

// What is known to be slow may hold all connections but a few. So what is quick
// finds a connection however many slow flights there are. What is not known yet is
// not held up.
//
// Each slow caller needs a permit, in order of arrival, before it joins the
// admission queue, and returns it with the connection.
type permits struct {
	limited bool
	free    int
	held    queue // callers that wait for a permit
}

// leastPermits: where fewer would be left for slow ones, nothing is reserved,
// or they would wait for each other while connections are idle.
const leastPermits = 2

func (s *permits) init(conns, reserve int) {
	if n := conns - reserve; reserve > 0 && n >= leastPermits {
		s.limited, s.free = true, n
	}
}

// take takes a permit, if there is one. Called under Pool.mu.
func (s *permits) take() bool {
	if !s.limited {
		return true
	}
	if s.free == 0 {
		return false
	}
	s.free--
	return true
}

// returnPermit gives a permit to the caller that has waited longest for one, who
// joins the queue. Called under Pool.mu.
func (p *Pool) returnPermit(permit *bool) {
	if !*permit {
		return
	}
	*permit = false
	t := p.slow.held.pop()
	if t == nil {
		p.slow.free++
		return
	}
	t.permit = true
	p.queue.push(t)
}
