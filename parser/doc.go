// Package parser parses the query string of a request: select, filters, logic
// trees, order, limit and offset, columns, on_conflict and the arguments of
// routines. It knows the grammar of PostgREST. It does not know the database,
// SQL statements or HTTP; package header reads the headers.
//
//	raw query string
//	  -> Query            tree and operands
//	     AppendShape      everything that changes the statement: the key of a plan
//	     Values           operands, ready to be bound as parameters
//	     Ranges           limit and offset of each embed path
//	     AppendCanonical  the sorted form for Content-Location
//
// params.go splits and decodes the parameters. parser.go passes each parameter to
// the parser of its grammar. Each grammar is in a comment at the top of its file:
// select.go, filter.go, logic.go, order.go, distinct.go, columns.go. lexer.go has the tokens
// that grammars share, ops.go the table of operators, limit.go reads limit and
// offset, and range.go computes with ranges of rows.
//
// # Parameters
//
// The key of a parameter decides what the parameter is:
//
//	select, columns, on_conflict     the first of each counts
//	[path.]order                     all count
//	[path.]limit, [path.]offset      the last of each path counts
//	[path.][not.]and, [path.]or      all count
//	[path.]distinct                  with ExtDistinct, if the value has no operator
//	                                 and the mode is not ModeCallRead; the first of each path counts
//	anything else                    a filter or, in ModeCallRead, an argument
//
// A path is a list of names separated by dots. A parameter without "=" is kept in
// Params and otherwise ignored. It still hides later parameters if it is the
// first select, columns or on_conflict.
//
// # Shape and values
//
// Values holds the operands of filters. Slots are numbered by filter parameters
// in order of appearance, then by logic trees in order of appearance, each depth
// first. Everything else is the shape: names, aliases, casts, JSON paths, text
// search languages, the operands of is, and all orders. Queries with equal keys
// have the same operands in the same slots. The numbers of limit and offset are
// in neither part: the key tells only whether there is a limit, whether it is
// zero, and whether there is an offset.
//
// Names may contain any character, NUL included, and must be quoted in SQL. Casts
// contain only letters, digits, "_", "$" and spaces.
//
// # Memory
//
// A Query is meant to be pooled. Its nodes are in slices owned by the Query and
// refer to each other by index. Its texts are parts of the raw query string, or
// of the Query's arena if they had to be decoded or joined. All of them are valid
// until the next Parse or Reset, as long as the raw query string is not modified.
// Parsing allocates nothing once the slices have grown. Reset releases slices
// that a large request has made larger than usual.
//
// # Errors
//
// Parse returns ErrInvalidUTF8, or an *Error with the texts of PostgREST. The
// parsers in this package report only that a parameter is invalid, which keeps
// them fast. Package explain then parses the parameter again, with a model of the
// parser combinators of PostgREST, to find the error text. RangeError is the only
// error that Parse does not return.
//
// The caller limits the length of the query string. This package limits the
// number of parameters, the depth of embeds and logic trees, and the size of the
// tree, see MaxParams, MaxDepth and MaxParts. The texts of these errors are not
// PostgREST's.
package parser
