// Package parser reads the query string of a request: select, filters, logic
// trees, order, limit and offset, columns, on_conflict and the arguments of
// routines. It knows the grammar of PostgREST and nothing of HTTP, SQL or the
// database.
//
//	raw query string
//	  -> Query        one pass, tree and operands (parser.go and a file for each grammar)
//	     AppendShape      everything that changes the statement: the key of a plan
//	     Values           everything that does not: operands, ready to be bound
//	     AppendCanonical  the sorted form that Content-Location shows
//	     TopRange         limit, offset and the Range header combined
//
// # Memory
//
// A Query is meant to be pooled. Its nodes live in slabs and refer to each
// other by index; its texts are pieces of the raw query string, or of an arena
// when they had to be unescaped or put together. Everything is valid until the
// next Parse or Reset, and only as long as the raw bytes are left alone. Once
// the slabs have grown, parsing allocates nothing.
//
// # Errors
//
// Parse returns ErrInvalidUTF8 or an *Error with the texts that PostgREST
// gives. The grammars here only know success and failure, which keeps them
// fast; a query that fails is read again by package explain, which models the
// combinators PostgREST is written with, to find out what they would say.
//
// Length is for the caller to bound. The number of parameters and the depth of
// embeds and logic trees are bounded here, see MaxParams and MaxDepth.
package parser
