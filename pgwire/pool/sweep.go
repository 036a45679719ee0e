package pool

import "time"

// sweepInterval is the time between two looks for idle connections that are too
// old, 0 if connections do not age.
func (p *Pool) sweepInterval() time.Duration {
	shortest := p.o.MaxIdleTime
	if shortest == 0 || (p.o.MaxLifetime > 0 && p.o.MaxLifetime < shortest) {
		shortest = p.o.MaxLifetime
	}
	if shortest <= 0 {
		return 0
	}
	return min(max(shortest/5, 10*time.Millisecond), 5*time.Second)
}

func (p *Pool) sweep(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.life.Done():
			return
		case <-tick.C:
			p.retire()
		}
	}
}

// retire closes the idle connections that should not be used again.
func (p *Pool) retire() {
	type closing struct {
		conn *Conn
		why  Reason
	}
	var old []closing
	p.mu.Lock()
	kept := p.idle[:0]
	for _, c := range p.idle {
		if why := p.closeReason(c, c.idleTime()); why != 0 {
			old = append(old, closing{c, why})
			continue
		}
		kept = append(kept, c)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	p.mu.Unlock()
	for _, c := range old {
		c.conn.discard(c.why)
	}
}
