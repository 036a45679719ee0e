package pool

import "context"

// Waiter is a context that can end the wait for a connection without being done:
// what runs on a connection afterwards is stopped in another way
// (pgwire.Flight.Abandon). A Waiter without a Done channel costs nothing where the
// caller does not wait.
//
// Callers with other contexts are not counted against Options.MaxWaiters.
type Waiter interface {
	context.Context
	// Waiting is called when a wait begins, with a function that ends it, and with
	// nil when the wait is over. leave must not be called after that. If Waiting
	// returns an error, the wait ends with it.
	Waiting(leave context.CancelCauseFunc) error
}
