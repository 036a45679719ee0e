package simtest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// plans are what the seed has decided about a world.
type plans struct {
	profile          string
	clients          int
	requests         int // of a client
	keys             int
	think            int // µs
	conns, depth     int
	reserve          int
	maxWaiters       int
	maxBackends      int
	statements       int
	coalescing, auto bool
	acquireTimeout   time.Duration
	flightTimeout    time.Duration
	statementTimeout time.Duration
	maxIdle, maxLife time.Duration
	latency          int // ns
	cuts             float64
	faults           float64
	staleness        float64
	slowWork         float64
	leaving          float64 // clients that go away
	weights          [operations]int
	mixed            bool // all roles
	failover         bool
	fence            bool
	restarts         int
	reloads          int
	locks            int // times that an operator locks slow
	kills            int
	repeats          float64       // an error is followed by another one
	slowReads        time.Duration // that a read of slow takes, at least
	lateCancels      bool          // the connection of a cancel request ends before it takes effect
	pooler           bool          // sessions change hands after each transaction
}

func drawPlans(r *rand.Rand) plans {
	between := func(a, b int) int { return a + r.IntN(b-a+1) }
	chance := func(p float64) bool { return r.Float64() < p }
	p := plans{
		clients: between(3, 10), requests: between(6, 14), keys: between(1, 4), think: between(50, 3000),
		conns: between(1, 5), depth: 8, reserve: r.IntN(3), maxBackends: 100, statements: 256,
		coalescing: chance(0.7), auto: chance(0.5),
		acquireTimeout: 10 * time.Second, flightTimeout: 5 * time.Second,
		latency: 20_000 + r.IntN(400_000), slowWork: 0.02 * r.Float64(), mixed: chance(0.5),
		weights: [operations]int{readReg: 30, readSlow: 4, readOwn: 6, readOwnOne: 6, insert: 12, insertReturning: 4, update: 8, updateReturning: 3, updateOne: 3,
			upsert: 3, remove: 3, leave: 3, strew: 1, look: 6, batch: 5},
	}
	if chance(0.15) {
		p.depth = 1
	}
	if chance(0.2) {
		p.statements = [...]int{0, 2, 6}[r.IntN(3)]
	}
	if chance(0.25) { // a crowd at one register
		p.weights = [operations]int{readReg: 60, insert: 10, update: 4, leave: 1, look: 3}
		p.keys, p.think, p.conns = between(1, 2), between(1, 200), between(1, 2)
		if chance(0.3) { // small batches, of which many begin behind a request that leaves something
			p.weights = [operations]int{readReg: 60, insert: 2, leave: 12}
			p.depth, p.coalescing, p.clients, p.requests = between(2, 3), false, between(4, 6), between(15, 25)
		}
	}
	switch k := r.IntN(10); k {
	case 0, 1:
		p.profile = "calm"
		p.acquireTimeout, p.flightTimeout = time.Minute, time.Minute
		p.leaving = 0.1 * float64(r.IntN(2))
		p.lateCancels = chance(0.5)
		p.reloads = r.IntN(3)
	case 2:
		p.profile = "locks"
		p.conns, p.reserve, p.statements, p.depth = between(2, 4), 0, 256, 8
		p.acquireTimeout, p.flightTimeout, p.slowWork = time.Minute, time.Minute, 0
		p.weights = [operations]int{readReg: 30, readSlow: 12}
		p.requests, p.locks, p.mixed, p.think = 25, between(2, 6), false, between(500, 4000)
	case 3, 4, 5:
		p.profile = "faults"
		p.faults, p.staleness = 0.002+0.02*r.Float64(), 0.02*r.Float64()
		p.leaving, p.reloads, p.kills = 0.1*r.Float64(), r.IntN(2), r.IntN(4)
		p.lateCancels = chance(0.3)
		if chance(0.3) {
			p.repeats = 0.6
		}
		if chance(0.3) {
			p.maxBackends = between(1, p.conns)
		}
		if chance(0.3) {
			p.statementTimeout = time.Duration(between(20, 2000)) * time.Millisecond
		}
		if chance(0.3) {
			p.maxWaiters = between(1, 4)
		}
		if chance(0.3) {
			p.maxIdle, p.maxLife = time.Duration(between(5, 100))*time.Millisecond, time.Duration(between(10, 200))*time.Millisecond
		}
		if chance(0.3) {
			p.acquireTimeout = time.Duration(between(1, 50)) * time.Millisecond
		}
		if chance(0.2) { // slow requests, of which some wait for too long
			p.conns, p.reserve, p.maxWaiters = between(3, 4), 1, 0
			p.slowReads, p.acquireTimeout = 110*time.Millisecond, time.Duration(between(50, 300))*time.Millisecond
			p.weights[readSlow], p.requests = 30, 20
		}
	case 6, 7:
		p.profile = "network"
		p.cuts, p.leaving = 0.05+0.4*r.Float64(), 0.1*r.Float64()
		p.flightTimeout = time.Duration(between(50, 3000)) * time.Millisecond
		p.locks = r.IntN(2)
	case 8:
		p.profile = "restarts"
		p.restarts, p.faults, p.cuts = between(1, 3), 0.005*r.Float64(), 0.1*r.Float64()
		p.reloads = r.IntN(3)
	default:
		p.profile = "failover"
		p.failover, p.fence = true, chance(0.5)
		p.faults = 0.003 * r.Float64()
	}
	if p.profile != "failover" && chance(0.1) {
		p.pooler, p.statements = true, 0
		p.weights[leave], p.weights[strew] = 0, 0
	}
	return p
}

// work is how long a part of a statement takes.
func (p *plans) work(r *rand.Rand) time.Duration {
	if r.Float64() < p.slowWork {
		return time.Duration(1_000_000 + r.IntN(30_000_000))
	}
	return time.Duration(5_000 + r.IntN(60_000))
}

