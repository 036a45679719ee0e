package pool

// permits keep a few connections free of slow flights, so that quick flights find
// one however many slow ones there are. Flights that are not known to be slow need no
// permit.
//
// A slow caller needs a permit before it joins the admission queue, and returns it
// with the connection. Permits are given in order of arrival.
type permits struct {
	limited bool  // there are permits; otherwise no caller needs one
	free    int   // permits that no caller has
	waiting queue // callers that wait for a permit
}

// leastPermits is the least number of permits. If Reserve leaves fewer, nothing is
// reserved: slow callers would wait for each other while connections are idle.
const leastPermits = 2

func (s *permits) init(conns, reserve int) {
	if n := conns - reserve; reserve > 0 && n >= leastPermits {
		s.limited, s.free = true, n
	}
}

// take takes a permit and reports whether one was free. Called under Pool.mu.
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

// returnPermit gives a permit to the caller that has waited longest for one. This caller
// joins the queue. Called under Pool.mu.
func (p *Pool) returnPermit(permit *bool) {
	if !*permit {
		return
	}
	*permit = false
	t := p.slow.waiting.pop()
	if t == nil {
		p.slow.free++
		return
	}
	t.permit = true
	p.queue.push(t)
}
