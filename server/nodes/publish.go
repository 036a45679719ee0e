package nodes

import "time"

// lost publishes that a node does not answer.
func (n *Nodes) lost(node *Node, err error) {
	old := node.state.Load()
	if old.why == Unreachable && old.problem != "" {
		return
	}
	now := *old
	now.why, now.problem = Unreachable, err.Error()
	n.publish(node, &now)
}

// answered publishes what a node has said.
func (n *Nodes) answered(node *Node, a answer) {
	s := &state{position: a.position, at: a.at}
	moved := false
	n.mu.Lock()
	if node.primary {
		if a.recovery {
			s.why = Recovering
		} else {
			moved = n.timeline != 0 && n.timeline != a.position.Timeline
			if moved || n.identity != "" && n.identity != a.identity {
				n.samples = nil
			}
			n.timeline, n.identity = a.position.Timeline, a.identity
			n.sampled(a.at, a.position.LSN)
		}
	} else {
		s.lag, s.hasLag = n.lagOf(&a)
		s.why = n.replicaReason(&a, s)
	}
	n.mu.Unlock()
	n.flush(node, a.position)
	n.publish(node, s)
	if moved && n.o.Moved != nil {
		n.o.Moved()
	}
}

// replicaReason returns why a replica serves no reads, or fit. Called under Nodes.mu.
func (n *Nodes) replicaReason(a *answer, s *state) Reason {
	switch {
	case !a.recovery:
		return Promoted
	case n.identity == "":
		return Unknown
	case a.identity != n.identity:
		return Foreign
	case a.position.Timeline != n.timeline:
		return Timeline
	case !s.hasLag || s.lag > n.o.MaxLag:
		return Lagging
	}
	return fit
}

// publish makes a state the one that requests see.
func (n *Nodes) publish(node *Node, s *state) {
	old := node.state.Swap(s)
	if n.waiters.Load() > 0 {
		news := make(chan struct{})
		close(*n.news.Swap(&news))
	}
	if old.why != s.why && n.o.Changed != nil && !(old.why == Unknown && s.why == fit) {
		n.o.Changed(node.Name, s.why.String(), s.problem)
	}
}

// Figures is the state of a node, for metrics.
type Figures struct {
	Name     string
	Primary  bool
	Serves   bool
	Why      string // a Reason, if it does not serve
	Problem  string
	HasLag   bool
	Lag      time.Duration
	Position Position

	InFlight int64
	Requests uint64
	Retried  uint64 // requests that failed here and ran elsewhere
	Refused  map[string]uint64
}

// Figures describes all nodes, the primary first.
func (n *Nodes) Figures() []Figures {
	var list []Figures
	for _, node := range append([]*Node{n.primary}, n.replicas...) {
		s := node.state.Load()
		f := Figures{
			Name: node.Name, Primary: node.primary, Serves: s.why == fit, Why: s.why.String(), Problem: s.problem,
			HasLag: s.hasLag, Lag: s.lag, Position: s.position,
			InFlight: node.inFlight.Load(), Requests: node.requests.Load(), Retried: node.retried.Load(), Refused: map[string]uint64{},
		}
		for why := Unknown; why < reasons; why++ {
			f.Refused[why.String()] = node.refused[why].Load()
		}
		list = append(list, f)
	}
	return list
}

// Up reports whether the primary answered the last question and takes writes.
func (n *Nodes) Up() bool { return n.primary.state.Load().why == fit }
