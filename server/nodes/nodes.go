package nodes

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// Options of the nodes of a process.
type Options struct {
	MaxLag time.Duration // of a replica that serves reads
	Wait   time.Duration // for a replica that has replayed a bookmark

	// Changed, if set, is called when a node can serve reads again, or cannot any more.
	// why is empty in the first case.
	Changed func(node, why, problem string)
	// Moved, if set, is called when the primary is on another timeline than before: after
	// a failover.
	Moved func()
}

// Nodes has the nodes of a process. It is safe for concurrent use.
type Nodes struct {
	o        Options
	primary  *Node
	replicas []*Node

	turn    atomic.Uint32
	waiters atomic.Int32                  // requests that wait for a position
	news    atomic.Pointer[chan struct{}] // closed when a state is published, while requests wait

	mu       sync.Mutex // guards the fields below
	identity string     // of the primary's cluster; "": not known yet
	timeline uint32     // of the primary
	samples  []sample   // positions of the primary, oldest first
	catalog  Position   // at which the catalog in force was read
}

// New makes nodes with a primary and without replicas. The caller closes the pool.
func New(o Options, name string, cfg *pgwire.Config, p *pool.Pool) *Nodes {
	n := &Nodes{o: o, primary: newNode(name, cfg, p)}
	n.primary.primary = true
	news := make(chan struct{})
	n.news.Store(&news)
	return n
}

// Add adds a replica. It is called before Run.
func (n *Nodes) Add(name string, cfg *pgwire.Config, p *pool.Pool) {
	n.replicas = append(n.replicas, newNode(name, cfg, p))
}

// Primary returns the primary.
func (n *Nodes) Primary() *Node { return n.primary }

// Replicas returns the replicas.
func (n *Nodes) Replicas() []*Node { return n.replicas }

// Run asks the nodes for their states until ctx ends.
func (n *Nodes) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, node := range append([]*Node{n.primary}, n.replicas...) {
		all.Go(func() { n.watch(ctx, node) })
	}
	all.Wait()
}

// Pick returns the node of a read: the replica with the fewest requests in flight that
// has replayed the position of the catalog and that of the bookmark, which may be zero,
// and was not tried before. If no replica fits, it is the primary.
func (n *Nodes) Pick(catalog, bookmark Position, tried []*Node) *Node {
	if best := n.replica(catalog, bookmark, tried, true); best != nil {
		return best
	}
	return n.primary
}

// replica is Pick without the primary. counted: the replicas that do not fit are counted.
func (n *Nodes) replica(catalog, bookmark Position, tried []*Node, counted bool) (best *Node) {
	var least int64
	first := n.turn.Add(1) // of several with the same load each has its turn
	for i := range n.replicas {
		node := n.replicas[(first+uint32(i))%uint32(len(n.replicas))]
		if why := node.state.Load().refusal(catalog, bookmark); why != fit {
			if counted {
				node.refused[why].Add(1)
			}
			continue
		}
		if slices.Contains(tried, node) {
			continue
		}
		if load := node.inFlight.Load(); best == nil || load < least {
			best, least = node, load
		}
	}
	return best
}

// ServesReads reports whether a replica can serve reads of a catalog.
func (n *Nodes) ServesReads(catalog Position) bool {
	for _, node := range n.replicas {
		if node.state.Load().refusal(catalog, Position{}) == fit {
			return true
		}
	}
	return false
}

// Loaded tells at which position the catalog in force was read. The sessions of a replica
// are closed when the replica has replayed it, because sessions keep roles' settings and
// caches of the catalog.
func (n *Nodes) Loaded(catalog Position) {
	n.mu.Lock()
	n.catalog = catalog
	n.mu.Unlock()
	for _, node := range n.replicas {
		n.flush(node, node.state.Load().position)
		node.ask()
	}
}

// flush closes the sessions of a replica, if it has replayed a catalog for which that was
// not done yet.
func (n *Nodes) flush(node *Node, at Position) {
	n.mu.Lock()
	due := !node.primary && !n.catalog.IsZero() && node.flushed != n.catalog && at.reached(n.catalog)
	if due {
		node.flushed = n.catalog
	}
	n.mu.Unlock()
	if due {
		node.Pool.Flush()
	}
}

// Close closes the pools of the replicas. The pool of the primary is not closed.
func (n *Nodes) Close() {
	var all sync.WaitGroup
	for _, node := range n.replicas {
		all.Go(node.Pool.Close)
	}
	all.Wait()
}
