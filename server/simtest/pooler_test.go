package simtest

// held is what a session keeps between transactions.
type held struct {
	prepared map[string]*statement
	settings map[string]string
	locks    []string
	temps    []string
}

// change gives the session to the others of the node, and takes another one: a pooler in
// transaction mode does so at the end of each transaction.
func (b *backend) change() {
	n := b.node
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spare = append(n.spare, held{b.prepared, b.settings, b.locks, b.temps})
	i := b.rng.IntN(len(n.spare))
	h := n.spare[i]
	n.spare = append(n.spare[:i], n.spare[i+1:]...)
	b.prepared, b.settings, b.locks, b.temps = h.prepared, h.settings, h.locks, h.temps
}
