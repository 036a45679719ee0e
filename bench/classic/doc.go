// Package classic is a REST server for the benchmark's schema as a competent
// Go programmer writes one: fasthttp, pgxpool, statements prepared once per
// connection, the body made by PostgreSQL with json_agg. It is the baseline
// that bars are set against.
//
// What it does per request is what PostgREST does, four round trips: BEGIN,
// one SELECT of set_config calls (role, claims, request.*), the main
// statement, COMMIT. Beyond that it does as little as it can: five kinds of
// request, fixed SQL, no schema cache, no tokens, no preferences. It answers
// what it does not know with an error, never with something else.
//
//	classic.go   start, pool, the life of the process
//	handle.go    one request
//	routes.go    which requests there are, and their SQL
package classic
