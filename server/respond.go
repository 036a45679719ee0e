package server

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// response is the state of the response that fasthttp does not keep.
type response struct {
	running    *streamedBody // the call runs, and its rows are the body; else nil
	spooled    int64         // length of a spooled body; -1: the body is not spooled
	noLength   bool          // an empty body is sent without its length, as in PostgREST
	scratch    []byte        // values of headers while they are written; buffer
	code       string        // of the error
	linked     bool          // there is a link to the next page
	retryAfter int           // problem.retryAfter of the error
}

func (r *response) reset() { *r = response{spooled: -1, scratch: r.scratch} }

// respond makes the response from the Result. fill sets what differs between reads,
// writes and calls, and returns the status.
func (rq *request) respond(plan *planner.Plan, fill func(*request, *planner.Plan) (status int, err error)) error {
	if plan.Explain {
		rq.respondPlan(plan)
		return nil
	}
	status, err := fill(rq, plan)
	if err != nil {
		return err
	}
	rq.ctx.Response.SetStatusCode(status)
	rq.setBody()
	if err := rq.applyResponseSettings(); err != nil {
		return err
	}
	rq.setWarning(plan)
	rq.setVary()
	return nil
}

// respondPlan makes an execution plan the response.
func (rq *request) respondPlan(plan *planner.Plan) {
	r := rq.result()
	r.Body.Bytes = rq.ctx.Response.SwapBody(r.Body.Bytes)
	rq.ctx.Response.SkipBody = rq.ctx.IsHead()
	rq.setContentType(plan.Media)
	rq.setVary()
}

// fillRead makes the response to a read. See respond.
func (rq *request) fillRead(plan *planner.Plan) (status int, err error) {
	status = rq.respondRange(plan)
	if plan.Paged {
		if err := rq.setNext(plan); err != nil {
			return 0, err
		}
	}
	if !rq.isQuery() {
		rq.setContentLocation(plan)
	}
	rq.setContentType(plan.Media)
	p := rq.prefer
	p.Resolution, p.Representation, p.Missing, p.HasMaxAffected = 0, 0, 0, false // of writes
	rq.setApplied(&p)
	return status, nil
}

// respondRange sets Content-Range and returns the status that goes with it. A
// range beyond the last row gets an error object for a body.
func (rq *request) respondRange(plan *planner.Plan) int {
	if plan.Uncounted() {
		return fasthttp.StatusOK
	}
	r := rq.result()
	total, hasTotal := rq.total()
	lower := rq.plan.Top.Lower
	status := rangeStatus(lower, lower+r.Rows-1, total, hasTotal)
	if status == fasthttp.StatusRequestedRangeNotSatisfiable {
		rq.response.code = "PGRST103"
		r.Body.Drop()
		r.Body.Bytes = outOfBounds(lower, strconv.FormatInt(total, 10)).appendJSON(r.Body.Bytes, rq.snap.config.ClientErrorVerbosity)
	}
	upper := lower + r.Rows - 1
	if rq.plan.After != nil {
		upper = lower - 1 // the position of the page is not known
	}
	rq.response.scratch = appendContentRange(rq.response.scratch[:0], lower, upper, total, hasTotal)
	rq.ctx.Response.Header.SetCanonical(headerContentRange, rq.response.scratch)
	return status
}

// total is the number of rows the client asked to be counted or estimated.
func (rq *request) total() (int64, bool) {
	r := rq.result()
	if rq.plan.Action >= planner.Insert {
		return r.Total, r.HasTotal // estimates are for relations
	}
	switch rq.prefer.Count {
	case header.CountPlanned:
		return r.Estimate, true
	case header.CountEstimated:
		if r.HasTotal && r.Total > rq.snap.config.DBMaxRows {
			return max(r.Total, r.Estimate), true
		}
	}
	return r.Total, r.HasTotal
}

var (
	headerContentRange      = []byte("Content-Range")
	headerContentLocation   = []byte("Content-Location")
	headerContentProfile    = []byte("Content-Profile")
	headerPreferenceApplied = []byte("Preference-Applied")
	headerVary              = []byte("Vary")
	varyValue               = []byte("Accept, Prefer, Range")
)

func (rq *request) setVary() {
	if !rq.result().HasHeaders || len(rq.ctx.Response.Header.PeekBytes(headerVary)) == 0 {
		rq.ctx.Response.Header.SetCanonical(headerVary, varyValue)
	}
}

// setContentLocation sets Content-Location: the relation and the query string in
// PostgREST's canonical form.
func (rq *request) setContentLocation(plan *planner.Plan) {
	dst := append(rq.response.scratch[:0], '/')
	dst = append(dst, plan.Target.Name...)
	n := len(dst)
	dst = append(dst, '?')
	if dst = rq.query.AppendCanonical(dst); len(dst) == n+1 {
		dst = dst[:n]
	}
	rq.response.scratch = dst
	rq.ctx.Response.Header.SetCanonical(headerContentLocation, dst)
}

