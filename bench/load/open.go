package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// RunOpen sends requests at a constant rate, whether or not earlier ones have finished, over as many connections
// as necessary up to a limit. It sends all requests of the plan, including late ones.
//
// The latency of a request starts when it was due, not when it was sent. So it includes the wait for a free
// connection and the delay of a late load generator. To leave these out is called coordinated omission: a server
// that stops for a second would look as if one request had been slow.
//
// Failures are counted and do not end the run, because a server may reject requests above its capacity.
func RunOpen(ctx context.Context, t Target, rate, connections int, duration time.Duration) (Result, error) {
	if err := t.check(connections, duration); err != nil {
		return Result{}, err
	}
	if rate < 1 || rate > MaxRate {
		return Result{}, fmt.Errorf("load: %d requests per second, want 1 to %d", rate, MaxRate)
	}
	// Requests that are not sent by then are never sent.
	ctx, cancel := context.WithTimeout(ctx, 3*duration+10*time.Second)
	defer cancel()
	clients, err := newClients(ctx, &t, connections)
	if err != nil {
		return Result{}, err
	}
	defer clients.close()
	stop := context.AfterFunc(ctx, clients.close)
	defer stop()

	p := plan{rate: uint64(rate), count: max(1, uint64(float64(rate)*duration.Seconds()))}
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: clients}),
		vegeta.Workers(uint64(min(connections, 16))), vegeta.MaxWorkers(uint64(connections)))
	began := time.Now()
	results := attacker.Attack(vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: "http://" + t.Addr + "/"}), p, 0, "")
	var (
		latencies = make([][]time.Duration, 1+len(t.Others)) // by kind
		last      time.Time                                  // end of the last successful response
		first     string
	)
	for r := range results {
		switch kind := int(r.Code) - firstStatus; {
		case r.Error == "":
			latencies[kind] = append(latencies[kind], r.End().Sub(began.Add(p.due(r.Seq))))
			if t.counts(kind) {
				last = later(last, r.End())
			}
		case first == "":
			first = r.Error
		}
	}
	result := summarizeKinds(&t, latencies, last.Sub(began))
	if result.Requests == 0 {
		return Result{}, fmt.Errorf("load: no request succeeded: %s", first)
	}
	result.Bytes = clients.bytes
	result.Failed = int(p.count) - result.Aside - result.Requests
	return result, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// plan computes when each request is due. It is a pacer that ends after a number of requests. The library's pacers
// end after a time and would drop late requests.
type plan struct{ rate, count uint64 }

func (p plan) due(sequence uint64) time.Duration {
	seconds, rest := sequence/p.rate, sequence%p.rate
	return time.Duration(seconds)*time.Second + time.Duration(rest*uint64(time.Second)/p.rate)
}

// Pace is called by the library before each request.
func (p plan) Pace(elapsed time.Duration, sent uint64) (wait time.Duration, stop bool) {
	return max(0, p.due(sent)-elapsed), sent >= p.count
}

// Rate is used in the library's reports.
func (p plan) Rate(time.Duration) float64 { return float64(p.rate) }

// clients is a pool of connections. As a round tripper it makes the library send our requests: net/http's client
// would cost more CPU than the server.
type clients struct {
	target *Target
	ctx    context.Context
	free   chan *client

	mu     sync.Mutex
	all    []*client
	left   int // connections that may still be opened
	bytes  int64
	closed bool
}

func newClients(ctx context.Context, t *Target, limit int) (*clients, error) {
	c := &clients{target: t, ctx: ctx, free: make(chan *client, limit), left: limit}
	one, err := c.open() // fails at once if the server does not listen
	if err != nil {
		return nil, err
	}
	c.free <- one
	return c, nil
}

var errEnded = errors.New("load: the run has ended")

// open adds a connection. It returns no client and no error at the limit.
func (c *clients) open() (*client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, errEnded
	case c.left == 0:
		return nil, nil
	}
	one, err := dial(c.ctx, c.target, uint64(len(c.all)))
	if err != nil {
		return nil, err
	}
	c.left--
	c.all = append(c.all, one)
	return one, nil
}

func (c *clients) take() (*client, error) {
	select {
	case one := <-c.free:
		return one, nil
	default:
	}
	if one, err := c.open(); one != nil || err != nil {
		return one, err
	}
	select {
	case one := <-c.free:
		return one, nil
	case <-c.ctx.Done():
		return nil, errEnded
	}
}

// replace removes a broken connection and permits a new one.
func (c *clients) replace(broken *client) {
	broken.conn.Close()
	c.mu.Lock()
	c.left++
	c.mu.Unlock()
	if one, err := c.open(); one != nil && err == nil {
		c.free <- one // other requests may wait for a connection
	}
}

func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, one := range c.all {
		one.conn.Close()
	}
}

// firstStatus plus the kind of a request is the status of its response for the library, which passes it on.
const firstStatus = http.StatusOK

// RoundTrip sends a request of the target. It ignores the content of request.
func (c *clients) RoundTrip(request *http.Request) (*http.Response, error) {
	one, err := c.take()
	if err != nil {
		return nil, err
	}
	kind := one.kind()
	n, err := one.send(kind, one.draw())
	if err != nil {
		c.replace(one)
		return nil, err
	}
	c.mu.Lock()
	c.bytes += int64(n)
	c.mu.Unlock()
	c.free <- one
	return &http.Response{StatusCode: firstStatus + kind, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, Request: request}, nil
}
