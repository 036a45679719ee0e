// Package pool keeps a bounded number of connections to PostgreSQL and runs
// flights on them.
//
//	pool.go    Acquire and Release, and the idle list
//	queue.go   the admission queue: all callers that wait, in order of arrival
//	grow.go    new connections are made in the background
//	share.go   a free connection takes several flights of the queue as one batch
//	watch.go   callers that wait for too long, and batches whose head is blocked
//	slow.go    slow flights leave a few connections to the others
//	crowd.go   the server has no room for more connections
//	wire.go    how long a round trip takes
//
// # From a caller to a connection
//
// A caller takes an idle connection. If there is none, it joins the queue, and the
// pool makes a connection if it has fewer than Options.MaxConns. Those being made
// and those being closed count. Each connection that becomes free, new or
// released, serves the head of the queue.
//
// An idle connection is handed out without allocating. One that has been idle for
// a second is checked first (pgwire.Conn.Check). If it is dead the next one is
// taken, or a new one made.
//
// # Sharing
//
// Run puts a flight in the queue, not only a caller. So a free connection can take
// several at once, and send them in one write, as a pipeline: the head of the queue,
// and others that may share with it. Each is a transaction of its own. This saves
// system calls on both sides. The price is head-of-line blocking, and share.go has
// the rules that bound it:
//
//   - The head of the queue is always served first. So a flight that may not share
//     waits for as many free connections as there are flights before it, at most.
//   - Reads that are stuck behind a blocked read are sent again on another
//     connection.
//   - Writes share only with inserts of the same statement.
//
// # The end of a wait
//
// A wait ends with a connection, with the response to the flight, after
// Options.AcquireTimeout, or when the context ends. A caller with a Waiter can be
// called off while it waits, and is refused if Options.MaxWaiters wait already.
//
// Errors of Acquire: ErrAcquireTimeout, ErrTooManyWaiting, ErrClosed, the context's
// cause, or the *pgwire.ConnError of a connection that could not be made.
//
// # The end of a connection
//
// A connection is closed when it is broken, too old, or was made before a Flush. If
// a write fails because the server is read-only, the pool asks the server whether it
// still is what target_session_attrs wants. If not, all connections are retired,
// once.
package pool
