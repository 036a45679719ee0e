package faulttest

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

// Direction of bytes.
type Direction int

const (
	ToServer Direction = iota
	ToClient
)

func (d Direction) String() string { return [...]string{"to server", "to client"}[d] }

// Cut says where a connection breaks: after that many whole messages in that
// direction, and that many bytes of the next one. Messages are counted from
// Arm on, greetings not included.
type Cut struct {
	Direction Direction
	Messages  int
	Bytes     int
}

// Message is one message that went through.
type Message struct {
	Kind byte
	Body []byte
}

// Size is the number of bytes of the message on the wire.
func (m Message) Size() int { return 5 + len(m.Body) }

// Exchange is what went through since Record.
type Exchange [2][]Message

// Proxy passes connections on. It is meant for one connection at a time.
type Proxy struct {
	listener net.Listener
	dial     func() (net.Conn, error)

	mu      sync.Mutex
	cut     *Cut
	cutDone chan struct{}
	record  bool
	seen    Exchange
	conns   map[*link]struct{}
	closed  bool
	tamper  func(Direction, []byte) time.Duration
	wg      sync.WaitGroup
}

// NewProxy accepts on l and passes on to what dial connects to.
func NewProxy(l net.Listener, dial func() (net.Conn, error)) *Proxy {
	p := &Proxy{listener: l, dial: dial, conns: map[*link]struct{}{}}
	p.wg.Go(p.accept)
	return p
}

// Close ends everything.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	for l := range p.conns {
		l.client.Close()
		l.server.Close()
	}
	p.mu.Unlock()
	p.listener.Close()
	p.wg.Wait()
}

// Arm breaks the connection at c, once. The function it returns waits until
// that has happened and the server's end of the connection is gone, so that
// nothing is still being executed; false if it has not happened in time.
func (p *Proxy) Arm(c Cut) (wait func(time.Duration) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := make(chan struct{})
	p.cut, p.cutDone = &c, done
	for l := range p.conns {
		l.sides[ToServer].messages, l.sides[ToClient].messages = 0, 0
	}
	return func(patience time.Duration) bool {
		select {
		case <-done:
			return true
		case <-time.After(patience):
			p.mu.Lock()
			defer p.mu.Unlock()
			p.cut = nil
			return false
		}
	}
}

// Tamper has f called with all bytes that go through, greetings too, before
// they are passed on. f may change them; what it returns is waited for. nil
// ends that. f is not called by two goroutines at the same time.
func (p *Proxy) Tamper(f func(Direction, []byte) time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tamper = f
}

// Forget has the proxy swallow, from now on, all that the two ends of the present
// connections say, like a firewall that has forgotten them. New ones pass.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.conns {
		l.forgotten = true
	}
}

// HalfClose ends one direction of all connections; the other stays open.
func (p *Proxy) HalfClose(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.conns {
		closeWrite([...]net.Conn{ToServer: l.server, ToClient: l.client}[d])
	}
}

// Record begins to note what goes through.
func (p *Proxy) Record() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record, p.seen = true, Exchange{}
}

// Recorded ends that and returns it.
func (p *Proxy) Recorded() Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record = false
	return p.seen
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := p.dial()
		if err != nil {
			client.Close()
			continue
		}
		l := &link{proxy: p, client: client, server: server}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			client.Close()
			server.Close()
			return
		}
		p.conns[l] = struct{}{}
		p.wg.Go(func() { l.pass(ToServer, server, client) })
		p.wg.Go(func() { l.pass(ToClient, client, server) })
		p.mu.Unlock()
	}
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	sides          [2]side
	broken         bool
	forgotten      bool
	done           chan struct{} // of the cut that broke it
}

// side follows the messages of one direction.
type side struct {
	greeted  bool   // past the greetings
	messages int    // passed whole, since armed
	head     []byte // of the message under way, at most 5 bytes
	size     int    // of the message under way, 0 until the head is there
	passed   int    // bytes of the message under way
	body     []byte // of it, while recording
}

