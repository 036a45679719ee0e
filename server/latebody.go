package server

import (
	"bytes"

	"github.com/fastgrest/fastgrest/server/oplog"
)

// lateBody is a body stream that is sent after the handler has returned. The request is
// logged with the number of bytes that were sent.
type lateBody interface {
	observe(rq *request, access oplog.Access, logged bool)
}

// observation is what is counted and logged when a late body is closed.
type observation struct {
	server  *Server
	spooled bool // the body comes from the spool

	observed bool // the fields below are set
	shard    int  // for metrics
	logged   bool
	access   oplog.Access
}

// observe has the bytes counted when the body is closed and, with logged, the request
// logged. The body is closed after the handler has returned, so access is copied.
func (o *observation) observe(rq *request, access oplog.Access, logged bool) {
	for _, borrowed := range []*[]byte{&access.ID, &access.Method, &access.Target, &access.Referer, &access.UserAgent} {
		*borrowed = bytes.Clone(*borrowed)
	}
	o.observed, o.shard, o.access, o.logged = true, rq.trace.shard, access, logged
}

// report counts and logs, once.
func (o *observation) report(sent int64, truncated bool) {
	if !o.observed {
		return
	}
	o.observed = false
	o.server.metrics.CountLate(o.shard, sent, o.spooled, truncated)
	if o.logged {
		o.access.Length, o.access.Truncated = sent, truncated
		o.server.log.Access(&o.access)
	}
}
