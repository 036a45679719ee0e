// Package explain finds the words for a query string that was refused.
//
// PostgREST's grammars are written with parser combinators, and the texts of
// its errors are what these combinators happen to gather on the way: at each
// place the alternatives that failed there, the furthest place winning. To say
// the same, this package is a small model of those combinators (combinator.go,
// message.go) with the grammars on top (grammar.go).
//
// It allocates freely and is only reached once package parser has refused a
// text. Both must agree on what is accepted, which a fuzzer in package parser
// holds them to.
package explain
