package simtest

import (
	"bytes"
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// node is a server of PostgreSQL.
type node struct {
	w     *world
	name  string
	store *store
	limit int // of connections

	mu       sync.Mutex
	up       bool
	fenced   bool // it has lost its role: it refuses writes
	backends []*backend
	lastPID  uint32
	spare    []held // sessions, behind a pooler
}

func newNode(w *world, name string, log []commit) *node {
	return &node{w: w, name: name, store: newStore(log), up: true, limit: 100}
}

// dial is the DialFunc of the server.
func (w *world) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	name, _, _ := strings.Cut(addr, ":")
	w.mu.Lock()
	w.net.dials++
	number := w.net.dials
	w.mu.Unlock()
	rng := w.rng("dial", number)
	t := time.NewTimer(time.Duration(10_000 + rng.IntN(w.plan.latency)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n := w.nodes[name]
	if n == nil {
		n = w.nodes["a"] // cancel requests go to the address of the connection
	}
	client, server := w.net.connect(rng)
	client.name = name
	n.mu.Lock()
	up := n.up
	n.mu.Unlock()
	if !up {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	b := &backend{conn: server, rng: w.rng("backend", number), opened: time.Now()}
	b.session = session{node: n, prepared: map[string]*statement{}, settings: map[string]string{}, local: map[string]string{}, status: 'I', poked: make(chan struct{}, 1)}
	w.processes.Go(b.serve)
	return client, nil
}

// admit registers a process.
func (n *node) admit(b *backend) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up {
		return fatal{"57P03", "the database system is starting up"}
	}
	if len(n.backends) >= n.limit {
		n.w.count("too many connections", 1)
		return fatal{"53300", "sorry, too many clients already"}
	}
	n.lastPID++
	b.pid = n.lastPID
	b.secret = []byte{byte(b.pid), 2, 3, 4}
	n.backends = append(n.backends, b)
	if n.w.plan.pooler && len(n.spare) < 2 {
		n.spare = append(n.spare, held{prepared: map[string]*statement{}, settings: map[string]string{}})
	}
	n.w.event("session", n.name, int(b.pid))
	return nil
}

func (n *node) ended(b *backend) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.backends = slices.DeleteFunc(n.backends, func(x *backend) bool { return x == b })
}

// cancel serves a cancel request.
func (n *node) cancel(pid uint32, secret []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, b := range n.backends {
		if b.pid == pid && bytes.Equal(b.secret, secret) {
			n.w.count("cancel request", 1)
			if n.w.plan.lateCancels && b.rng.IntN(2) == 0 {
				n.w.count("late cancel request", 1)
				time.AfterFunc(b.short(3000), b.interrupt)
				return
			}
			b.interrupt()
			return
		}
	}
}

// interrupt is the signal of a cancel request. It has no effect on an idle process.
func (b *backend) interrupt() {
	b.mu.Lock()
	if b.execute {
		b.cancels = true
	}
	b.mu.Unlock()
	b.poke()
}

func (n *node) isFenced() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fenced
}

// end has all processes end with an error.
func (n *node) endAll(err error) {
	n.mu.Lock()
	all := slices.Clone(n.backends)
	n.mu.Unlock()
	for _, b := range all {
		b.end(err)
	}
}

// end has the process end with an error.
func (b *backend) end(err error) {
	b.mu.Lock()
	if b.ends == nil {
		b.ends = err
	}
	b.mu.Unlock()
	b.poke()
	_ = b.conn.SetReadDeadline(time.Unix(1, 0))
}

// restart ends all processes, and is back after a while.
func (n *node) restart(down time.Duration, word error) {
	n.w.count("restart", 1)
	n.mu.Lock()
	n.up = false
	n.mu.Unlock()
	n.endAll(word)
	time.Sleep(down)
	n.mu.Lock()
	n.up = true
	n.mu.Unlock()
}

// failover makes another node the one that takes writes. It has lost the last commits. With
// fence the old one goes on and refuses writes; otherwise it goes down.
func (w *world) failover(lost int, fence bool) {
	w.count("failover", 1)
	old := w.nodes["a"]
	old.mu.Lock()
	old.fenced, old.up = true, fence
	old.mu.Unlock()
	if !fence {
		old.endAll(errEnded)
	}
	old.store.mu.Lock()
	log := slices.Clone(old.store.log[:max(len(w.initial), len(old.store.log)-lost)])
	old.store.mu.Unlock()
	w.nodes["b"].mu.Lock()
	w.nodes["b"].store, w.nodes["b"].up = newStore(log), true
	w.nodes["b"].mu.Unlock()
	w.failedOver = true
}

// faulty draws a fault of a process.
func (b *backend) faulty(p float64) bool {
	return p > 0 && b.rng.Float64() < p && !b.node.w.calm.Load()
}

// fault is what may go wrong at a message.
func (b *backend) fault(kind byte) error {
	w := b.node.w
	if !b.faulty(w.plan.faults) && !(b.erred && b.faulty(w.plan.repeats)) {
		b.erred = b.erred && b.skip
		return nil
	}
	b.erred = true
	if err := b.pause(b.short(200)); err != nil {
		return err
	}
	switch b.rng.IntN(8) {
	case 0:
		w.count("process killed", 1)
		return errEnded
	case 1:
		w.count("process terminated", 1)
		return fatal{"57P01", "terminating connection due to administrator command"}
	case 2:
		w.count("slow message", 1)
		return b.pause(b.short(40_000))
	case 3:
		if kind == 'E' && b.rng.IntN(3) == 0 {
			w.count("very slow message", 1)
			return b.pause(b.short(3_000_000))
		}
	}
	codes := []string{"53200", "57014", "40001", "55P03", "XX000", "54000"}
	code := codes[b.rng.IntN(len(codes))]
	w.count("error at a message", 1)
	return refused{code: code, text: "simulated error at " + string(kind)}
}

// commitFault is what may go wrong before a commit: then nothing is committed.
func (b *backend) commitFault(t *txn) error {
	if err := b.pause(b.short(60)); err != nil {
		return err
	}
	w := b.node.w
	if len(t.changes) > 0 && w.nodes["a"] == b.node && b.node.isFenced() {
		return fatal{"57P01", "the server has lost its role"}
	}
	if !b.faulty(2 * w.plan.faults) {
		return nil
	}
	switch b.rng.IntN(3) {
	case 0:
		w.count("killed before the commit", 1)
		return errEnded
	case 1:
		w.count("error at the commit", 1)
		return refused{code: "40001", text: "simulated error at the commit"}
	}
	w.count("slow commit", 1)
	return b.pause(b.short(20_000))
}

// afterCommit is what may go wrong after a commit, before the client knows.
func (b *backend) afterCommit(*txn) error {
	w := b.node.w
	if !b.faulty(2 * w.plan.faults) {
		return nil
	}
	switch b.rng.IntN(2) {
	case 0:
		w.count("killed after the commit", 1)
		return errEnded
	}
	w.count("terminated after the commit", 1)
	return fatal{"57P01", "terminating connection due to administrator command"}
}
