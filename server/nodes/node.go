package nodes

import (
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// Node is a database that serves requests. It is safe for concurrent use.
type Node struct {
	Name string
	Pool *pool.Pool

	config  *pgwire.Config
	primary bool
	state   atomic.Pointer[state]
	asked   chan struct{} // wakes the goroutine that asks the node for its state
	flushed Position      // of the catalog for which the pool was flushed; under Nodes.mu

	inFlight atomic.Int64
	requests atomic.Uint64
	retried  atomic.Uint64
	refused  [reasons]atomic.Uint64
}

// Reason says why a node does not serve a read.
type Reason uint8

const (
	fit         Reason = iota
	Unknown            // it was not asked yet
	Unreachable        // it does not answer
	Promoted           // a replica that is not in recovery any more
	Recovering         // a primary that is in recovery
	Foreign            // it is not a replica of the primary
	Timeline           // it is on another timeline than the primary, or than the catalog
	Lagging            // it is behind by more than MaxLag
	Behind             // it has not replayed the catalog or the bookmark
	reasons
)

var reasonNames = [reasons]string{
	fit: "", Unknown: "unknown", Unreachable: "unreachable", Promoted: "promoted", Recovering: "recovering", Foreign: "foreign",
	Timeline: "timeline", Lagging: "lag", Behind: "behind",
}

func (r Reason) String() string { return reasonNames[r] }

// state is what is known of a node. It is immutable.
type state struct {
	why      Reason // why it serves no request; fit: the positions of a request decide
	problem  string // of Unreachable
	position Position
	hasLag   bool
	lag      time.Duration
	at       time.Time // when it was asked
}

func newNode(name string, cfg *pgwire.Config, p *pool.Pool) *Node {
	n := &Node{Name: name, config: cfg, Pool: p, asked: make(chan struct{}, 1)}
	n.state.Store(&state{why: Unknown})
	return n
}

// Primary reports whether the node is the primary.
func (n *Node) Primary() bool { return n.primary }

// Begin counts a request. End ends it.
func (n *Node) Begin() {
	n.requests.Add(1)
	n.inFlight.Add(1)
}

// End ends a request that Begin has counted.
func (n *Node) End() { n.inFlight.Add(-1) }

// Failed tells that a request has failed because of the node. If the connection was lost,
// or there was none, the node gets no requests until it has answered a question. again: the
// request runs on another node.
func (n *Node) Failed(lost, again bool) {
	if again {
		n.retried.Add(1)
	}
	old := n.state.Load()
	if !lost || old.why == Unreachable {
		return
	}
	now := *old
	now.why, now.problem = Unreachable, "a connection was lost"
	if n.state.CompareAndSwap(old, &now) {
		n.ask()
	}
}

// ask has the node asked for its state now.
func (n *Node) ask() {
	select {
	case n.asked <- struct{}{}:
	default:
	}
}

// refusal returns why the node cannot serve a read that needs these positions, or fit.
func (s *state) refusal(catalog, bookmark Position) Reason {
	switch {
	case s.why != fit:
		return s.why
	case catalog.IsZero(): // it was not read from a primary
		return Unknown
	case !s.position.mayReach(catalog):
		return Timeline
	case !s.position.reached(catalog), !s.position.reached(bookmark):
		return Behind
	}
	return fit
}
