package server

import (
	"bytes"
	"time"
	"unsafe"

	"github.com/valyala/bytebufferpool"
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/cors"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/metrics"
)

// request is the state of one request, pooled. Buffers keep their memory
// between requests; everything else is set anew by begin.
type request struct {
	server *Server
	ctx    *fasthttp.RequestCtx
	snap   *Snapshot

	identity auth.Identity
	known    bool // identity is set

	// Of the request line, borrowed from fasthttp.
	uri      []byte // path and query, as sent
	path     []byte // of uri
	rawQuery []byte

	rawHead rawHead // borrowed as well

	target   []byte // decoded relation or routine; buffer
	resource resource
	routed   bool // resource and target are set
	schema   int  // position among the exposed schemas
	profiled bool
	streamed int64 // length of the body, if it has been put away; else -1
	noLength bool  // the empty body's length is not said, as PostgREST does not

	bodyRead  bool                       // to its end
	bodyLost  bool                       // nobody knows where the body ends
	chunks    chunks                     // of the body, if it comes in chunks
	body      *bytebufferpool.ByteBuffer // as it came, if it came as a stream; nil: not read
	counted   int64                      // of bodies.memory
	prefer    header.Prefer
	query     parser.Query
	payload   body.Payload
	converted []byte // payload made of another format; buffer
	plan      planner.Request
	key       []byte // of the plan; buffer

	settings  settings
	call      exec.Call
	execution *exec.Execution
	readOnly  bool // what runs only reads

	corsHeaders []cors.Header
	scratch     []byte // values of headers while they are written; buffer
	timing      timing

	shard      int // for metrics; the request's for good
	began      time.Time
	lookup     metrics.Lookup // of the plan
	code       string         // of the error answered with
	retryAfter int            // problem.retryAfter of that error
	id         []byte         // see requestID; buffer

	logIDFunc func() []byte // bound once: a method value allocates
}

// resource is what a path leads to.
type resource uint8

const (
	resourceRoot resource = iota
	resourceRelation
	resourceRoutine
)

func (s *Server) newRequest() any {
	rq := &request{server: s, execution: s.engine.New(), shard: int(s.shards.Add(1))}
	rq.settings.init()
	rq.logIDFunc = rq.logID
	return rq
}

// maxKept is how many bytes a pooled request may keep in one buffer: more than
// nearly every request needs, so that one giant does not pin its memory.
const maxKept = 64 << 10

func (rq *request) begin(ctx *fasthttp.RequestCtx, snap *Snapshot, h rawHead) {
	rq.ctx, rq.snap, rq.rawHead = ctx, snap, h
	rq.identity, rq.known = auth.Identity{}, false
	rq.plan = planner.Request{}
	rq.profiled, rq.noLength, rq.streamed = false, false, -1
	rq.bodyRead, rq.bodyLost, rq.chunks = false, false, chunks{}
	rq.schema = 0
	rq.timing = timing{}
	rq.began, rq.lookup = time.Now(), 0
	rq.code, rq.retryAfter, rq.id = "", 0, rq.id[:0]
	rq.routed = false
	rq.uri = originForm(ctx.Request.Header.RequestURI())
	rq.path, rq.rawQuery = rq.uri, nil
	if i := bytes.IndexByte(rq.uri, '?'); i >= 0 {
		rq.path, rq.rawQuery = rq.uri[:i], rq.uri[i+1:]
	}
}

func (rq *request) end() {
	rq.execution.Reset()
	rq.settings.release()
	rq.query.Reset()
	rq.payload.Reset()
	rq.prefer.Reset()
	for _, b := range [...]*[]byte{&rq.target, &rq.key, &rq.scratch, &rq.converted} {
		if cap(*b) > maxKept {
			*b = nil
		}
	}
	rq.dropBody()
	rq.ctx, rq.snap, rq.uri, rq.path, rq.rawQuery = nil, nil, nil, nil, nil
	rq.rawHead, rq.chunks = rawHead{}, chunks{}
	rq.plan = planner.Request{}
	rq.identity = auth.Identity{}
	rq.corsHeaders = rq.corsHeaders[:0]
	rq.call = exec.Call{}
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

// bytesOf views a string as bytes that nobody may change. It is the only
// unsafe conversion of the package.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
