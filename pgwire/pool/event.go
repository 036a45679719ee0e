package pool

// Event is something that happened in a pool.
type Event struct {
	Kind   Kind
	Conn   uint64 // number of the connection, 0 if it is not about one
	Reason Reason // of Closed
	Err    error  // of ConnectFailed, Crowded and AcquireTimedOut; of Closed: a session reset failed
}

// Kind of an Event.
type Kind uint8

const (
	Connecting Kind = iota + 1
	Connected
	ConnectFailed
	Acquired
	Released
	Closed
	AcquireTimedOut
	PoolFlushed
	Crowded    // the server has no room for it; to be tried again
	FailedOver // its server is not any more what target_session_attrs wants; the pool is flushed
)

// Reason why a connection was closed.
type Reason uint8

const (
	Broken     Reason = iota + 1 // lost, or given up in the middle of something
	Flushed                      // made before a Flush
	Idle                         // not used for MaxIdleTime
	Aged                         // older than MaxLifetime
	PoolClosed                   //
	Failover                     // its server is not any more what target_session_attrs wants
)

var reasons = [...]string{Broken: "connection lost", Flushed: "flush", Idle: "idleness", Aged: "age", PoolClosed: "release", Failover: "failover"}

func (r Reason) String() string { return reasons[r] }

// Stats is a pool at one moment, and what it has seen so far.
type Stats struct {
	Max        int
	InUse      int
	Idle       int
	Connecting int
	Waiting    int // callers in the admission queue, for a connection to be free or made
	Queued     int // of them, slow ones that wait until another slow one is done

	AcquireTimeouts int64
	Established     int64
	ConnectFailures int64
	Closed          int64
	Resent          int64 // reads sent again because the one before them was blocked
}

// Stats takes the pool's lock for a moment: it is for metrics, not for
// decisions about a request.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{
		Max:             p.o.MaxConns,
		InUse:           len(p.all) - len(p.idle),
		Idle:            len(p.idle),
		Connecting:      p.connecting,
		Waiting:         p.queue.len + p.slow.held.len,
		Queued:          p.slow.held.len,
		AcquireTimeouts: p.timeouts.Load(),
		Established:     p.opened.Load(),
		ConnectFailures: p.refused.Load(),
		Closed:          p.closed.Load(),
		Resent:          p.resent.Load(),
	}
}
