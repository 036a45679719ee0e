package server

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/batch"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/spool"
)

// A batch is a POST to / with several requests, its parts. They run in one
// transaction. Each part is a request of its own and takes the same steps as a
// request that comes alone, up to its plan, and from its Result on. In between, one
// exec.Transaction runs the plans of all parts.

// isBatch reports whether the request is a batch.
func (rq *request) isBatch() bool {
	if len(rq.head.path) > 1 || !rq.ctx.IsPost() || !rq.snap.config.BatchEnabled {
		return false
	}
	kind, _, _ := bytes.Cut(rq.head.raw.ContentType, []byte(";"))
	return strings.EqualFold(string(bytes.TrimSpace(kind)), batch.MediaType)
}

// batchRun is the state of a batch.
type batchRun struct {
	rq    *request
	parts []*batchPart
	whole exec.Batch

	failed int   // index of the part that failed; -1: none
	why    error // of failed

	references int // resolved since the transaction began
}

// batchPart is a part. As long as plan is nil it is not prepared.
type batchPart struct {
	*batch.Part
	run *batchRun
	rq  *request
	ctx fasthttp.RequestCtx

	exec    exec.Part
	plan    *exec.Runnable
	fill    func(*request, *planner.Plan) (int, error)
	spooled *spool.Body // a large body of the response
}

// batch serves a batch.
func (rq *request) batch() error {
	raw, err := rq.body.Read(func() error { return nil })
	if err == nil {
		err = rq.body.Count(len(raw)) // the parts have copies
	}
	if err != nil {
		return err
	}
	parsed, err := batch.Parse(raw, rq.snap.config.BatchMaxRequests)
	if err != nil {
		return err
	}
	b := &batchRun{rq: rq, failed: -1}
	for _, p := range parsed {
		b.add(p)
	}
	err = b.serve()
	b.release() // not deferred: after a panic the requests are not used again
	return err
}

// serve runs the batch and makes the response.
func (b *batchRun) serve() error {
	rq := b.rq
	if !b.prepare() {
		return b.respondFailure()
	}
	b.whole = exec.Batch{ReadOnly: b.readOnly(), Rollback: rq.rollsBack(), Isolation: preferredIsolation(&rq.ctx.Request.Header)}
	rq.call = exec.Call{Plan: exec.Inspection, LogID: rq.trace.logID, Bookmark: rq.server.nodes != nil}
	if !b.whole.ReadOnly {
		rq.call.Plan = batchOfWrites
	}
	rq.call.Settings[sqlgen.SettingRole] = bytesOf(rq.caller.Role)
	clients.Watch(rq.ctx, rq)
	err := rq.onNode(b.mayReplicate(), func() error { return rq.execution.Transact(rq.snap.rules, &rq.call, b.whole, b.flights) })
	clients.Unwatch(rq.ctx)
	switch {
	case b.failed >= 0:
		return b.respondFailure()
	case err != nil:
		return err
	}
	return b.respond()
}

// batchOfWrites is the plan of a batch that may write.
var batchOfWrites = exec.NewRunnable(&planner.Plan{})

var isolationNames = map[string]pgwire.Isolation{
	"isolation=repeatable-read": pgwire.RepeatableRead, "isolation=serializable": pgwire.Serializable,
}

// preferredIsolation reads the preference that only batches have.
func preferredIsolation(h *fasthttp.RequestHeader) (level pgwire.Isolation) {
	for _, value := range h.PeekAll("Prefer") {
		for item := range bytes.SplitSeq(value, []byte(",")) {
			level = max(level, isolationNames[string(bytes.TrimSpace(item))])
		}
	}
	return level
}

// notInherited are the headers of the batch that are about its own body and response.
// Parts have all others, so that functions see the same client.
var notInherited = []string{"accept", "accept-profile", "content-encoding", "content-length", "content-profile", "content-type", "expect",
	"prefer", "range", "range-unit", "transfer-encoding"}

// add makes the request of a part.
func (b *batchRun) add(p *batch.Part) {
	part := &batchPart{Part: p, run: b, rq: b.rq.server.requests.Get().(*request)}
	remote, _ := b.rq.ctx.RemoteAddr().(net.Addr)
	part.ctx.Init(&fasthttp.Request{}, remote, nil)
	h := &part.ctx.Request.Header
	for key, value := range b.rq.ctx.Request.Header.All() {
		if !slices.ContainsFunc(notInherited, func(name string) bool { return strings.EqualFold(name, string(key)) }) {
			h.AddBytesKV(key, value)
		}
	}
	for _, pair := range p.Headers {
		h.Del(pair[0])
		h.Add(pair[0], pair[1])
	}
	h.SetMethod(p.Method)
	h.SetRequestURI(p.URL)
	b.parts = append(b.parts, part)
}

// prepare makes the plans of the parts without references. It returns false if one
// of them is refused.
func (b *batchRun) prepare() bool {
	for i, part := range b.parts {
		if part.References {
			continue
		}
		if err := part.prepare(); err != nil {
			b.fail(i, err)
			return false
		}
	}
	return true
}

func (b *batchRun) fail(i int, why error) { b.failed, b.why = i, why }

// readOnly reports whether no part can write. The plans of parts with references are
// not known yet.
func (b *batchRun) readOnly() bool {
	for _, part := range b.parts {
		reads := part.Method == fasthttp.MethodGet || part.Method == fasthttp.MethodQuery
		if part.plan != nil {
			reads = part.plan.ReadOnly
		}
		if !reads {
			return false
		}
	}
	return true
}

