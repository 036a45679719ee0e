package clients

import (
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// fasthttp reads the next request after it has sent the response to the last one. So it does
// not notice that a client goes away while its request runs. One goroutine
// polls the sockets of all requests that have run for longer than watchInterval.
// A quick request notes its beginning and its end under a lock of its connection,
// and is never polled.
//
// # When a client is gone
//
// A connection that was reset, or closed in both directions (a unix socket tells
// so, and TCP after a failed keep-alive), has no client.
//
// The end of a TCP stream alone can mean two things: the client has closed the
// connection, or it has only announced that it sends no more, as netcat does, and
// still reads. A client that has closed reacts to further bytes with a reset. So a
// probe is sent: the first byte of the response, which is an H whatever the
// response will be. The rest follows later. This also works if the client has
// sent something that was not read.
//
// If what was sent may end within a response (of an earlier request in a pipeline),
// no probe is sent, and the client counts as present. The same holds for a client
// behind a firewall that drops resets.

// watchInterval is the time between two checks. A request is polled if it was
// running at the last check as well.
const watchInterval = 100 * time.Millisecond

// Watched is a request that runs while its client is watched. The methods are
// called from other goroutines, between Watch and Unwatch.
type Watched interface {
	// ClientGone is called at every check from the one on that found that the
	// client has gone away. It must not block.
	ClientGone()
	// ServerStopping is called when the time for a graceful shutdown is over. It
	// may be called several times, and must not block.
	ServerStopping()
}

// Watch begins to watch the client of a request.
func Watch(ctx *fasthttp.RequestCtx, r Watched) {
	if c, ok := ctx.Conn().(*conn); ok {
		c.mu.Lock()
		c.running = r
		c.number++
		c.mu.Unlock()
	}
}

// Unwatch ends Watch. When it returns, no method of the request is running and
// none will be called.
func Unwatch(ctx *fasthttp.RequestCtx) {
	if c, ok := ctx.Conn().(*conn); ok {
		c.mu.Lock()
		c.running = nil
		c.mu.Unlock()
	}
}

// connections are those of a listener. While there are any, one goroutine checks
// them.
type connections struct {
	mu         sync.Mutex
	all        []*conn
	watching   bool
	idle       *idleList // nil: idle connections stay with fasthttp
	sinceSweep int       // checks; of the watcher only

	candidates []candidate // buffer of the watcher
}

// candidate is a request whose client may have gone away.
type candidate struct {
	conn   *conn
	number uint64
	peer   peerState
}

// peerState is what a socket tells of its other end.
type peerState uint8

const (
	peerOpen       peerState = iota
	peerHalfClosed           // will send no more
	peerGone
)

func (s *connections) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.place = len(s.all)
	s.all = append(s.all, c)
	if !s.watching {
		s.watching = true
		go s.watch()
	}
}

func (s *connections) remove(c *conn) {
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

// count returns the number of open connections.
func (s *connections) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) + s.idle.count()
}

func (s *connections) watch() {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for range tick.C {
		if !s.check() {
			return
		}
	}
}

// check looks at all connections once. It reports whether there are any.
func (s *connections) check() bool {
	s.mu.Lock()
	if len(s.all)+s.idle.count() == 0 {
		s.watching = false
		s.mu.Unlock()
		return false
	}
	list := s.candidates[:0]
	wakes := maxWakes
	for _, c := range s.all {
		if number, long := c.runsLong(); long {
			list = append(list, candidate{conn: c, number: number})
		}
		if s.idle != nil && wakes > 0 && c.wakeIfIdle(s.idle.after) {
			wakes--
		}
	}
	s.candidates = list
	s.mu.Unlock()
	if s.sinceSweep++; s.sinceSweep >= sweepChecks && s.idle != nil {
		s.sinceSweep = 0
		s.idle.sweep(time.Now())
	}
	if len(list) == 0 {
		return true
	}
	// A connection may be closed meanwhile, and its descriptor used for another.
	// So a result counts only if the same request still runs.
	pollPeers(list)
	for i := range list {
		if list[i].peer != peerOpen {
			list[i].conn.peerLeft(list[i].number, list[i].peer)
		}
	}
	clear(list)
	return true
}

// runsLong reports whether the request that runs did so at the last check.
func (c *conn) runsLong() (number uint64, long bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	long = c.running != nil && c.seen == c.number && c.fd >= 0
	c.seen = c.number
	return c.number, long
}

// peerLeft acts on what the socket told while a request ran.
func (c *conn) peerLeft(number uint64, peer peerState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil || c.number != number {
		return
	}
	if peer == peerHalfClosed && !c.probe() {
		return
	}
	c.running.ClientGone()
}

// probe finds out whether a client that sends no more has gone. A client that has
// reacts to the probe with a reset, which the next check sees.
func (c *conn) probe() (gone bool) {
	_, unix := c.Conn.(*net.UnixConn) // its poll tells all
	if unix || c.firstSent || c.midResponse.Load() {
		return false
	}
	sent, err := sendNow(c.raw, firstByte)
	c.firstSent = sent
	return err != nil
}

// firstByte is the first byte of any response.
var firstByte = []byte("H")
