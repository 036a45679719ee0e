package server

import (
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/server/clients"
)

// When a client has gone away, its request leaves the queue for a connection.
// What it reads is cancelled. What it writes is cancelled only if
// server-cancel-abandoned-writes is set. At the end of the process all requests
// are cancelled that have not finished in time.

var (
	// errClientGone is the error of a request without a client. nginx logs the
	// same status.
	errClientGone   = newProblem(499, "PGRSTX04", "The client has gone away")
	errShuttingDown = newProblem(fasthttp.StatusServiceUnavailable, "PGRSTX05", "The server is shutting down")
)

// watch begins to watch the client of a request that is sent to the database.
func (rq *request) watch() { clients.Watch(rq.ctx, rq) }

// unwatch ends watch.
func (rq *request) unwatch() { clients.Unwatch(rq.ctx) }

// ClientGone implements clients.Watched.
func (rq *request) ClientGone() {
	rq.execution.Abandon(errClientGone, rq.call.Plan.ReadOnly || rq.snap.config.ServerCancelAbandonedWrites)
}

// ServerStopping implements clients.Watched.
func (rq *request) ServerStopping() { rq.execution.Abandon(errShuttingDown, true) }
