package server

import (
	"net"
	"sync"
	"time"
)

// A client that goes away is not heard of: fasthttp reads the next request only
// when the last one is answered. So the sockets of requests that wait for the
// database for longer than a moment are looked at, all of them together, by
// one goroutine. When a client has gone its request leaves the queue for a
// connection; what it reads is cancelled, what it writes only if
// server-cancel-abandoned-writes says so. A request that is quick never meets
// any of this: it notes its beginning and its end under a lock of its own.
//
// # Who has gone
//
// A reset connection, or one closed in both directions (which a unix socket
// tells, and TCP after a failed keep-alive), has nobody at its other end.
//
// The end of a TCP stream alone can mean two things: the client has closed the
// connection, as impatient ones do, or it has only said that it will send no
// more, as netcat does, and reads on. Whoever has closed answers further bytes
// with a reset; whoever has not takes them. So we send one, and it must be one
// that does no harm: the first byte of the answer, which is an H whatever the
// answer will be. The rest follows when there is one. Clients that have sent
// something more, of which we have read nothing, are no different.
//
// Where what has been sent may end within an answer, because that to an earlier
// request of a pipeline has left in part, nothing is sent, and a client that
// has closed is taken for one that reads on. So is one behind a firewall that
// swallows resets.

// watchInterval is the time between two looks. A request is looked at if it
// was there at the last look, too.
const watchInterval = 100 * time.Millisecond

// errClientGone is what becomes of a request without a client. The status is
// the one nginx logs for the same.
var errClientGone = newProblem(499, "PGRSTX04", "The client has gone away")

// clients are the connections of a listener. While there are any, one
// goroutine watches.
type clients struct {
	mu         sync.Mutex
	all        []*clientConn
	watching   bool
	sinceSweep int  // looks
	lot        *lot // nil: idle connections are not parked

	suspects []suspect // used by the watching goroutine only
}

// suspect is a connection that is looked at, and for which request.
type suspect struct {
	conn   *clientConn
	number uint64
	state  clientState
}

// clientState is what a socket tells of the client.
type clientState uint8

const (
	clientThere  clientState = iota
	clientSilent             // will send no more
	clientGone
)

func (s *clients) add(c *clientConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.place = len(s.all)
	s.all = append(s.all, c)
	if !s.watching {
		s.watching = true
		go s.watch()
	}
}

func (s *clients) remove(c *clientConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.place < 0 {
		return
	}
	last := len(s.all) - 1
	s.all[c.place] = s.all[last]
	s.all[c.place].place = c.place
	s.all[last] = nil
	s.all = s.all[:last]
	c.place = -1
}

// count is the number of open connections.
func (s *clients) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) + s.lot.count()
}

func (s *clients) watch() {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for range tick.C {
		if !s.look() {
			return
		}
	}
}

// look looks once. It reports whether there is still anybody to watch.
func (s *clients) look() bool {
	s.mu.Lock()
	if len(s.all)+s.lot.count() == 0 {
		s.watching = false
		s.mu.Unlock()
		return false
	}
	list := s.suspects[:0]
	park := parkAtOnce
	for _, c := range s.all {
		number, slow := c.slow()
		if slow {
			list = append(list, suspect{conn: c, number: number})
		}
		if s.lot != nil && park > 0 && c.settle(s.lot.looks) {
			park--
		}
	}
	s.suspects = list
	s.mu.Unlock()
	if s.sinceSweep++; s.sinceSweep >= sweepLooks && s.lot != nil {
		s.sinceSweep = 0
		s.lot.sweep(time.Now())
	}
	if len(list) == 0 {
		return true
	}
	// Who is answered meanwhile may be followed by another on the same file
	// descriptor. What was seen counts only if the request is still the same.
	askSockets(list)
	for i := range list {
		if list[i].state != clientThere {
			list[i].conn.suspect(list[i].number, list[i].state)
		}
	}
	clear(list)
	return true
}

// slow reports whether the same request runs as at the last look.
func (c *clientConn) slow() (number uint64, slow bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slow = c.running != nil && c.seen == c.number && c.fd >= 0
	c.seen = c.number
	return c.number, slow
}

// suspect acts on what a socket told about the client of a request.
func (c *clientConn) suspect(number uint64, state clientState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil || c.number != number {
		return
	}
	if state == clientSilent && !c.vanished() {
		return
	}
	c.running.abandon(errClientGone)
}

// vanished finds out whether a client that sends no more has gone altogether.
// The answer comes as a reset, and so at the next look.
func (c *clientConn) vanished() bool {
	_, unix := c.Conn.(*net.UnixConn) // which would have told
	if unix || c.begun || c.within.Load() {
		return false
	}
	sent, err := sendNow(c.raw, firstByte)
	c.begun = sent
	return err != nil
}

// firstByte of any answer.
var firstByte = []byte("H")

// watch begins to watch the client of a request that goes to the database.
func (rq *request) watch() {
	if c, ok := rq.ctx.Conn().(*clientConn); ok {
		c.mu.Lock()
		c.running = rq
		c.number++
		c.mu.Unlock()
	}
}

// unwatch ends it. Nobody touches the request any more on account of its client.
func (rq *request) unwatch() {
	if c, ok := rq.ctx.Conn().(*clientConn); ok {
		c.mu.Lock()
		c.running = nil
		c.mu.Unlock()
	}
}

// abandon stops what a watched request is doing, as far as it may be stopped.
// It is called again at every look while the request goes on: it may have been
// between two flights.
func (rq *request) abandon(why error) {
	rq.execution.Abandon(why, rq.call.Plan.ReadOnly || rq.snap.config.ServerCancelAbandonedWrites)
}
