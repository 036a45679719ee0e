// Package classic is a REST server for the benchmark's schema as a competent Go
// programmer writes one: fasthttp, pgxpool, statements prepared once per
// connection, and json_agg for the body. It is the baseline of the bench: most bars (limits)
// are ratios to it.
//
// Each request takes four round trips, as in PostgREST: BEGIN, one SELECT of
// set_config calls (role, claims, request.*), the main statement, COMMIT.
// Otherwise the server does as little as possible: five kinds of request, fixed
// SQL, no schema cache, no tokens, no preferences. An unknown request gets an
// error.
//
//	classic.go   start, pool, the life of the process
//	handle.go    one request
//	routes.go    which requests there are, and their SQL
package classic