// done is a request that has ended.
type done struct {
	request
	began, ended time.Time
	result
	keyThen [2]int // keys in force when it began and when it ended
}

// client sends one request after the other.
func (w *world) client(number int) {
	r := w.rng("client", number)
	for i := range w.plan.requests {
		time.Sleep(time.Duration(1000 + r.IntN(w.plan.think*1000)))
		rq := w.draw(r, number, i)
		if rq.op == readSlow && w.plan.profile == "locks" {
			if w.slowReads.Add(1) >= int64(w.plan.conns) { // one connection stays free of them
				w.slowReads.Add(-1)
				rq.op = readReg
			}
		}
		w.serve(fmt.Sprintf("client%d", number), rq)
		if rq.op == readSlow && w.plan.profile == "locks" {
			w.slowReads.Add(-1)
		}
	}
}

func (w *world) serve(who string, rq request) {
	d := done{request: rq, began: time.Now()}
	d.keyThen[0] = w.api.snapshot.Load().key
	w.event("begin "+rq.op.String()+" "+rq.value, who, int(rq.id))
	func() {
		defer func() {
			if v := recover(); v != nil {
				w.violate("panic: %v", v)
			}
		}()
		d.result = w.api.serve(&rq)
	}()
	d.ended, d.keyThen[1] = time.Now(), w.api.snapshot.Load().key
	text := "ok " + d.body
	if d.err != nil {
		text = d.err.Error()
	}
	w.event("end "+rq.op.String()+" "+text, who, int(d.rows))
	w.mu.Lock()
	w.history = append(w.history, d)
	w.mu.Unlock()
}

// draw chooses a request.
func (w *world) draw(r *rand.Rand, client, i int) request {
	total := 0
	for _, n := range w.plan.weights {
		total += n
	}
	n := r.IntN(total)
	var op operation
	for op = 0; n >= w.plan.weights[op]; op++ {
		n -= w.plan.weights[op]
	}
	rq := request{op: op, value: fmt.Sprintf("c%dr%d", client, i), role: roleNames[r.IntN(2)], key: w.api.snapshot.Load().key}
	switch op {
	case insert, insertReturning:
		rq.id = int64(client*1000 + i)
	case readOwnOne, upsert, remove:
		rq.id = int64(client*1000 + r.IntN(i+1))
		rq.role = roleNames[client%2] // rows of a client mostly have one owner
	case look:
		rq.sub = client % maxSubs
	default:
		rq.id = r.Int64N(int64(w.plan.keys))
	}
	if w.plan.mixed && r.IntN(6) == 0 {
		rq.role = roleNames[2+r.IntN(2)]
	}
	if op.writes() && r.IntN(12) == 0 {
		rq.rolls = true
	}
	if op == batch {
		rq.apart = r.IntN(2) == 0
		for n := range 2 + r.IntN(2) {
			part := request{op: update, id: r.Int64N(int64(w.plan.keys)), value: fmt.Sprintf("%sp%d", rq.value, n), role: rq.role, key: rq.key}
			switch r.IntN(4) {
			case 0:
				part.op, part.id = insert, int64(client*1000+500+10*i+n)
			case 1:
				part.op = readReg
			case 2:
				part.op = updateReturning
			}
			rq.parts = append(rq.parts, part)
		}
	}
	if r.IntN(15) == 0 && rq.key > 0 {
		rq.key-- // an old token
	}
	if r.Float64() < w.plan.leaving {
		rq.leavesAfter = time.Duration(1000 + r.IntN(3_000_000))
	}
	return rq
}

// operate starts what happens to the world beside the requests.
func (w *world) operate(stop <-chan struct{}) {
	at := func(name string, n int, within time.Duration, fn func(r *rand.Rand)) {
		for i := range n {
			r := w.rng(name, i)
			w.operators.Go(func() {
				t := time.NewTimer(time.Duration(r.Int64N(int64(within))))
				defer t.Stop()
				select {
				case <-t.C:
					w.event(name, "operator", i)
					fn(r)
				case <-stop:
				}
			})
		}
	}
	length := time.Duration(w.plan.requests*(w.plan.think+300)) * time.Microsecond
	at("reload", w.plan.reloads, length, func(*rand.Rand) {
		w.count("reload", 1)
		if err := w.api.install(w, min(w.api.snapshot.Load().key+1, maxKeys-1)); err != nil {
			w.violate("reload: %v", err)
		}
		w.api.pool.Flush()
	})
	at("restart", w.plan.restarts, length, func(r *rand.Rand) {
		var word error = fatal{"57P01", "terminating connection due to administrator command"}
		if r.IntN(2) == 0 {
			word = errEnded
		}
		w.nodes["a"].restart(time.Duration(1+r.IntN(50_000_000)), word)
	})
	at("kill", w.plan.kills, length, func(r *rand.Rand) {
		n := w.nodes["a"]
		n.mu.Lock()
		var b *backend
		if len(n.backends) > 0 {
			b = n.backends[r.IntN(len(n.backends))]
		}
		n.mu.Unlock()
		if b != nil {
			w.count("process terminated", 1)
			b.end(fatal{"57P01", "terminating connection due to administrator command"})
		}
	})
	at("lock", w.plan.locks, length, func(r *rand.Rand) {
		w.count("table locked", 1)
		t := w.nodes["a"].store.begin()
		t.lockTable("slow")
		time.Sleep(time.Duration(300_000_000 + r.IntN(500_000_000)))
		t.end(false)
	})
	if w.plan.failover {
		at("failover", 1, length, func(r *rand.Rand) { w.failover(r.IntN(4), w.plan.fence) })
	}
}
