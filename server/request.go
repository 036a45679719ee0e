package server

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"
	"unsafe"

	"github.com/valyala/bytebufferpool"
	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/cookies"
	"github.com/fastgrest/fastgrest/server/cors"
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

	headers     []requestHeader
	headerOrder []int  // of headers by name; buffer
	headersJSON []byte // request.headers; buffer
	cookiesJSON []byte // request.cookies; buffer
	numbers     []byte // limits and offsets as text; buffer
	flight      pgwire.Flight

	interest interest // of the client

	result result

	statements []string // of the last flight, for log-query

	corsHeaders []cors.Header
	scratch     []byte // values of headers while they are written; buffer
	timing      timing

	shard      int // for metrics; the request's for good
	effort     effort
	code       string // of the error answered with
	retryAfter int    // problem.retryAfter of that error
	id         []byte // see requestID; buffer

	addHeader func(name, value []byte) // bound once: a method value allocates
}

// resource is what a path leads to.
type resource uint8

const (
	resourceRoot resource = iota
	resourceRelation
	resourceRoutine
)

func (s *Server) newRequest() any {
	rq := &request{server: s, interest: interest{Context: context.Background()}, shard: int(s.shards.Add(1))}
	rq.addHeader = rq.addRequestHeader
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
	rq.effort = effort{began: time.Now()}
	rq.code, rq.retryAfter, rq.id = "", 0, rq.id[:0]
	rq.routed = false
	rq.uri = originForm(ctx.Request.Header.RequestURI())
	rq.path, rq.rawQuery = rq.uri, nil
	if i := bytes.IndexByte(rq.uri, '?'); i >= 0 {
		rq.path, rq.rawQuery = rq.uri[:i], rq.uri[i+1:]
	}
}

func (rq *request) end() {
	rq.flight.Reset()
	rq.query.Reset()
	rq.payload.Reset()
	rq.prefer.Reset()
	for _, b := range [...]*[]byte{&rq.target, &rq.key, &rq.headersJSON, &rq.cookiesJSON, &rq.numbers, &rq.scratch, &rq.converted, &rq.result.headers, &rq.result.status} {
		if cap(*b) > maxKept {
			*b = nil
		}
	}
	rq.result.dropBody()
	if cap(rq.result.body) > 4*maxKept {
		rq.result.body = nil
	}
	rq.dropBody()
	rq.ctx, rq.snap, rq.uri, rq.path, rq.rawQuery = nil, nil, nil, nil, nil
	rq.rawHead, rq.chunks = rawHead{}, chunks{}
	rq.plan = planner.Request{}
	rq.identity = auth.Identity{}
	rq.corsHeaders = rq.corsHeaders[:0]
	clear(rq.headers)
	rq.result.plan, rq.result.prepared = nil, nil
	clear(rq.statements)
	rq.statements = rq.statements[:0]
}

// header returns the first value of a request header, nil without one.
func (rq *request) header(name string) []byte { return rq.ctx.Request.Header.Peek(name) }

// buildSettings renders the request for request.headers and request.cookies.
func (rq *request) buildSettings() {
	// Cookies first: visiting all headers has fasthttp rewrite them.
	rq.cookiesJSON = cookies.AppendJSON(rq.cookiesJSON[:0], rq.header(fasthttp.HeaderCookie))
	rq.headers = rq.headers[:0]
	rq.ctx.Request.Header.VisitAll(rq.addHeader)
	rq.supersede()
	dst := append(rq.headersJSON[:0], '{')
	for i := range rq.headers {
		if h := &rq.headers[i]; !h.superseded {
			if len(dst) > 1 {
				dst = append(dst, ',')
			}
			dst = appendFolded(dst, h.name)
			dst = append(dst, ':')
			dst = jsontext.AppendString(dst, h.value)
		}
	}
	rq.headersJSON = append(dst, '}')
}

// requestHeader is one header of the request, borrowed.
type requestHeader struct {
	name, value []byte
	superseded  bool // by a later one of the same name
}

// addRequestHeader notes one header for request.headers.
func (rq *request) addRequestHeader(name, value []byte) {
	if string(name) != fasthttp.HeaderCookie {
		rq.headers = append(rq.headers, requestHeader{name: name, value: value})
	}
}

// fewHeaders are compared with each other. More of them are sorted.
const fewHeaders = 24

// supersede marks the headers behind which there is another one of the same name.
func (rq *request) supersede() {
	all := rq.headers
	if len(all) <= fewHeaders {
		for i := range all {
			for j := i + 1; j < len(all) && !all[i].superseded; j++ {
				all[i].superseded = bytes.Equal(all[i].name, all[j].name)
			}
		}
		return
	}
	order := rq.headerOrder[:0]
	for i := range all {
		order = append(order, i)
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(bytes.Compare(all[i].name, all[j].name), cmp.Compare(i, j)) })
	for k := 1; k < len(order); k++ {
		before := &all[order[k-1]]
		before.superseded = bytes.Equal(before.name, all[order[k]].name)
	}
	rq.headerOrder = order
}

// appendFolded appends a header's name as a JSON string, in lower case.
func appendFolded(dst, name []byte) []byte {
	start := len(dst)
	dst = jsontext.AppendString(dst, name)
	for i := start; i < len(dst); i++ {
		if c := dst[i]; 'A' <= c && c <= 'Z' {
			dst[i] = c + 'a' - 'A'
		}
	}
	return dst
}

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
