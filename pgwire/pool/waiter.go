package pool

import "context"

// Waiter is a context that can end the wait for a connection although it is not
// done. A flight that runs afterwards is stopped by pgwire.Flight.Abandon instead. A
// Waiter without a Done channel costs nothing unless the caller has to wait.
//
// Callers with other contexts do not count towards Options.MaxWaiters.
type Waiter interface {
	context.Context
	// Waiting is called when a wait begins, with a function that ends it, and with
	// nil when the wait is over. leave must not be called after that. If Waiting
	// returns an error, the wait ends with it.
	Waiting(leave context.CancelCauseFunc) error
}
