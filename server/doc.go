// Package server is the process: HTTP in, HTTP out, and the life between
// start and shutdown.
//
// # A request
//
// handler.go is the straight line: snapshot, identity, parse, plan, run,
// respond. Everything a request needs stands in one pooled request struct
// whose buffers keep their memory; a request that hits the plan cache
// allocates nothing between the bytes fasthttp read and the bytes of the
// flight, nor per row on the way back.
//
// Bytes borrowed from fasthttp (path, headers, body) are valid until the
// handler returns; the body of the answer is swapped into fasthttp's response,
// which hands back the buffer of an earlier one.
//
// # A snapshot
//
// Configuration, keys, catalog and plans of one moment are one immutable
// Snapshot behind an atomic pointer. A request loads it once. A reload builds a
// new one beside it and swaps the pointer. So no request sees half of a reload,
// and none waits for one.
//
// Package life has the loop that hears every wish for a reload. world.go is the
// server as that loop sees it. load.go and fingerprint.go read, in goroutines
// beside the loop; install.go puts in force, in the goroutine of the loop.
//
// # Errors
//
// Each layer has an error type without any HTTP in it; problem.go alone turns
// them into status, code, message, details and hint.
package server
