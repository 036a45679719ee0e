package server

import (
	"encoding/json"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
)

// write serves POST, PUT, PATCH and DELETE of a relation.
func (rq *request) write() error {
	if err := rq.parseQuery(parser.ModeRelation); err != nil {
		return err
	}
	if err := rq.readPayload(); err != nil {
		return err
	}
	return rq.run((*request).respondWrite)
}

// respondWrite makes the response to a write that has been committed, or rolled
// back on request.
func (rq *request) respondWrite(plan *planner.Plan) error {
	if plan.Explain {
		return rq.respondPlan(plan)
	}
	r := rq.result()
	resp := &rq.ctx.Response
	full := rq.prefer.Representation == header.ReturnFull
	status := fasthttp.StatusNoContent
	switch {
	case plan.Action == planner.Insert:
		status = rq.insertStatus(plan)
		if plan.Located {
			if err := rq.setLocation(plan); err != nil {
				return err
			}
		}
		rq.setContentRange(1, 0)
	case plan.Action == planner.Upsert:
		if full {
			status = fasthttp.StatusOK
			if r.Inserted > 0 {
				status = fasthttp.StatusCreated
			}
		}
	case plan.Action == planner.Update:
		rq.setContentRange(0, r.Rows-1)
	default:
		rq.setContentRange(1, 0)
	}
	if full && plan.Action != planner.Insert && plan.Action != planner.Upsert {
		status = fasthttp.StatusOK
	}
	rq.setWritePreferences(plan)
	resp.SetStatusCode(status)
	if full {
		rq.setContentType(plan.Media)
	} else {
		r.Body.Drop()
		rq.response.noLength = plan.Action != planner.Insert
	}
	rq.setBody()
	if err := rq.applyResponseSettings(); err != nil {
		return err
	}
	rq.setWarning(plan)
	rq.setVary()
	return nil
}

// insertStatus is 201, unless a merge had nothing to insert.
func (rq *request) insertStatus(plan *planner.Plan) int {
	if plan.Merge && (!rq.result().HasInserted || rq.result().Inserted <= 0) {
		return fasthttp.StatusOK
	}
	return fasthttp.StatusCreated
}

// setContentRange of a write has a total only if one was asked for.
func (rq *request) setContentRange(lower, upper int64) {
	counted := rq.prefer.Count == header.CountExact || rq.prefer.Count == header.CountEstimated
	rq.response.scratch = appendContentRange(rq.response.scratch[:0], lower, upper, rq.result().Rows, counted)
	rq.ctx.Response.Header.SetCanonical(headerContentRange, rq.response.scratch)
}

// setLocation points at the inserted row by its primary key.
func (rq *request) setLocation(plan *planner.Plan) error {
	r := rq.result()
	if len(r.Body.Bytes) == 0 {
		return nil // no row, or several
	}
	var key [][2]*string
	if err := json.Unmarshal(r.Body.Bytes, &key); err != nil {
		return err
	}
	dst := append(rq.response.scratch[:0], '/')
	dst = append(dst, plan.Target.Name...)
	for i, pair := range key {
		if i == 0 {
			dst = append(dst, '?')
		} else {
			dst = append(dst, '&')
		}
		dst = appendQueryEscaped(dst, *pair[0])
		dst = append(dst, '=')
		if pair[1] == nil {
			dst = append(dst, "is.null"...)
		} else {
			dst = appendQueryEscaped(append(dst, "eq."...), *pair[1])
		}
	}
	rq.response.scratch = dst
	if len(key) > 0 {
		rq.ctx.Response.Header.SetCanonical(headerLocation, dst)
	}
	return nil
}

var headerLocation = []byte("Location")

// appendQueryEscaped percent-encodes all but RFC 3986's unreserved characters.
func appendQueryEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// setWritePreferences sets Preference-Applied of a write.
func (rq *request) setWritePreferences(plan *planner.Plan) {
	p := rq.prefer
	if plan.Action != planner.Insert || len(plan.Key) == 0 && !rq.query.HasOnConflict {
		p.Resolution = header.ResolutionNone
	}
	if plan.Action != planner.Insert && plan.Action != planner.Update {
		p.Missing = header.MissingNone
	}
	if plan.Action != planner.Update && plan.Action != planner.Delete {
		p.HasMaxAffected = false
	}
	rq.response.scratch = p.AppendApplied(rq.response.scratch[:0])
	if len(rq.response.scratch) > 0 {
		rq.ctx.Response.Header.SetCanonical(headerPreferenceApplied, rq.response.scratch)
	}
}
