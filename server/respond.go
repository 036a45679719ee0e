package server

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/cors"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/oplog"
	"github.com/fastgrest/fastgrest/server/spool"
)

// response is the state of the response that fasthttp does not keep.
type response struct {
	streamed   int64         // length of a spooled body; -1: the body is not spooled
	noLength   bool          // an empty body is sent without its length, as in PostgREST
	cors       []cors.Header // to be added
	scratch    []byte        // values of headers while they are written; buffer
	code       string        // of the error
	retryAfter int           // problem.retryAfter of the error
}

func (r *response) reset() { *r = response{streamed: -1, cors: r.cors[:0], scratch: r.scratch} }

// respondRead makes the response to a read from its Result.
func (rq *request) respondRead(plan *planner.Plan) error {
	if plan.Explain {
		return rq.respondPlan(plan)
	}
	status := rq.respondRange(plan)
	rq.setContentLocation(plan)
	rq.setContentType(plan.Media)
	rq.setReadPreferences()
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
func (rq *request) respondPlan(plan *planner.Plan) error {
	r := rq.result()
	r.Body.Bytes = rq.ctx.Response.SwapBody(r.Body.Bytes)
	rq.ctx.Response.SkipBody = rq.ctx.IsHead()
	rq.setContentType(plan.Media)
	rq.setVary()
	return nil
}

// respondRange sets Content-Range and returns the status that goes with it. A
// range beyond the last row gets an error object for a body.
func (rq *request) respondRange(plan *planner.Plan) int {
	r := rq.result()
	total, hasTotal := rq.total()
	lower := rq.plan.Top.Lower
	status := rangeStatus(lower, lower+r.Rows-1, total, hasTotal)
	if status == fasthttp.StatusRequestedRangeNotSatisfiable {
		rq.response.code = "PGRST103"
		r.Body.Drop()
		r.Body.Bytes = outOfBounds(lower, strconv.FormatInt(total, 10)).appendJSON(r.Body.Bytes, rq.snap.config.ClientErrorVerbosity)
	}
	rq.response.scratch = appendContentRange(rq.response.scratch[:0], lower, lower+r.Rows-1, total, hasTotal)
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

// setReadPreferences sets Preference-Applied of a read. Some preferences concern
// writes only.
func (rq *request) setReadPreferences() {
	p := rq.prefer
	p.Resolution, p.Representation, p.Missing, p.HasMaxAffected = 0, 0, 0, false
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
	if b := r.Body.Spooled(); b != nil {
		rq.sendSpooled(b)
		return
	}
	r.Body.Bytes = rq.ctx.Response.SwapBody(r.Body.Bytes)
}

// sendSpooled has fasthttp send a spooled body, and close it.
// fasthttp sends it like any other body: responses stay in order, and the
// client's connection can be used again.
func (rq *request) sendSpooled(b *spool.Body) {
	b.For(spool.Client{Conn: clients.Socket(rq.ctx), Patience: rq.snap.config.SpoolSendTimeout})
	rq.response.streamed = b.Size()
	rq.ctx.Response.SetBodyStream(b, int(rq.response.streamed))
}

// setWarning warns of embeds that are referenced by relation name although they
// have an alias.
func (rq *request) setWarning(plan *planner.Plan) {
	if len(plan.LegacyNames) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("299 PostgRESTv" + compatibleVersion + ` "` + oplog.LegacyTargetNamesText + " Update ")
	for i, n := range plan.LegacyNames {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("`" + n.Name + "` to `" + n.Alias + "`")
	}
	b.WriteString(` in query string filters, orders or limits."`)
	rq.ctx.Response.Header.Add("Warning", b.String())
	rq.server.observeLegacyNames(rq, plan)
}

// compatibleVersion is the version of PostgREST whose responses these are.
const compatibleVersion = "16.4"

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

// isHeaderName says whether all of name could be of a token (RFC 9110, 5.6.2).
// An empty name is allowed: PostgREST sends it, and it misleads no proxy.
func isHeaderName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return true
}
