package nodes

import "time"

// sample is where the primary was at a time.
type sample struct {
	at  time.Time
	lsn uint64
}

// longestLag bounds the memory of the samples.
const longestLag = time.Hour

// sampled notes a position of the primary, and forgets those that are too old to decide
// whether a replica is within MaxLag. Called under Nodes.mu.
func (n *Nodes) sampled(at time.Time, lsn uint64) {
	if last := len(n.samples) - 1; last >= 0 && at.Sub(n.samples[last].at) < interval/4 {
		n.samples[last].lsn = lsn // while requests wait, the primary is asked often
		return
	}
	n.samples = append(n.samples, sample{at, lsn})
	old := 0
	for old+1 < len(n.samples) && at.Sub(n.samples[old+1].at) > min(n.o.MaxLag, longestLag)+2*interval {
		old++
	}
	n.samples = append(n.samples[:0], n.samples[old:]...)
}

// lagOf returns how long ago the primary was where the replica is. A replica that is
// behind the oldest sample says itself how old its last transaction is. ok is false if
// that is not known either. Called under Nodes.mu.
func (n *Nodes) lagOf(a *answer) (lag time.Duration, ok bool) {
	last := len(n.samples) - 1
	if last < 0 {
		return 0, false
	}
	for i := last; i >= 0; i-- {
		if n.samples[i].lsn <= a.position.LSN {
			return n.samples[last].at.Sub(n.samples[i].at), true
		}
	}
	return max(a.age, n.samples[last].at.Sub(n.samples[0].at)), a.hasAge
}
