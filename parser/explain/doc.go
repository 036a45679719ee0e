// Package explain finds the error text for a parameter that package parser has
// refused.
//
//	grammar, text -> Run -> Failure: line, column and details
//
// PostgREST's grammars use the parser combinators of Parsec. Its error texts list
// the alternatives that failed at the furthest position. To produce the same
// texts, this package models the combinators (combinator.go, message.go) and
// defines the grammars with them (grammar.go).
//
// It allocates freely: it runs only for requests that are refused. Both packages
// must accept the same texts, which a fuzzer in package parser checks.
package explain
