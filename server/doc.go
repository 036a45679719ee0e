// Package server is the process: HTTP in, HTTP out, and the life between
// start and shutdown.
//
// # A request
//
// handler.go has the steps of a request: snapshot, identity, parse, plan, run,
// respond. The state of a request is one pooled struct, grouped by what it is
// of: head, caller, target, payload, call, response. Its buffers keep their
// memory. A request that hits the plan cache allocates nothing between the
// bytes fasthttp read and the bytes of the flight, nor per row on the way back.
//
// Package exec runs the plan and knows no HTTP. execute.go fills its Call with
// what it may know of the request; respond.go, write.go and call.go make the
// response from its Result.
//
// Package clients has the sockets: it accepts connections, checks heads, reads
// bodies, watches clients and drains at the end.
//
// Bytes borrowed from fasthttp (path, headers, body) are valid until the
// handler returns. The body of the Result is swapped into fasthttp's response,
// which hands back the buffer of an earlier one. Large bodies are in spooled.go:
// they live until fasthttp has sent them, and the request is logged then. In
// streamed.go fasthttp sends the rows while the call runs; the request then lives
// until the body is closed. latebody.go has what both kinds of bodies report.
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
// them into status, code, message, details and hint. For nested inserts, nested.go
// adds the place in the body.
package server
