// Package pool keeps a bounded number of connections and hands them out one
// at a time.
//
// There are never more connections than Options.MaxConns, counting those
// being made and those being closed. Who asks when all are in use waits, in
// order of arrival, up to Options.AcquireTimeout. An idle connection is handed
// out without allocating; one that has been idle for a second is first looked
// at (pgwire.Conn.Check), and if it is dead the next one is taken, or a new
// one made.
//
// Where the server has no room for as many connections as the pool may have,
// the pool makes do with those it has and asks for more now and then
// (crowd.go).
//
// A connection that comes back with the news that nobody may write is asked
// whether its server is still what target_session_attrs wants. If not, all
// connections are retired, once.
//
// What is known to be slow leaves a few connections to others (slow.go).
//
// Who asks with a Waiter can be called off while waiting, and is turned away
// where Options.MaxWaiters wait already.
//
// Errors of Acquire: ErrAcquireTimeout, ErrTooManyWaiting, ErrClosed, the
// context's cause, or the *pgwire.ConnError of a connection that could not be
// made.
//
// puddle does the counting and the waiting, but for permits of slow ones.
package pool
