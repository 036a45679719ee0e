// Package planner turns a parsed request into a Plan: the statement to run,
// where its parameters come from, what its rows become and what has to be
// checked before the answer may leave.
//
//	key.go       what of a request its plan depends on, as bytes
//	cache.go     key to Kept: the plan, with the state of running it
//	limits.go    which numbers may stand in SQL as LIMIT
//	read.go      select tree, filters, orders and ranges, each onto its relation
//	embed.go     relationships of embeds, their joins and aliases
//	spread.go    spreads, and aggregates inside of them
//	filter.go    columns, their types and representations
//	mutate.go    writes
//	call.go      calls; overload.go: of which function
//	media.go     who makes the body
//	inspect.go   what may run besides PostgreSQL's own code
//	records.go   which embeds can come as records
//	hint.go      what a client perhaps meant
//
// Planning happens once per shape (see parser.Query.AppendShape). The stages
// are resolve (names against the catalog, giving a planner/tree), negotiate
// (which media type, and whether PostgreSQL or we make the body), inspect and
// print (planner/sqlgen). A Plan holds nothing of the request it was made for:
// strings are copied out of the request's buffers, operands are slots. So a
// plan may be shared by all requests of its shape, on all goroutines, until
// its catalog is replaced; the cache dies with the catalog and nothing in it
// is ever invalidated.
//
// # Errors
//
// Errors are *Error: what went wrong and the names involved. The server turns
// them into responses. What is beyond a bound is refused with a *parser.Error,
// like what the parser itself refuses. Errors are not kept: a request that
// cannot be planned is looked at anew each time.
//
// # Bounds
//
// A client chooses the shape of what PostgreSQL has to plan, so there is an end
// to it: MaxEmbeds relations in a request (parser.MaxDepth levels is more than
// that), sqlgen.MaxLength bytes of SQL, sqlgen.MaxArgs operands. Select lists
// that grow beyond what the client wrote, by "*" or by spreads, end where
// PostgreSQL refuses them. Plans are kept up to a number and a weight.
package planner
