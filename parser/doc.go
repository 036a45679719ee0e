// Package parser reads the query string of a request: select, filters, logic
// trees, order, limit and offset, columns, on_conflict and the arguments of
// routines. It knows the grammar of PostgREST and nothing of HTTP, SQL or the
// database.
//
//	raw query string
//	  -> Query            tree and operands
//	     AppendShape      everything that changes the statement: the key of a plan
//	     Values           everything that does not: operands, ready to be bound
//	     TopRange         limit, offset and the Range header combined
//	     AppendCanonical  the sorted form that Content-Location shows
//
// params.go cuts and decodes the parameters, parser.go gives each to its
// grammar, lexer.go holds what the grammars share, and every grammar stands
// at the top of the file that reads it: select.go, filter.go, logic.go,
// order.go, columns.go. Ranges are in page.go, the table of operators is in
// ops.go.
//
// # What a key makes of a parameter
//
//	select, columns, on_conflict     as they stand; the first of each counts
//	[path.]order                     all count
//	[path.]limit, [path.]offset      the last of each path counts
//	[path.][not.]and, [path.]or      all count
//	anything else                    a filter or, in ModeCallRead, an argument
//
// A path is names joined by dots. A parameter without "=" is only kept in
// Params, but as the first select it hides the others.
//
// # Shape and values
//
// The tree falls into two parts. Values holds the operands of filters, numbered
// by slots: first filter parameters in order of appearance, then logic trees in
// order of appearance, each depth first. All the rest is shape: names, aliases,
// casts, JSON paths, text search languages, the operands of is, the order of
// everything. Queries with equal keys have operands for the same purposes in
// the same slots. Numbers of ranges are neither; a key only tells whether there
// is a limit, whether it is zero and whether there is an offset.
//
// Names may hold any character, NUL included, and need quoting in SQL. Casts
// hold letters, digits, "_", "$" and spaces only.
//
// # Memory
//
// A Query is meant to be pooled. Its nodes live in slabs and refer to each
// other by index; its texts are pieces of the raw query string, or of an arena
// when they had to be unescaped or put together. Everything is valid until the
// next Parse or Reset, and only as long as the raw bytes are left alone. Once
// the slabs have grown, parsing allocates nothing; slabs that one large request
// has blown up are let go.
//
// # Errors
//
// Parse returns ErrInvalidUTF8 or an *Error with the texts that PostgREST
// gives. The grammars here only know success and failure, which keeps them
// fast; a query that fails is read again by package explain, which models the
// combinators PostgREST is written with, to find out what they would say.
// RangeError is the one error that does not come from Parse.
//
// The length of a query string is for the caller to bound. The number of
// parameters and the depth of embeds and logic trees are bounded here, see
// MaxParams and MaxDepth; these errors are our own.
package parser
