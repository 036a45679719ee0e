package pool

import (
	"context"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/backoff"
)

// Connections are made in the background: as many as there are callers in the
// queue, within Options.MaxConns. A new connection serves the head of the queue,
// like one that is released. So a caller takes whichever connection comes first.

// grow starts the attempts to connect that are needed. Called under Pool.mu.
func (p *Pool) grow() {
	for !p.shut && p.awaited() < p.queue.len && p.places < p.o.MaxConns {
		p.places++
		p.connecting++
		go p.connect()
	}
}

// awaited is how many attempts the callers in the queue can wait for. While the pool
// has no connection, those are the attempts that do not pause. Called under Pool.mu.
func (p *Pool) awaited() int {
	if p.live() == 0 {
		return p.connecting - p.pausing
	}
	return p.connecting
}

// growing reports whether a connection may soon be added to the pool. Attempts that
// pause do not count. Called under Pool.mu.
func (p *Pool) growing() bool {
	return p.places < p.o.MaxConns || p.connecting > p.pausing
}

// connect makes a connection. It repeats a failed attempt after a pause, as long as
// the callers have other connections to wait for (retry.go).
func (p *Pool) connect() {
	number := p.numbers.Add(1)
	p.tell(Event{Kind: Connecting, Conn: number})
	pauses := backoff.Backoff{First: firstPause, Last: lastPause}
	for {
		c, err := p.attempt(number)
		if err == nil {
			p.tell(Event{Kind: Connected, Conn: number})
			p.mu.Lock()
			p.connecting--
			p.ready++
			p.mu.Unlock()
			p.handOn(c)
			return
		}
		switch p.afterFailure(err) {
		case giveUp:
			p.cannotConnect(number, err)
			return
		case retrySoon:
			_ = sleep(p.life, shortPause)
		case retryLater:
			p.refused.Add(1)
			p.tell(Event{Kind: ConnectDelayed, Conn: number, Err: err})
			_ = sleep(p.life, pauses.Next())
			p.mu.Lock()
			p.pausing--
			p.mu.Unlock()
		}
	}
}

// attempt makes a connection, unless the server has just refused one for want of
// room. Once it is open, the pool watches its flights.
func (p *Pool) attempt(number uint64) (*Conn, error) {
	if err := p.beginDial(); err != nil {
		return nil, err
	}
	// A Flush from now on applies to the connection.
	c := &Conn{pool: p, number: number, generation: p.generation.Load()}
	var err error
	c.Conn, err = p.dial()
	p.mu.Lock()
	p.dialing--
	if err == nil {
		p.opened.Add(1)
		p.all = append(p.all, c)
	}
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	p.watch.start()
	if p.o.Depth > 1 || p.slow.limited {
		if err := c.measureRoundTrip(p.life); err != nil {
			p.mu.Lock()
			p.remove(c)
			p.mu.Unlock()
			_ = c.Conn.Close()
			p.closed.Add(1)
			return nil, err
		}
	}
	c.born = time.Now()
	return c, nil
}

// connectTimeout bounds an attempt to connect. A server that accepts connections and
// does not reply must not hold a place in the pool for good.
const connectTimeout = time.Minute

// dial connects, within connectTimeout and the time that a flight may take.
func (p *Pool) dial() (*pgwire.Conn, error) {
	limit := connectTimeout
	if p.o.ConnectTimeout > 0 {
		limit = p.o.ConnectTimeout
	}
	if usual := p.usualLimit(); usual > 0 {
		limit = min(limit, usual)
	}
	ctx, cancel := context.WithTimeout(p.life, limit)
	defer cancel()
	return pgwire.Connect(ctx, p.o.Config)
}

// cannotConnect refuses the head of the queue after an attempt has failed. The other
// callers have attempts too.
func (p *Pool) cannotConnect(number uint64, err error) {
	p.refused.Add(1)
	p.tell(Event{Kind: ConnectFailed, Conn: number, Err: err})
	p.mu.Lock()
	p.connecting--
	t := p.queue.pop()
	p.mu.Unlock()
	if t != nil {
		p.refuse(t, err)
	}
	p.vacate()
}

// live is the number of open connections.
func (p *Pool) live() int64 { return p.opened.Load() - p.closed.Load() }

// remove takes a connection out of Pool.all. Called under Pool.mu.
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
