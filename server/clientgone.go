package server

import (
	"github.com/valyala/fasthttp"
)

// When a client has gone away, its request leaves the queue for a connection. A
// read that runs is cancelled, and a write if server-cancel-abandoned-writes is
// set. At the end of the process all requests that have not finished in time are
// cancelled.

var (
	// errClientGone is the error of a request without a client. nginx logs the
	// same status.
	errClientGone   = newProblem(499, "PGRSTX04", "The client has gone away")
	errShuttingDown = newProblem(fasthttp.StatusServiceUnavailable, "PGRSTX05", "The server is shutting down")
)

// ClientGone implements clients.Watched.
func (rq *request) ClientGone() {
	rq.execution.Abandon(errClientGone, rq.call.Plan.ReadOnly || rq.snap.config.ServerCancelAbandonedWrites)
}

// ServerStopping implements clients.Watched.
func (rq *request) ServerStopping() { rq.execution.Abandon(errShuttingDown, true) }
