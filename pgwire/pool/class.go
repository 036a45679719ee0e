package pool

// Class says which connections a flight may use, and whether it may share one.
type Class int32

const (
	// Alone: any connection, which the flight does not share.
	Alone Class = iota
	// QuickRead: the flight may share. It is an implicit transaction that only reads
	// and is known to be quick.
	QuickRead
	// QuickWrite: the flight may share. It is an implicit transaction that is known to
	// be quick and that locks on rows hardly ever block: an insert.
	QuickWrite
	// Slow: like Alone, but slow flights together do not take all connections, see
	// Options.Reserve.
	Slow
)

func (class Class) shares() bool { return class == QuickRead || class == QuickWrite }
