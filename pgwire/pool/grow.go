package pool

import "time"

// Connections are made in the background, as many as there are callers in the
// queue and places in the pool. A new connection serves the head of the queue,
// like one that is released. So no caller waits for a connection of its own while
// another becomes free.

// grow starts to make the connections that are needed. Called under Pool.mu.
func (p *Pool) grow() {
	for !p.shut && p.connecting < p.queue.len && p.places < p.o.MaxConns {
		p.places++
		p.connecting++
		go p.connect()
	}
}

// growing reports whether callers in the queue will get a connection that has
// still to be made. Those that the server refuses for want of room do not count.
func (p *Pool) growing() bool {
	return p.places < p.o.MaxConns || p.connecting > int(p.crowd.pausing.Load())
}

func (p *Pool) connect() {
	c := &Conn{pool: p, number: p.numbers.Add(1)}
	p.tell(Event{Kind: Connecting, Conn: c.number})
	err := p.dial(p.life, c)
	if err == nil {
		p.vigils.add(c)
	}
	if err == nil && (p.o.Depth > 1 || p.slow.limited) {
		if err = c.sound(p.life); err != nil {
			p.vigils.remove(c)
			_ = c.Conn.Close()
			p.closed.Add(1)
		}
	}
	if err != nil {
		p.cannotConnect(c, err)
		return
	}
	c.born = time.Now()
	p.tell(Event{Kind: Connected, Conn: c.number})
	p.mu.Lock()
	p.connecting--
	p.all = append(p.all, c)
	p.mu.Unlock()
	p.handOn(c)
}

// cannotConnect tells the head of the queue. The others have attempts of their
// own.
func (p *Pool) cannotConnect(c *Conn, err error) {
	p.refused.Add(1)
	p.tell(Event{Kind: ConnectFailed, Conn: c.number, Err: err})
	p.mu.Lock()
	p.connecting--
	t := p.queue.pop()
	p.mu.Unlock()
	if t != nil {
		p.refuse(t, err)
	}
	p.vacate()
}

// discard closes the connection in the background. Its place in the pool is free
// once that is done.
func (c *Conn) discard(why Reason) {
	p := c.pool
	p.mu.Lock()
	p.returnPermit(&c.permit)
	p.remove(c)
	p.mu.Unlock()
	go func() {
		p.vigils.remove(c)
		_ = c.Conn.Close()
		p.closed.Add(1)
		p.tell(Event{Kind: Closed, Conn: c.number, Reason: why, Err: c.Retired()})
		p.vacate()
	}()
	p.serve() // the permit may let another one go ahead
}

func (p *Pool) remove(c *Conn) {
	for i := range p.all {
		if p.all[i] == c {
			last := len(p.all) - 1
			p.all[i], p.all[last] = p.all[last], nil
			p.all = p.all[:last]
			return
		}
	}
}

// vacate frees a place in the pool.
func (p *Pool) vacate() {
	p.mu.Lock()
	p.places--
	p.grow()
	if p.places == 0 {
		p.empty.Broadcast()
	}
	p.mu.Unlock()
}
