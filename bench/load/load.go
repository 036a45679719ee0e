package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Bounds of one run.
const (
	maxConnections = 1024
	maxDuration    = 5 * time.Minute
)

// Target is what is asked of the server.
type Target struct {
	Addr    string   // host:port, loopback only
	Path    string   // path and query; {n} stands for a number from Low to High
	Headers []string // "Name: value"
	Low     int
	High    int
}

// Result of a run.
type Result struct {
	Requests int
	Bytes    int64 // of bodies
	Elapsed  time.Duration
	P50, P99 time.Duration
}

// PerSecond is the throughput.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Run keeps connections busy for a while. Any failure, and any status but 200 and 206, ends it
// with an error: figures of failing requests mean nothing.
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
		return summarize(clients, elapsed), nil
	}
}

func (t *Target) check(connections int, duration time.Duration) error {
	addr, err := netip.ParseAddrPort(t.Addr)
	switch {
	case err != nil:
		return fmt.Errorf("load: address %q: %w", t.Addr, err)
	case !addr.Addr().IsLoopback():
		return fmt.Errorf("load: %s is not a loopback address", t.Addr)
	case connections < 1 || connections > maxConnections:
		return fmt.Errorf("load: %d connections, want 1 to %d", connections, maxConnections)
	case duration <= 0 || duration > maxDuration:
		return fmt.Errorf("load: duration %s, want up to %s", duration, maxDuration)
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

func summarize(clients []*client, elapsed time.Duration) Result {
	r := Result{Elapsed: elapsed}
	var all []time.Duration
	for _, c := range clients {
		all = append(all, c.latencies...)
		r.Bytes += c.bytes
	}
	r.Requests = len(all)
	if len(all) == 0 {
		return r
	}
	slices.Sort(all)
	r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
	return r
}

// client is one connection.
type client struct {
	conn      net.Conn
	random    *rand.Rand
	target    *Target
	before    []byte // of the request, up to the number
	after     []byte
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
	c.before, c.after = t.render()
	return c, nil
}

func (c *client) loop(ctx context.Context, deadline time.Time) error {
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	for now := time.Now(); now.Before(deadline); {
		n, err := c.once()
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

// once sends one request and reads its answer.
func (c *client) once() (bodyBytes int, err error) {
	c.request = append(c.request[:0], c.before...)
	if c.after != nil {
		n := c.target.Low + c.random.IntN(c.target.High-c.target.Low+1)
		c.request = strconv.AppendInt(c.request, int64(n), 10)
		c.request = append(c.request, c.after...)
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	return c.answer.next()
}
