package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of one run.
const (
	MaxConnections = 1024
	MaxRate        = 200_000 // requests per second of an open loop
	maxDuration    = 5 * time.Minute
)

// Target is the request that is sent to the server.
type Target struct {
	Addr    string   // host:port, loopback only
	Method  string   // "" is GET
	Path    string   // path and query; {n} stands for a number from Low to High, here and in the body
	Headers []string // "Name: value"; {token} stands for one of Tokens
	Body    string
	Low     int
	High    int
	Tokens  *Tokens

	// Percentage of the requests, drawn at random, that get another path. They are not part of the figures.
	AsidePercent int
	Aside        string
}

// Tokens are used in turn by all connections and runs. Each token is used before one repeats.
type Tokens struct {
	List []string
	next atomic.Uint64
}

func (t *Tokens) take() string {
	if t == nil || len(t.List) == 0 {
		return ""
	}
	return t.List[t.next.Add(1)%uint64(len(t.List))]
}

// Result is the result of a run.
type Result struct {
	Requests int   // successful requests
	Failed   int   // of an open loop: failed, or never sent
	Aside    int   // aside requests
	Bytes    int64 // of bodies
	Elapsed  time.Duration

	P50, P90, P99, P999, Max time.Duration
}

// PerSecond returns the throughput.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Run sends requests in closed loops for a time. A failed request, or a status other than 2xx, ends the run with
// an error, because figures of failing requests mean nothing.
func Run(ctx context.Context, t Target, connections int, duration time.Duration) (Result, error) {
	if err := t.check(connections, duration); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, duration+time.Minute)
	defer cancel()
	var (
		group   sync.WaitGroup
		clients = make([]*client, connections)
		failed  = make(chan error, connections)
	)
	for i := range clients {
		c, err := dial(ctx, &t, uint64(i))
		if err != nil {
			return Result{}, errors.Join(err, closeAll(clients))
		}
		clients[i] = c
	}
	defer closeAll(clients)
	start := time.Now()
	deadline := start.Add(duration)
	for _, c := range clients {
		group.Go(func() {
			if err := c.loop(ctx, deadline); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	select {
	case err := <-failed:
		return Result{}, err
	default:
		return collect(clients, elapsed), nil
	}
}

func (t *Target) check(connections int, duration time.Duration) error {
	addr, err := netip.ParseAddrPort(t.Addr)
	switch {
	case err != nil:
		return fmt.Errorf("load: address %q: %w", t.Addr, err)
	case !addr.Addr().IsLoopback():
		return fmt.Errorf("load: %s is not a loopback address", t.Addr)
	case connections < 1 || connections > MaxConnections:
		return fmt.Errorf("load: %d connections, want 1 to %d", connections, MaxConnections)
	case duration <= 0 || duration > maxDuration:
		return fmt.Errorf("load: duration %s, want up to %s", duration, maxDuration)
	case t.AsidePercent < 0 || t.AsidePercent > 100:
		return fmt.Errorf("load: %d percent", t.AsidePercent)
	case t.High < t.Low:
		return fmt.Errorf("load: numbers from %d to %d", t.Low, t.High)
	}
	return nil
}

func closeAll(clients []*client) error {
	for _, c := range clients {
		if c != nil {
			c.conn.Close()
		}
	}
	return nil
}

func collect(clients []*client, elapsed time.Duration) Result {
	var (
		all   []time.Duration
		bytes int64
		aside int
	)
	for _, c := range clients {
		all = append(all, c.latencies...)
		bytes += c.bytes
		aside += c.sentAside
	}
	r := Summarize(all, elapsed)
	r.Bytes, r.Aside = bytes, aside
	return r
}

// Summarize makes a result from latencies. It sorts them.
func Summarize(latencies []time.Duration, elapsed time.Duration) Result {
	r := Result{Requests: len(latencies), Elapsed: elapsed}
	if len(latencies) == 0 {
		return r
	}
	slices.Sort(latencies)
	at := func(thousandths int) time.Duration {
		return latencies[min(len(latencies)*thousandths/1000, len(latencies)-1)]
	}
	r.P50, r.P90, r.P99, r.P999, r.Max = at(500), at(900), at(990), at(999), at(1000)
	return r
}

// client is one connection.
type client struct {
	conn      net.Conn
	random    *rand.Rand
	target    *Target
	template  *template
	aside     *template // nil without aside requests
	sentAside int
	request   []byte
	answer    reader
	latencies []time.Duration
	bytes     int64
}

func dial(ctx context.Context, t *Target, seed uint64) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.Addr)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, target: t, random: rand.New(rand.NewPCG(seed, 1)), latencies: make([]time.Duration, 0, 1<<14)}
	c.answer.from = conn
	c.template = t.compile()
	if t.AsidePercent > 0 {
		other := Target{Addr: t.Addr, Path: t.Aside, Headers: t.Headers}
		c.aside = other.compile()
	}
	return c, nil
}

func (c *client) loop(ctx context.Context, deadline time.Time) error {
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	now := time.Now()
	for first := true; first || now.Before(deadline); first = false { // at least one request, even after the deadline
		if c.turnsAside() {
			if _, err := c.send(c.aside, c.draw()); err != nil {
				return err
			}
			c.sentAside++
			now = time.Now()
			continue
		}
		n, err := c.once(c.draw())
		if err != nil {
			return err
		}
		end := time.Now()
		c.latencies = append(c.latencies, end.Sub(now))
		c.bytes += int64(n)
		now = end
	}
	return nil
}

// draw returns the number for the next request.
func (c *client) draw() int { return c.target.Low + c.random.IntN(c.target.High-c.target.Low+1) }

// turnsAside reports whether the next request is an aside request.
func (c *client) turnsAside() bool {
	return c.aside != nil && c.random.IntN(100) < c.target.AsidePercent
}

// once sends one request and reads its response.
func (c *client) once(n int) (bodyBytes int, err error) { return c.send(c.template, n) }

func (c *client) send(t *template, n int) (bodyBytes int, err error) {
	c.request = t.append(c.request[:0], draw{n, c.target.Tokens.take()})
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	return c.answer.next()
}

// Ask sends one request with number n, with the same bytes as Run, and returns the response body.
func Ask(ctx context.Context, t Target, n int) ([]byte, error) {
	if err := t.check(1, maxDuration); err != nil {
		return nil, err
	}
	c, err := dial(ctx, &t, 0)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	if err := c.conn.SetDeadline(time.Now().Add(maxDuration)); err != nil {
		return nil, err
	}
	c.answer.keep = true
	_, err = c.once(n)
	return c.answer.body, err
}
