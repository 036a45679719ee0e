// Package pool keeps a bounded number of connections to PostgreSQL and runs
// flights on them.
//
//	pool.go     Pool, Options, Flush, Close
//	conn.go     Conn: Release, and when a connection is closed
//	acquire.go  Acquire, and free connections: to a caller or to the idle list
//	wait.go     a caller's wait; waiter.go: a caller that can leave
//	queue.go    the admission queue: all callers that wait, in order of arrival
//	connect.go  connections are made in the background
//	retry.go    what follows a failed attempt to connect
//	class.go    the classes of flights
//	share.go    Run: a free connection takes several flights of the queue as one batch
//	merge.go    reads that wait run as one statement
//	permits.go  slow flights leave a few connections to the others
//	timing.go   the times of a flight, and of a round trip
//	watch.go    looks at callers and connections from time to time
//	resend.go   reads behind a blocked read are sent again
//	sweep.go    idle connections that are too old are closed
//	event.go    events for the log, and counters
//
// # From a caller to a connection
//
// A caller takes an idle connection. If all are in use, it joins the queue, and the
// pool makes a connection if it has fewer than Options.MaxConns. Connections that are
// being made or closed count. Each connection that becomes free, new or released,
// serves the head of the queue.
//
// Lending an idle connection allocates nothing. A connection that has been idle for a
// second is checked first (pgwire.Conn.Check). If the check fails, the pool closes it
// and takes the next one.
//
// # Sharing
//
// Run puts the flight itself in the queue. So a free connection can take several
// flights at once and send them in one write, as a pipeline: the head of the queue,
// and others that may share with it. More follow before the batch ends. Each is a
// transaction. This saves system calls on both sides. The price is head-of-line
// blocking, and share.go has the rules that bound it:
//
//   - The head of the queue is always served first. While it cannot share, no batch
//     takes more flights.
//   - Reads behind a blocked read are sent again on another connection.
//   - Writes share only with inserts of the same statement.
//
// Reads that allow it (pgwire.Flight.MayMerge) become one flight of the batch. If their
// arguments are equal, one of them runs for all. Otherwise one statement has the arguments
// of all. If the flight fails, each read runs again, alone.
//
// # The end of a wait
//
// A wait ends with a connection, with the response to the flight, after
// Options.AcquireTimeout, or when the context ends. A caller with a Waiter can leave
// while it waits, and is refused if Options.MaxWaiters wait already.
//
// A failed attempt to connect ends a wait only if the pool has no connection at all.
// Otherwise callers wait for the connections in use, and the attempt is repeated.
//
// Errors of Acquire: ErrAcquireTimeout, ErrTooManyWaiting, ErrClosed, the context's
// cause, or the *pgwire.ConnError of a connection that could not be made.
//
// # The end of a connection
//
// A connection is closed when it is broken, too old, or was made before a Flush. If
// a write fails because the server is read-only, the pool asks the server whether it
// still has the role that target_session_attrs asks for. If it has lost the role, all
// connections are retired, once.
package pool
