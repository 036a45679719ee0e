// Package planner turns a parsed request into a Plan. The Plan has the SQL
// statement to run, the source of each parameter, the form of the response
// body, and the properties that the transaction and the response depend on.
//
//	planner.go   Planner: finds the plan for a request, or makes it
//	plan.go      Plan
//	key.go       the key of a plan: the parts of a request that it depends on
//	cache.go     the cache: plans by key
//	limits.go    which numbers may stand in SQL as LIMIT and OFFSET
//	read.go      select tree, filters, orders and ranges, each on its node
//	embed.go     relationships of embeds, their joins and aliases
//	spread.go    spreads, and aggregates inside them
//	having.go    filters and orders that name an aggregate by its alias
//	distinct.go  distinct rows, and the order that they need
//	filter.go    columns, their types and representations
//	mutate.go    writes
//	conflict.go  what decides whether a row of an insert is there already
//	bulk.go      the key of a bulk update
//	nested.go    nested inserts: what the members of their rows mean
//	inserts.go   the statements of a nested insert
//	call.go      calls
//	overload.go  which function a call means
//	media.go     media type of the response, form of its body
//	lines.go     responses with a line for each row, and which of them are streamed
//	inspect.go   whether code of the database's owners may run
//	merge.go     reads that may run as one statement
//	page.go      pages with cursors: the key in their order
//	records.go   embeds that are returned as records
//	needs.go     the privileges that a plan needs
//	error.go     errors
//	hint.go      suggestions in errors
//
// A request is planned once per shape (see parser.Query.AppendShape), in four
// stages:
//
//   - resolve: look up the names in the catalog, which gives a planner/tree
//   - negotiate: choose the media type, and whether PostgreSQL or the server
//     makes the body
//   - inspect: find out whether code of the database's owners may run
//   - print: write the SQL (planner/sqlgen)
//
// A Plan keeps no memory of the request it was made for: strings are copied out
// of the request's buffers, and operands are slots. So all requests of its
// shape may share it, on all goroutines, until the catalog is replaced. The
// cache is dropped together with its catalog. Its plans need no other
// invalidation.
//
// # Errors
//
// Errors are *Error: the kind of error and the names involved. The server turns
// them into responses. A request that exceeds a bound is refused with a
// *parser.Error, as if the parser had refused it. Errors are not cached: a
// request that cannot be planned is resolved again each time.
//
// # Bounds
//
// A client chooses the shape of what PostgreSQL has to plan, so the shape is
// bounded: MaxEmbeds relations in a request (parser.MaxDepth allows more levels
// than that), MaxNestedWrites statements and MaxNestedDepth levels of a nested
// insert, sqlgen.MaxLength bytes of SQL, sqlgen.MaxArgs operands. A select
// list that "*" or spreads make longer than what the client wrote ends at a
// length that PostgreSQL refuses. The number and the weight of cached plans are
// bounded, too.
package planner
