package faulttest

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

// Direction is the direction of bytes.
type Direction int

const (
	ToServer Direction = iota
	ToClient
)

func (d Direction) String() string { return [...]string{"to server", "to client"}[d] }

// Cut is the position at which a connection breaks: after Messages whole
// messages and Bytes bytes of the next one, in one direction. Messages are
// counted after the call of Arm, without those of the startup.
type Cut struct {
	Direction Direction
	Messages  int
	Bytes     int
}

// Message is one message that passed the proxy.
type Message struct {
	Kind byte
	Body []byte
}

// Size returns the number of bytes of the message on the wire.
func (m Message) Size() int { return 5 + len(m.Body) }

// Exchange holds the messages since Record, per direction.
type Exchange [2][]Message

// Proxy forwards connections. It is meant for one connection at a time.
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

// NewProxy accepts connections on l and forwards them to connections of dial.
func NewProxy(l net.Listener, dial func() (net.Conn, error)) *Proxy {
	p := &Proxy{listener: l, dial: dial, conns: map[*link]struct{}{}}
	p.wg.Go(p.accept)
	return p
}

// Close closes the listener and all connections.
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

// Arm breaks the connection at c, once. The returned function waits until the
// connection is broken and PostgreSQL has closed its end, so that no statement
// is still running. It returns false on a timeout.
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

// Tamper makes the proxy call f with all bytes, including those of the startup,
// before it forwards them. f may change the bytes and returns a delay. nil ends
// that. f is not called concurrently.
func (p *Proxy) Tamper(f func(Direction, []byte) time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tamper = f
}

// Forget drops all further bytes of the present connections without closing
// them, like a firewall that lost its state. New connections are forwarded.
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

// Record starts recording messages.
func (p *Proxy) Record() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record, p.seen = true, Exchange{}
}

// Recorded stops recording and returns the messages.
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
	done           chan struct{} // of the cut that broke the connection
}

// side parses the messages of one direction.
type side struct {
	greeted  bool   // the startup is over
	messages int    // whole messages since Arm
	head     []byte // of the current message, at most 5 bytes
	size     int    // of the current message; 0 until its head is complete
	passed   int    // bytes of the current message
	body     []byte // of the current message, while recording
}

func (l *link) pass(d Direction, to, from net.Conn) {
	p := l.proxy
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		chunk, cut := buf[:n], false
		if l.broken || l.forgotten {
			chunk = nil // drain the rest
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
			// PostgreSQL can execute what it has received before it sees the
			// end.
			closeWrite(l.server)
		}
		if err != nil {
			l.end(d)
			return
		}
	}
}

// end closes one direction.
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

// admit returns the part of a chunk that may pass, and whether the cut follows
// it.
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
	// A cut after the last byte of a message must not wait for another byte.
	if len(chunk) > 0 && s.greeted && p.cut != nil && p.cut.Direction == d && s.messages == p.cut.Messages && s.passed == p.cut.Bytes &&
		s.messages+s.passed > 0 {
		return chunk, true
	}
	return chunk, false
}

// startup parses the client's first packet, which has a length and no type.
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

// errTrace means that a recorded message is malformed.
var errTrace = errors.New("malformed message")

// Statements returns what a recorded client executed, in order: the SQL of each
// Execute whose Parse was recorded, and "" for each Sync.
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
