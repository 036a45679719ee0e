package nodes

import (
	"slices"
	"time"
)

// Await is Pick for a read with a bookmark, and for a read that has failed on the primary. If
// no replica has replayed the positions, the read waits for one, for at most Options.Wait.
// Meanwhile the nodes are asked for their states more often, however many requests wait.
func (n *Nodes) Await(catalog, bookmark Position, tried []*Node) *Node {
	if best := n.Pick(catalog, bookmark, tried); best != n.primary || !n.mayReach(catalog, bookmark, tried) {
		return best
	}
	n.waiters.Add(1)
	defer n.waiters.Add(-1)
	timer := time.NewTimer(n.o.Wait)
	defer timer.Stop()
	for _, node := range n.replicas {
		node.ask()
	}
	for {
		news := *n.news.Load()
		if best := n.replica(catalog, bookmark, tried, false); best != nil {
			return best
		}
		select {
		case <-news:
		case <-timer.C:
			return n.primary
		}
	}
}

// mayReach reports whether a replica that was not tried may soon have replayed the positions.
// A bookmark of another timeline is for the primary.
func (n *Nodes) mayReach(catalog, bookmark Position, tried []*Node) bool {
	for _, node := range n.replicas {
		if s := node.state.Load(); s.why == fit && !slices.Contains(tried, node) && s.position.mayReach(catalog) && s.position.mayReach(bookmark) {
			return true
		}
	}
	return false
}
