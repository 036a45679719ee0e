package simtest

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// network makes connections in memory. Bytes arrive after a delay, in order. Each direction
// of a connection may have a fault at a byte.
type network struct {
	w     *world
	dials int // attempts to connect
}

// cutKind is what happens at a byte of a direction.
type cutKind uint8

const (
	noCut     cutKind = iota
	reset             // both sides get an error
	halfClose         // the reader gets the end of the stream; the writer notices nothing
	silence           // nothing arrives any more
	cutKinds
)

// pipe is one direction of a connection.
type pipe struct {
	rng     *rand.Rand
	latency time.Duration
	jitter  time.Duration
	cut     cutKind
	cutAt   int // byte, if cut is set
	net     *network

	mu      sync.Mutex
	written int
	parts   []part
	last    time.Time // arrival of the last part
	end     error     // comes after parts
	endAt   time.Time
	dead    bool // what is written is lost
	changed chan struct{}
}

type part struct {
	at    time.Time
	bytes []byte
}

func (n *network) pipe(rng *rand.Rand) *pipe {
	p := &pipe{rng: rng, net: n, changed: make(chan struct{}, 1)}
	p.latency = time.Duration(20_000 + rng.IntN(n.w.plan.latency))
	p.jitter = p.latency/4 + 1000
	if rng.Float64() < n.w.plan.cuts {
		p.cut = 1 + cutKind(rng.IntN(int(cutKinds)-1))
		p.cutAt = 400 + rng.IntN(12000)
	}
	return p
}

// arrival is the time at which something arrives that is sent now.
func (p *pipe) arrival() time.Time {
	at := time.Now().Add(p.latency + time.Duration(p.rng.Int64N(int64(p.jitter))))
	if !at.After(p.last) {
		at = p.last.Add(time.Duration(1 + p.rng.Int64N(997)))
	}
	p.last = at
	return at
}

func (p *pipe) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// write sends bytes. other is the opposite direction.
func (p *pipe) write(b []byte, other *pipe) (int, error) {
	p.mu.Lock()
	defer p.wake()
	defer p.mu.Unlock()
	if p.end == syscall.ECONNRESET && !time.Now().Before(p.endAt) {
		return 0, syscall.EPIPE
	}
	n := len(b)
	if p.dead || p.end != nil {
		return n, nil
	}
	cutting := p.cut != noCut && p.written+n > p.cutAt && !p.net.w.calm.Load()
	if cutting {
		b = b[:max(0, p.cutAt-p.written)]
	}
	p.written += n
	if len(b) > 0 {
		p.parts = append(p.parts, part{p.arrival(), append([]byte(nil), b...)})
	}
	if !cutting {
		return n, nil
	}
	p.net.w.count("cut: "+[...]string{reset: "reset", halfClose: "half-close", silence: "silence"}[p.cut], 1)
	p.dead = true
	switch p.cut {
	case reset:
		p.end, p.endAt = syscall.ECONNRESET, p.arrival()
		other.fail(syscall.ECONNRESET)
	case halfClose:
		p.end, p.endAt = io.EOF, p.arrival()
	}
	return n, nil
}

// fail ends the direction with an error that arrives later.
func (p *pipe) fail(err error) {
	p.mu.Lock()
	if p.end == nil {
		p.end, p.endAt = err, p.arrival()
	}
	p.mu.Unlock()
	p.wake()
}

// read waits for bytes, the end or the deadline.
func (p *pipe) read(b []byte, deadline func() time.Time, closed <-chan struct{}) (int, error) {
	for {
		select {
		case <-closed:
			return 0, net.ErrClosed
		default:
		}
		p.mu.Lock()
		now := time.Now()
		var next time.Time
		if len(p.parts) > 0 {
			if next = p.parts[0].at; !next.After(now) {
				n := 0
				for n < len(b) && len(p.parts) > 0 && !p.parts[0].at.After(now) {
					k := copy(b[n:], p.parts[0].bytes)
					n += k
					if p.parts[0].bytes = p.parts[0].bytes[k:]; len(p.parts[0].bytes) == 0 {
						p.parts = p.parts[1:]
					}
				}
				p.mu.Unlock()
				return n, nil
			}
		} else if p.end != nil {
			if next = p.endAt; !next.After(now) {
				p.mu.Unlock()
				return 0, p.end
			}
		}
		p.mu.Unlock()
		limit := deadline()
		if !limit.IsZero() {
			if !limit.After(now) {
				return 0, os.ErrDeadlineExceeded
			}
			if next.IsZero() || limit.Before(next) {
				next = limit
			}
		}
		if next.IsZero() {
			select {
			case <-p.changed:
			case <-closed:
			}
			continue
		}
		t := time.NewTimer(next.Sub(now))
		select {
		case <-p.changed:
		case <-closed:
		case <-t.C:
		}
		t.Stop()
	}
}

// conn is one side of a connection.
type conn struct {
	in, out  *pipe
	name     string
	late     time.Duration // how late deadlines are, so that those of two connections differ
	mu       sync.Mutex
	deadline time.Time
	once     sync.Once
	closed   chan struct{}
}

// connect makes both sides of a connection.
func (n *network) connect(rng *rand.Rand) (client, server *conn) {
	to, from := n.pipe(rng), n.pipe(rand.New(rand.NewPCG(rng.Uint64(), 1)))
	client = &conn{in: from, out: to, name: "server", closed: make(chan struct{})}
	server = &conn{in: to, out: from, name: "client", closed: make(chan struct{})}
	client.late = time.Duration(rng.IntN(10_000))
	return client, server
}

func (c *conn) Read(b []byte) (int, error) { return c.in.read(b, c.readDeadline, c.closed) }

func (c *conn) Write(b []byte) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
		return c.out.write(b, c.in)
	}
}

// Close ends both directions: the other side reads the rest and then the end.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.out.fail(io.EOF)
		c.out.wake()
	})
	return nil
}

func (c *conn) readDeadline() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deadline
}

func (c *conn) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		t = t.Add(c.late)
	}
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	c.in.wake()
	return nil
}

func (c *conn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
func (c *conn) LocalAddr() net.Addr              { return address("local") }
func (c *conn) RemoteAddr() net.Addr             { return address(c.name) }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) + ":5432" }
