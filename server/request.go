package server

import (
	"bytes"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/cursor"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/metrics"
	"github.com/fastgrest/fastgrest/server/nodes"
)

// request is the state of one request, pooled. Buffers keep their memory
// between requests; everything else is set anew by begin.
type request struct {
	server *Server
	ctx    *fasthttp.RequestCtx
	snap   *Snapshot

	// What the client sent.
	head   head
	caller caller
	target target

	body     clients.Body
	prefer   header.Prefer
	query    parser.Query
	after    []cursor.Value // that the page follows
	payload  payload
	plan     planner.Request
	settings settings

	bookmark nodes.Position // zero: none

	// What is run.
	call      exec.Call
	execution *exec.Execution

	// What is sent.
	response response

	timing timing
	trace  trace

	part *batchPart // nil, unless the request is a part of a batch
}

// head has parts of the request line and of the header lines, borrowed from
// fasthttp.
type head struct {
	uri      []byte // path and query, as sent
	path     []byte // of uri
	rawQuery []byte // of uri
	raw      clients.Head
}

func (h *head) set(uri []byte, raw clients.Head) {
	h.uri, h.raw = originForm(uri), raw
	h.path, h.rawQuery = h.uri, nil
	if i := bytes.IndexByte(h.uri, '?'); i >= 0 {
		h.path, h.rawQuery = h.uri[:i], h.uri[i+1:]
	}
}

// caller is the identity of the client.
type caller struct {
	auth.Identity
	known bool // Identity is set
}

// payload is the parsed body of the request.
type payload struct {
	body.Payload
	converted []byte // made of a body in another format than JSON, or of a QUERY's; buffer
	lines     *lines // of a body that is longer than a piece; nil: converted has all
}

// trace is the state that the log and the metrics need in addition to the response.
type trace struct {
	shard  int            // for metrics; stays for the life of the request object
	began  time.Time      // when the request was read
	lookup metrics.Lookup // of the plan
	node   *nodes.Node    // that runs the request; nil: not chosen, or without read replicas
	id     []byte         // see requestID; buffer
	logID  func() []byte  // request.logID, bound once: a method value allocates
}

func (s *Server) newRequest() any {
	rq := &request{server: s, execution: s.engine.New()}
	rq.settings.init()
	rq.trace.shard, rq.trace.logID = int(s.shards.Add(1)), rq.logID
	return rq
}

func (rq *request) begin(ctx *fasthttp.RequestCtx, snap *Snapshot, raw clients.Head) {
	rq.ctx, rq.snap = ctx, snap
	rq.head.set(ctx.Request.Header.RequestURI(), raw)
	rq.caller = caller{}
	rq.target.reset()
	rq.body.Begin(ctx, &rq.server.bodies, clients.Limits{Body: snap.config.ServerMaxBodySize, Bodies: int64(snap.config.BodiesMaxSize) << 20})
	rq.plan.Reset()
	rq.after = nil
	rq.response.reset()
	rq.timing = timing{}
	rq.trace.began, rq.trace.lookup, rq.trace.id = time.Now(), 0, rq.trace.id[:0]
	rq.overrideMethod()
}

func (rq *request) end() {
	rq.leaveNode()
	rq.execution.Reset()
	rq.settings.release()
	rq.query.Reset()
	rq.after = nil
	rq.payload.Reset()
	rq.payload.lines = nil
	rq.prefer.Reset()
	exec.DropLarge(&rq.target.name, &rq.response.scratch, &rq.payload.converted)
	rq.body.Release()
	rq.ctx, rq.snap = nil, nil
	rq.head = head{}
	rq.plan.Reset()
	rq.call = exec.Call{}
	rq.caller = caller{}
}

// header returns the first value of a request header, nil without one.
func (rq *request) header(name string) []byte { return rq.ctx.Request.Header.Peek(name) }

// method returns the request's method, borrowed.
func (rq *request) method() []byte { return rq.ctx.Request.Header.Method() }

// timing is how long the parts of a request took, for Server-Timing.
type timing struct {
	last                                    time.Time
	jwt, parse, plan, transaction, response time.Duration
}

// lap returns the time since the last lap. It costs nothing unless
// server-timing-enabled is set.
func (rq *request) lap() time.Duration {
	if !rq.snap.config.ServerTimingEnabled {
		return 0
	}
	now := time.Now()
	d := now.Sub(rq.timing.last)
	rq.timing.last = now
	return d
}

// bytesOf views a string as bytes that must not be changed. It is the only
// unsafe conversion of the package.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
