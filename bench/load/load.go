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
	MaxConnections = 10_000
	MaxRate        = 200_000 // requests per second of an open loop
	maxDuration    = 5 * time.Minute
	maxOthers      = 50
)

// Target is the request that is sent to the server.
type Target struct {
	Addr    string   // host:port, loopback only
	Method  string   // "" is GET
	Path    string   // path and query; {n} stands for a number from Low to High, here and in the body; {n+40}, here only, for a larger one
	Headers []string // "Name: value"; {token} stands for one of Tokens
	Body    string
	Low     int
	High    int
	Tokens  *Tokens

	Name   string  // of this kind of request, if there are several
	Others []Other // are sent instead, in their shares
}

// Other is a further kind of request of a target. It has the target's numbers, tokens and address.
type Other struct {
	Name    string // of a kind with figures of its own; an unnamed kind is sent but not part of the figures
	Percent int    // share of all requests, drawn at random
	Method  string
	Path    string
	Headers []string
	Body    string
}

// Kinds returns one target for each kind of request, the target's own first.
func (t *Target) Kinds() []Target {
	list := []Target{*t}
	list[0].Others = nil
	for _, o := range t.Others {
		list = append(list, Target{Addr: t.Addr, Method: o.Method, Path: o.Path, Headers: o.Headers, Body: o.Body,
			Low: t.Low, High: t.High, Tokens: t.Tokens, Name: o.Name})
	}
	return list
}

// counts reports whether a kind is part of the figures. Kind 0 is the target's own.
func (t *Target) counts(kind int) bool { return kind == 0 || t.Others[kind-1].Name != "" }

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

	Kinds []Kind // named kinds of requests, if there are several
}

// Kind is the part of a result that belongs to one kind of request.
type Kind struct {
	Name string
	Result
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
	case t.High < t.Low:
		return fmt.Errorf("load: numbers from %d to %d", t.Low, t.High)
	case len(t.Others) > maxOthers:
		return fmt.Errorf("load: %d kinds of requests, want at most %d", 1+len(t.Others), 1+maxOthers)
	}
	sum := 0
	for _, o := range t.Others {
		if sum += o.Percent; o.Percent < 1 || sum > 100 {
			return fmt.Errorf("load: %d percent", o.Percent)
		}
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
		kinds = make([][]time.Duration, len(clients[0].templates))
		bytes int64
	)
	for _, c := range clients {
		for kind, latencies := range c.latencies {
			kinds[kind] = append(kinds[kind], latencies...)
		}
		bytes += c.bytes
	}
	r := summarizeKinds(clients[0].target, kinds, elapsed)
	r.Bytes = bytes
	return r
}

// summarizeKinds makes a result of the latencies of each kind. Kind 0 is the target's own.
func summarizeKinds(t *Target, kinds [][]time.Duration, elapsed time.Duration) Result {
	var (
		all   []time.Duration
		named []Kind
		aside int
	)
	for i, k := range t.Kinds() {
		if !t.counts(i) {
			aside += len(kinds[i])
			continue
		}
		all = append(all, kinds[i]...)
		if k.Name != "" {
			named = append(named, Kind{k.Name, Summarize(kinds[i], elapsed)})
		}
	}
	r := Summarize(all, elapsed)
	r.Aside, r.Kinds = aside, named
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
	templates []*template // by kind; the target's own request is the first
	request   []byte
	answer    reader
	latencies [][]time.Duration // by kind
	bytes     int64
}

func dial(ctx context.Context, t *Target, seed uint64) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.Addr)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, target: t, random: rand.New(rand.NewPCG(seed, 1))}
	c.answer.from = conn
	for _, kind := range t.Kinds() {
		c.templates = append(c.templates, kind.compile())
	}
	c.latencies = make([][]time.Duration, len(c.templates))
	c.latencies[0] = make([]time.Duration, 0, 1<<10)
	return c, nil
}

func (c *client) loop(ctx context.Context, deadline time.Time) error {
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	now := time.Now()
	for first := true; first || now.Before(deadline); first = false { // at least one request, even after the deadline
		kind := c.kind()
		n, err := c.send(kind, c.draw())
		if err != nil {
			return err
		}
		end := time.Now()
		c.latencies[kind] = append(c.latencies[kind], end.Sub(now))
		c.bytes += int64(n)
		now = end
	}
	return nil
}

// draw returns the number for the next request.
func (c *client) draw() int { return c.target.Low + c.random.IntN(c.target.High-c.target.Low+1) }

// kind returns the kind of the next request.
func (c *client) kind() int {
	if len(c.target.Others) == 0 {
		return 0
	}
	drawn := c.random.IntN(100)
	for i := range c.target.Others {
		if drawn -= c.target.Others[i].Percent; drawn < 0 {
			return 1 + i
		}
	}
	return 0
}

// once sends a request of the target's own kind and reads its response.
func (c *client) once(n int) (bodyBytes int, err error) { return c.send(0, n) }

func (c *client) send(kind, n int) (bodyBytes int, err error) {
	c.request = c.templates[kind].append(c.request[:0], draw{n, c.target.Tokens.take()})
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
