package pool

import "context"

// Waiter is the context of somebody who may lose interest while waiting for a
// connection, and only then: what runs on a connection is stopped in other
// ways (pgwire.Flight.Interrupt). A Waiter without a Done channel costs nothing
// where nobody waits.
//
// Those who ask with other contexts are not counted against Options.MaxWaiters.
type Waiter interface {
	context.Context
	// Waiting is called with the function that ends the wait when a wait
	// begins, and with nil when it is over. An error is why it need not begin.
	Waiting(leave context.CancelCauseFunc) error
}