// mayReplicate reports whether a read replica may run the batch.
func (b *batchRun) mayReplicate() bool {
	if b.rq.server.nodes == nil || !b.whole.ReadOnly || b.whole.Isolation == pgwire.Serializable || b.rq.prefer.Read == header.ReadPrimary {
		return false
	}
	for _, part := range b.parts {
		if part.plan == nil || !part.rq.mayReplicate(part.plan) {
			return false
		}
	}
	return true
}

// prepare takes the steps of a request up to its plan.
func (p *batchPart) prepare() error {
	rq, outer := p.rq, p.run.rq
	p.plan = nil
	p.ctx.Response.Reset()
	p.ctx.Response.Header.SetNoDefaultContentType(true)
	rq.body.Release() // what an earlier run of the transaction has counted
	var raw clients.Head
	if value, ok := p.Header(fasthttp.HeaderContentType); ok {
		raw.ContentType = []byte(value)
	}
	rq.begin(&p.ctx, outer.snap, raw)
	rq.part, rq.caller = p, outer.caller
	body, err := p.ResolveBody(p.lookup, outer.snap.config.ServerMaxBodySize)
	if err != nil {
		return err
	}
	p.ctx.Request.SetBodyRaw(body)
	if body != nil {
		p.ctx.Request.Header.SetContentLength(len(body))
	}
	rq.bookmark = outer.bookmark
	rq.prefer.Reset()
	rq.prefer.HasReplicas = outer.server.nodes != nil
	for _, value := range p.ctx.Request.Header.PeekAll("Prefer") {
		rq.prefer.Add(value, false) // the batch has the end of the transaction
	}
	return rq.serveResource()
}

// prepared takes the plan.
func (p *batchPart) prepared(plan *exec.Runnable, fill func(*request, *planner.Plan) (int, error)) {
	p.plan, p.fill = plan, fill
	p.exec = exec.Part{Execution: p.rq.execution, Call: p.rq.callOf(plan)}
}

// resolveQuery replaces references in the operands and arguments of the query string.
func (p *batchPart) resolveQuery() (err error) {
	if !p.References {
		return nil
	}
	q := &p.rq.query
	lists := map[int32]bool{}
	for i := range q.Filters {
		if f := &q.Filters[i]; f.Op == parser.OpIn {
			lists[f.Slot] = true
		}
	}
	for i := range q.Values {
		if q.Values[i], err = batch.Resolve(q.Values[i], lists[int32(i)], p.lookup); err != nil {
			return &batch.Error{Part: p.ID, Message: err.Error()}
		}
	}
	for i := range q.Args {
		if q.Args[i].Value, err = batch.Resolve(q.Args[i].Value, false, p.lookup); err != nil {
			return &batch.Error{Part: p.ID, Message: err.Error()}
		}
	}
	return nil
}

// lookup finds the value of a reference in the response of an earlier part.
func (p *batchPart) lookup(id, pointer string) ([]byte, error) {
	b := p.run
	if b.references++; b.references > batch.MaxReferences {
		return nil, fmt.Errorf("a batch has at most %d references", batch.MaxReferences)
	}
	for _, part := range b.parts {
		if part == p {
			break
		}
		if part.ID == id {
			if part.spooled != nil {
				return nil, errors.New("the response is too large to refer to")
			}
			return batch.At(part.ctx.Response.Body(), pointer)
		}
	}
	return nil, errors.New("there is no such earlier part")
}

// flights runs the parts. A part that refers to a part of the present flight begins
// another one. It is called again if the transaction has to be run again.
func (b *batchRun) flights(t *exec.Transaction) error {
	b.failed, b.references = -1, 0
	for first := 0; first < len(b.parts); {
		end := first + 1
		if part := b.parts[first]; part.References {
			if err := part.prepare(); err != nil {
				b.fail(first, err)
				return err
			}
		}
		for end < len(b.parts) && !b.parts[end].References {
			end++
		}
		over, err := b.flight(t, first, end)
		if err != nil || over {
			return err
		}
		first = end
	}
	return t.Commit()
}

// flight runs some of the parts and makes their responses.
func (b *batchRun) flight(t *exec.Transaction, first, end int) (over bool, err error) {
	var parts []*exec.Part
	for _, part := range b.parts[first:end] {
		parts = append(parts, &part.exec)
	}
	over, err = t.Run(b.rq.snap.rules, parts, end == len(b.parts))
	failed := t.FailedPart
	for i := 0; err == nil && i < len(parts); i++ {
		if err = b.parts[first+i].respond(); err != nil {
			failed = i
		}
	}
	switch {
	case failed < 0:
	case over && !b.whole.ReadOnly && !b.whole.Rollback:
		err = &exec.DoubtError{Err: err} // code of the database has changed the setting that counts the parts that pass
	default:
		b.fail(first+failed, err)
	}
	return over, err
}

// respond makes the response of the part from its Result.
func (p *batchPart) respond() error {
	p.dropSpooled()
	p.rq.response.code = ""
	p.ctx.Response.Reset()
	p.ctx.Response.Header.SetNoDefaultContentType(true)
	if err := p.exec.Check(); err != nil {
		return err
	}
	if err := p.rq.respond(p.plan.Plan, p.fill); err != nil {
		return err
	}
	if p.rq.response.code != "" { // a range beyond the last row
		return errPartRefused
	}
	return nil
}

// errPartRefused is the error of a part that has a response about it.
var errPartRefused = errors.New("the response of a part is an error")

func (p *batchPart) dropSpooled() {
	if p.spooled != nil {
		_ = p.spooled.Close()
		p.spooled = nil
	}
}

// release gives back the requests of the parts. The response has the spooled bodies by
// then, if there are any.
func (b *batchRun) release() {
	for _, part := range b.parts {
		part.dropSpooled()
		if part.rq.ctx != nil {
			part.rq.end()
		}
		part.rq.part = nil
		b.rq.server.requests.Put(part.rq)
	}
}
