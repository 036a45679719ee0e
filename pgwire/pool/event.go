package pool

// Event is something that happened in a pool.
type Event struct {
	Kind   Kind
	Conn   uint64 // number of the connection, 0 if the event is not about one
	Reason Reason // of Closed
	Err    error  // of ConnectFailed, ConnectDelayed and AcquireTimedOut; of Closed: a session reset failed
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
	ConnectDelayed // an attempt to connect failed, and is repeated after a pause
	FailedOver     // the server has lost the role that target_session_attrs asks for; the pool is flushed
)

// Reason why a connection was closed.
type Reason uint8

const (
	Broken     Reason = iota + 1 // lost, or given up during a flight
	Flushed                      // made before a Flush
	Idle                         // not used for MaxIdleTime
	Aged                         // older than MaxLifetime
	PoolClosed                   // by Pool.Close
	Failover                     // the server has lost the role that target_session_attrs asks for
)

// Stats is the state of a pool at one moment, and counters since its start.
type Stats struct {
	Max        int
	InUse      int
	Idle       int
	Connecting int
	Waiting    int // callers that wait for a connection
	Queued     int // of them, slow ones that wait until another slow one is done

	AcquireTimeouts int64
	Established     int64
	ConnectFailures int64
	Closed          int64
	Resent          int64 // reads sent again because the one before them was blocked

	Merged           int64 // flights that ran merged with others
	MergedStatements int64 // statements that ran them
}

// Stats takes the pool's lock. It is meant for metrics, not for decisions about a
// request.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{
		Max:             p.o.MaxConns,
		InUse:           p.ready - len(p.idle),
		Idle:            len(p.idle),
		Connecting:      p.connecting,
		Waiting:         p.queue.len + p.slow.waiting.len,
		Queued:          p.slow.waiting.len,
		AcquireTimeouts: p.timeouts.Load(),
		Established:     p.opened.Load(),
		ConnectFailures: p.refused.Load(),
		Closed:          p.closed.Load(),
		Resent:          p.resent.Load(),

		Merged:           p.merged.Load(),
		MergedStatements: p.mergedStatements.Load(),
	}
}