func (rq *request) setContentType(m header.Media) {
	h := &rq.ctx.Response.Header
	if m.Kind == header.JSON { // fast path
		h.SetContentTypeBytes(jsonType)
	} else {
		rq.response.scratch = m.AppendContentType(rq.response.scratch[:0])
		h.SetContentTypeBytes(rq.response.scratch)
	}
	if rq.target.profiled {
		h.SetCanonical(headerContentProfile, bytesOf(rq.schemaName()))
	}
}

var jsonType = []byte("application/json; charset=utf-8")

// setApplied sets Preference-Applied.
func (rq *request) setApplied(p *header.Prefer) {
	rq.response.scratch = p.AppendApplied(rq.response.scratch[:0])
	if len(rq.response.scratch) > 0 {
		rq.ctx.Response.Header.SetCanonical(headerPreferenceApplied, rq.response.scratch)
	}
}

// setBody hands the body over to fasthttp and takes the buffer of an earlier
// response for the next one.
func (rq *request) setBody() {
	r := rq.result()
	if rq.ctx.IsHead() {
		// Without a body fasthttp sends no length, like PostgREST.
		rq.ctx.Response.SkipBody = true
		r.Body.Drop()
	}
	if b := rq.response.running; b != nil {
		rq.ctx.Response.SetBodyStream(b, -1)
		return
	}
	if b := r.Body.Spooled(); b != nil {
		if rq.part != nil {
			rq.part.spooled = b
			return
		}
		rq.sendSpooled(b)
		return
	}
	r.Body.Bytes = rq.ctx.Response.SwapBody(r.Body.Bytes)
}

// setWarning warns the client and the log of embeds that are referenced by relation
// name although they have an alias.
func (rq *request) setWarning(plan *planner.Plan) {
	if len(plan.LegacyNames) == 0 {
		return
	}
	var replacements [][2]string
	var updates []string
	for _, n := range plan.LegacyNames {
		replacements = append(replacements, [2]string{n.Name, n.Alias})
		updates = append(updates, "`"+n.Name+"` to `"+n.Alias+"`")
	}
	rq.ctx.Response.Header.Add("Warning", "299 PostgRESTv"+CompatibleVersion+` "`+oplog.LegacyTargetNamesText+
		" Update "+strings.Join(updates, ", ")+` in query string filters, orders or limits."`)
	rq.server.log.LegacyTargetNames(replacements, string(rq.method()), string(rq.head.uri))
}

// CompatibleVersion is the version of PostgREST whose responses these are.
const CompatibleVersion = "16.4"

// applyResponseSettings lets response.status and response.headers, set by user
// code during the transaction, override status and headers.
func (rq *request) applyResponseSettings() error {
	r := rq.result()
	if !r.HasHeaders && !r.HasStatus {
		return nil
	}
	status, err := decodeStatus(r)
	if err != nil {
		return err
	}
	headers, err := decodeHeaders(r)
	if err != nil {
		return err
	}
	resp := &rq.ctx.Response
	if status > 0 {
		resp.SetStatusCode(status)
		setReason(&resp.Header, status, "")
	}
	resp.Header.DisableNormalizing()
	for _, h := range headers {
		delHeader(&resp.Header, h[0])
	}
	for _, h := range headers {
		resp.Header.Add(h[0], h[1])
	}
	return nil
}

// delHeader deletes a header whatever the case of its name.
func delHeader(h *fasthttp.ResponseHeader, name string) {
	for _, key := range h.PeekKeys() {
		if strings.EqualFold(string(key), name) {
			h.DelBytes(key)
		}
	}
}

func decodeStatus(r *exec.Result) (int, error) {
	if !r.HasStatus {
		return 0, nil
	}
	digits := 0
	for digits < len(r.Status) && digits < 9 && '0' <= r.Status[digits] && r.Status[digits] <= '9' {
		digits++
	}
	n, err := strconv.Atoi(string(r.Status[:digits]))
	if err != nil || !isStatus(n) {
		return 0, errStatusSetting
	}
	return n, nil
}

// decodeHeaders reads [{"Name": "value"}, ...]. Names that HTTP does not know
// are refused: a proxy may read "Content-Length " as a second Content-Length.
func decodeHeaders(r *exec.Result) ([][2]string, error) {
	if !r.HasHeaders {
		return nil, nil
	}
	var list []map[string]any
	if json.Unmarshal(r.Headers, &list) != nil || list == nil {
		return nil, errHeadersSetting
	}
	out := make([][2]string, 0, len(list))
	for _, object := range list {
		if len(object) != 1 {
			return nil, errHeadersSetting
		}
		for name, value := range object {
			text, ok := value.(string)
			if !ok || !isHeaderName(name) {
				return nil, errHeadersSetting
			}
			out = append(out, [2]string{name, text})
		}
	}
	return out, nil
}

// isHeaderName reports whether name has only characters of a token (RFC 9110, 5.6.2).
// An empty name is allowed: PostgREST sends it, and it misleads no proxy.
func isHeaderName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return true
}
