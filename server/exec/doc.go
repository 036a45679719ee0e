// Package exec runs plans: a Call in, a Result out.
//
// An Execution belongs to one request at a time and keeps its buffers between
// requests. Run fills one pgwire.Flight with the transaction's settings, the
// pre-request function and the plan's statements, sends it, and lets the sinks
// write the rows into the Result. On a plan-cache hit nothing is allocated.
//
//	call.go      what a request asks for
//	rules.go     what all requests of one configuration and catalog share
//	run.go       the flight of a plan, on a shared connection or alone
//	runnable.go  a plan with the state of running it
//	form.go      the form in which its rows come, and how they are encoded
//	statements.go its statements for each role
//	pace.go      how long they take
//	merge.go     requests that run as one statement
//	ready.go     the form a plan needs on a connection
//	tx.go        the form of the transaction
//	args.go      values bound to the parameters of statements
//	result.go    what a call has brought back
//	sinks.go     rows into the Result
//	lines.go     rows as lines: NDJSON and CSV
//	pieces.go    payloads that come in pieces
//	stream.go    rows that leave while the call runs
//	page.go      pages with cursors: the position of the last row
//	bookmark.go  where the WAL ends after a write
//	replica.go   which calls may run on a read replica, and which errors another node may not have
//	body.go      the body of the Result, in memory or in a spool
//	retry.go     which failures are run again, and what is learned from them
//	outcome.go   whether a failed write may have been committed, and row counts
//	limit.go     when a flight is given up
//	wait.go      waits for connections, their end, and what a call costs
//	batch.go     several calls in one transaction
//	inspect.go   fixed questions to the database, without a plan
//
// # Memory
//
// A Call borrows all of its bytes from the request; they must stay as they are
// until Run returns. A Result belongs to its Execution and is valid until the
// next Run or Reset.
//
// # Errors
//
// Errors of the connection and of the database come out as package pgwire and
// package pool have them. Those of this package are RowsError, for results the
// request does not allow, and DoubtError, around the error of a write that may
// have been committed. The package knows no HTTP.
package exec