func (l *link) pass(d Direction, to, from net.Conn) {
	p := l.proxy
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		chunk, cut := buf[:n], false
		if l.broken || l.forgotten {
			chunk = nil // what is left is drained
		} else {
			chunk, cut = l.admit(d, chunk)
		}
		if cut {
			l.broken, l.done = true, p.cutDone
			p.cut = nil
		}
		var pause time.Duration
		if p.tamper != nil && len(chunk) > 0 {
			pause = p.tamper(d, chunk)
		}
		p.mu.Unlock()
		time.Sleep(pause)
		if len(chunk) > 0 {
			if _, werr := to.Write(chunk); werr != nil && err == nil && d == ToServer {
				err = werr
			}
		}
		if cut {
			l.client.Close()
			// The server gets to execute what it has received, then sees the end.
			closeWrite(l.server)
		}
		if err != nil {
			l.end(d)
			return
		}
	}
}

// end is the end of one direction.
func (l *link) end(d Direction) {
	p := l.proxy
	if d == ToServer {
		closeWrite(l.server)
		return
	}
	l.client.Close()
	l.server.Close()
	p.mu.Lock()
	delete(p.conns, l)
	if l.done != nil {
		close(l.done)
	}
	p.mu.Unlock()
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// admit returns how much of a chunk may pass, and whether that is the end.
func (l *link) admit(d Direction, chunk []byte) (pass []byte, cut bool) {
	p, s := l.proxy, &l.sides[d]
	for i, b := range chunk {
		if s.greeted && p.cut != nil && p.cut.Direction == d && s.messages == p.cut.Messages && s.passed == p.cut.Bytes {
			return chunk[:i], true
		}
		if !s.greeted && d == ToServer {
			s.startup(b)
			continue
		}
		s.step(b, p.record && s.greeted)
		if s.size > 0 && s.passed == s.size {
			if s.greeted {
				s.messages++
				if p.record {
					p.seen[d] = append(p.seen[d], Message{s.head[0], s.body})
				}
			} else if s.head[0] == 'Z' {
				s.greeted = true
			}
			*s = side{greeted: s.greeted, messages: s.messages}
		}
	}
	// A cut right behind the last byte does not wait for another one.
	if len(chunk) > 0 && s.greeted && p.cut != nil && p.cut.Direction == d && s.messages == p.cut.Messages && s.passed == p.cut.Bytes &&
		s.messages+s.passed > 0 {
		return chunk, true
	}
	return chunk, false
}

// startup follows the client's first packet, which has a length and no type.
func (s *side) startup(b byte) {
	s.passed++
	if len(s.head) < 4 {
		s.head = append(s.head, b)
	}
	if len(s.head) == 4 && s.passed == int(binary.BigEndian.Uint32(s.head)) {
		*s = side{greeted: true}
	}
}

func (s *side) step(b byte, keep bool) {
	s.passed++
	switch {
	case len(s.head) < 5:
		s.head = append(s.head, b)
		if len(s.head) == 5 {
			s.size = 1 + int(binary.BigEndian.Uint32(s.head[1:]))
		}
	case keep:
		s.body = append(s.body, b)
	}
}

// errTrace: not a message of the protocol.
var errTrace = errors.New("malformed message")

// Statements lists what a recorded client had executed, in order: the SQL of
// each Execute whose Parse was seen too, and "" for each Sync.
func (e Exchange) Statements() ([]string, error) {
	var out []string
	parsed := map[string]string{}
	bound := ""
	for _, m := range e[ToServer] {
		b := m.Body
		switch m.Kind {
		case 'P':
			name, rest, ok := cutZero(b)
			sql, _, ok2 := cutZero(rest)
			if !ok || !ok2 {
				return nil, errTrace
			}
			parsed[name] = sql
		case 'B':
			_, rest, ok := cutZero(b)
			name, _, ok2 := cutZero(rest)
			if !ok || !ok2 {
				return nil, errTrace
			}
			bound = parsed[name]
		case 'E':
			out = append(out, bound)
		case 'S':
			out = append(out, "")
		}
	}
	return out, nil
}

func cutZero(b []byte) (before string, after []byte, ok bool) {
	for i := range b {
		if b[i] == 0 {
			return string(b[:i]), b[i+1:], true
		}
	}
	return "", nil, false
}
