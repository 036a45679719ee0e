// Package planner turns a parsed request into a Plan: the statement to run,
// where its parameters come from, what its rows become and what has to be
// checked before the answer may leave.
//
// Planning happens once per shape (see parser.Query.AppendShape). The stages
// are resolve (names against the catalog, giving a planner/tree), negotiate
// (which media type, and whether PostgreSQL or we make the body) and print
// (planner/sqlgen). A Plan holds nothing of the request it was made for:
// strings are copied out of the request's buffers, operands are slots. So a
// plan may be shared by all requests of its shape, on all goroutines, until
// its catalog is replaced; the cache dies with the catalog and nothing in it
// is ever invalidated.
//
// Errors are *Error: what went wrong and the names involved. The server turns
// them into responses.
package planner
