package pool

import (
	"context"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// vigils are what the watcher of overdue flights has seen of each connection.
type vigils struct {
	mu  sync.Mutex
	all map[*Conn]*pgwire.Vigil
}

func (v *vigils) add(c *Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil {
		v.all = map[*Conn]*pgwire.Vigil{}
	}
	v.all[c] = new(pgwire.Vigil)
}

func (v *vigils) remove(c *Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.all, c)
}

// SetFlightTimeout changes Options.FlightTimeout of a pool in use.
func (p *Pool) SetFlightTimeout(d time.Duration) {
	if p.flightTimeout.Swap(int64(d)) == int64(d) {
		return
	}
	select {
	case p.flightTimeoutSet <- struct{}{}:
	default:
	}
}

func (p *Pool) usualLimit() time.Duration { return time.Duration(p.flightTimeout.Load()) }

// Between two looks for overdue flights.
const (
	shortestLook = 10 * time.Millisecond
	longestLook  = 5 * time.Second
)

// watchFlights gives up overdue flights.
func (p *Pool) watchFlights() {
	for {
		pause := longestLook
		if limit := p.usualLimit(); limit > 0 {
			pause = min(max(limit/10, shortestLook), longestLook)
		}
		select {
		case <-p.life.Done():
			return
		case <-p.flightTimeoutSet:
		case <-time.After(pause):
			p.lookAtFlights(time.Now())
		}
	}
}

func (p *Pool) lookAtFlights(now time.Time) {
	usual := p.usualLimit()
	p.vigils.mu.Lock()
	defer p.vigils.mu.Unlock()
	for c, v := range p.vigils.all {
		c.Overdue(v, now, usual)
	}
}

// connectTimeout is how long an attempt to connect may take. A server that
// accepts and then says nothing would hold a place in the pool for good.
const connectTimeout = time.Minute

// open connects, within connectTimeout and the time that a flight may take.
func (p *Pool) open(ctx context.Context) (*pgwire.Conn, error) {
	limit := connectTimeout
	if usual := p.usualLimit(); usual > 0 {
		limit = min(limit, usual)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return pgwire.Connect(ctx, p.o.Config)
}
