package nodes

import "time"

// Await is Pick for a read with a bookmark. If no replica has replayed it, the read waits
// for one, for at most Options.Wait, while the nodes are asked more often. So the number
// of questions does not depend on the number of requests that wait.
func (n *Nodes) Await(catalog, bookmark Position, tried []*Node) *Node {
	if best := n.replica(catalog, bookmark, tried); best != nil || !n.mayReach(bookmark) {
		return n.Pick(catalog, bookmark, tried)
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
		if best := n.replica(catalog, bookmark, tried); best != nil {
			return best
		}
		select {
		case <-news:
		case <-timer.C:
			return n.Pick(catalog, bookmark, tried)
		}
	}
}

// mayReach reports whether a replica may soon have replayed the bookmark. One of another
// timeline is for the primary.
func (n *Nodes) mayReach(bookmark Position) bool {
	for _, node := range n.replicas {
		if s := node.state.Load(); s.why == fit && s.position.Timeline == bookmark.Timeline {
			return true
		}
	}
	return false
}
