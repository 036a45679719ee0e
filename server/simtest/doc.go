// Package simtest runs the server against a simulated PostgreSQL, over a simulated network
// and under a simulated clock. One number, the seed, decides everything that happens:
// delays, faults, what clients ask for. So a rare interleaving that breaks a promise can be
// run again.
//
// All of a world lives in one bubble of testing/synctest: clients, the server's packages
// auth, parser, planner, exec, pool and pgwire, and the database. Time passes only when all
// goroutines wait.
//
//	network_test.go   connections in memory: delays, cuts at any byte, half-closes
//	wire_test.go      the protocol of PostgreSQL, seen from the server process
//	session_test.go   settings, roles, prepared statements, transactions of a session
//	settings_test.go  statements that make settings
//	store_test.go     rows with owners, row locks, commits
//	node_test.go      nodes: start, restart, failover, cancel requests
//	pooler_test.go    a pooler that hands sessions around
//	schema_test.go    tables and functions, as catalog and as behaviour
//	api_test.go       from a request to exec.Call, as package server does it
//	workload_test.go  what clients do
//	world_test.go     one seed: makes a world, runs it, ends it
//	oracle_test.go    checks the history against the promises
//	runner_test.go    seeds in child processes, and flags
//	mutants_test.go   planted faults, and the search for them
//
// # The seams
//
// pgwire dials through pgconn.Config.DialFunc, and uses a file descriptor only if the
// connection has one. So it needs no change to run in a bubble. These are not part of the
// simulation: package pgwire/socket, nap_linux.go of pgwire, fasthttp, package
// server/clients and the handlers of package server above exec. They need descriptors,
// or caches of real time. api_test.go stands in for the handlers.
//
// # What is deterministic
//
// Each actor draws from its own generator, and delays differ by nanoseconds, so that two
// events rarely have the same time. Each child process has one processor and no garbage
// collection while a seed runs. What remains is the choice of the Go scheduler between
// goroutines that can run at the same instant. TestReplay counts how often it matters.
package simtest
