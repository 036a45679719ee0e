package simtest

import (
	"context"
	"encoding/json"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/server/exec"
)

func init() {
	exec.QuickSamples = 5
	// Names of statements are numbers that a process counts. From here on all of them are of
	// one length, so that a cut at a byte is at the same place whatever ran before.
	for range 1 << 16 {
		pgwire.NewStmt("")
	}
}

// world is one seed.
type world struct {
	seed       uint64
	plan       plans
	net        *network
	nodes      map[string]*node
	initial    []commit
	roles      map[string]string
	api        *api
	processes  sync.WaitGroup // of the database
	operators  sync.WaitGroup
	calm       atomic.Bool // no more faults
	failedOver bool
	slowReads  atomic.Int64
	calls      atomic.Int64

	mu         sync.Mutex
	history    []done
	violations []string
	counts     map[string]int
	hash       hash.Hash64
	trace      bool
	began      time.Time
}

var roleNames = []string{"alice", "bob", "carol", "dave"}

// rng is a generator for one actor.
func (w *world) rng(actor string, n int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", actor, n)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

func (w *world) count(what string, n int) {
	w.mu.Lock()
	w.counts[what] += n
	w.mu.Unlock()
}

// event adds to the log of the world.
func (w *world) event(what, who string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := fmt.Sprintf("%v %s %s %d\n", time.Since(w.began), what, who, n)
	w.hash.Write([]byte(line))
	if w.trace {
		fmt.Print(line)
	}
}

// violate records that a promise was broken.
func (w *world) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, text)
	if w.trace {
		fmt.Println("VIOLATION:", text)
	}
}

// checkSession is called before each statement of a request.
func (b *backend) checkSession(op operation, role string) {
	w := b.node.w
	if w.roles[role] == "" {
		w.violate("%v runs as the role %q", op, role)
	}
	if text := b.setting("request.jwt.claims"); text != claims(role, b.subject()) {
		w.violate("%v runs as %s with the claims %s", op, role, text)
	}
	if left := b.settings["app.left"]; left != "" || len(b.locks)+len(b.temps) > 0 {
		w.violate("%v of %s sees what other requests have left: setting %q, locks %v, tables %v", op, role, left, b.locks, b.temps)
	}
}

// subject is the one of the claims.
func (s *session) subject() string {
	var c struct{ Sub string }
	_ = json.Unmarshal([]byte(s.setting("request.jwt.claims")), &c)
	return c.Sub
}

// outcome is what a seed has shown.
type outcome struct {
	hash       uint64
	requests   int
	counts     map[string]int
	violations []string
}

// runSeed makes a world, runs it and ends it.
func runSeed(t *testing.T, seed uint64, trace bool) (o outcome) {
	registry()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(seed)
		w.trace = trace
		w.run()
		w.check()
		o = outcome{hash: w.hash.Sum64(), requests: len(w.history), counts: w.counts, violations: w.violations}
	})
	return o
}

func newWorld(seed uint64) *world {
	w := &world{seed: seed, counts: map[string]int{}, hash: fnv.New64a(), roles: map[string]string{}, began: time.Now()}
	for _, r := range roleNames {
		w.roles[r] = r
	}
	w.plan = drawPlans(w.rng("plan", 0))
	w.net = &network{w: w}
	first := commit{at: w.began}
	for id := range int64(w.plan.keys) {
		for _, table := range []string{"reg", "slow"} {
			first.changes = append(first.changes, change{key{table, id}, &row{id: id, val: "v0"}})
		}
	}
	w.initial = []commit{first}
	w.nodes = map[string]*node{"a": newNode(w, "a", w.initial), "b": newNode(w, "b", w.initial)}
	w.nodes["b"].up = false
	w.nodes["a"].limit = w.plan.maxBackends
	return w
}

// patience is how long all requests together may take.
const patience = 20 * time.Minute

func (w *world) run() {
	var err error
	if w.api, err = newAPI(w); err != nil {
		w.violate("cannot start: %v", err)
		return
	}
	var clients sync.WaitGroup
	for i := range w.plan.clients {
		clients.Go(func() { w.client(i) })
	}
	stop := make(chan struct{})
	w.operate(stop)
	if !within(patience, clients.Wait) {
		w.fatal("requests have not ended")
	}
	close(stop)
	w.operators.Wait()
	w.calm.Store(true)
	for _, n := range w.nodes {
		n.mu.Lock()
		n.limit = 1000
		n.mu.Unlock()
	}
	w.quiet()
	if !within(patience, w.api.pool.Close) {
		w.fatal("the pool does not close")
	}
	w.api.log.Close()
	if !within(patience, w.processes.Wait) {
		w.fatal("connections to the database are left")
	}
}

// within reports whether fn ends in time.
func within(limit time.Duration, fn func()) bool {
	over := make(chan struct{})
	go func() { fn(); close(over) }()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-over:
		return true
	case <-t.C:
		return false
	}
}

// fatal ends the process: goroutines are left that never end, and the bubble cannot be left.
func (w *world) fatal(text string) {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	w.violate("%s", text)
	report(w.seed, w.violations, string(buf))
}

// quiet checks that nothing has leaked when no request runs.
func (w *world) quiet() {
	time.Sleep(30 * time.Second) // discarded responses and reset connections end
	synctest.Wait()
	p := w.api.pool
	st := p.Stats()
	if st.InUse != 0 || st.Waiting != 0 || st.Queued != 0 {
		w.violate("all requests have ended, and the pool has %d connections in use, %d callers waiting, %d of them for a permit", st.InUse, st.Waiting, st.Queued)
	}
	// All permits are there: as many slow callers as there should be get a connection.
	slow := w.plan.conns
	if w.plan.reserve > 0 && slow-w.plan.reserve >= 2 {
		slow -= w.plan.reserve
	}
	if !w.nodes["a"].isUp() && !w.nodes["b"].isUp() {
		w.violate("no node is up in the end")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var borrowed []*pool.Conn
	for i := range slow {
		c, err := p.AcquireFor(ctx, pool.Slow)
		if err != nil {
			w.violate("of %d slow callers only %d get a connection in the end: %v", slow, i, err)
			break
		}
		borrowed = append(borrowed, c)
	}
	for _, c := range borrowed {
		c.Release()
	}
	w.writeLast()
}

// writeLast checks that the server serves again. Connections that were lost or that lead to a
// server without its role may fail one write each.
func (w *world) writeLast() {
	var err error
	for i := range 2 + w.plan.conns {
		r := request{op: insert, id: int64(900_000 + i), value: fmt.Sprintf("last%d", i), role: "alice", key: w.api.snapshot.Load().key}
		if err = w.api.serve(&r).err; err == nil {
			return
		}
	}
	w.violate("in the end a write fails: %v", err)
}

func (n *node) isUp() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up
}
