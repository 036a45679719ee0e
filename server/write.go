package server

import (
	"encoding/json"
	"net/url"
	"strings"

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
	return rq.run((*request).fillWrite)
}

// fillWrite makes the response to a write that has been committed, or rolled back on
// request. See respond.
func (rq *request) fillWrite(plan *planner.Plan) (status int, err error) {
	r := rq.result()
	full := rq.prefer.Representation == header.ReturnFull
	status = fasthttp.StatusNoContent
	if full {
		status = fasthttp.StatusOK
	}
	switch plan.Action {
	case planner.Insert:
		status = rq.insertStatus(plan)
		if plan.Located {
			if err := rq.setLocation(plan); err != nil {
				return 0, err
			}
		}
		rq.setContentRange(1, 0)
	case planner.Upsert:
		if full && r.Inserted > 0 {
			status = fasthttp.StatusCreated
		}
	case planner.Update:
		rq.setContentRange(0, r.Rows-1)
	default:
		rq.setContentRange(1, 0)
	}
	rq.setWritePreferences(plan)
	if full {
		rq.setContentType(plan.Media)
	} else {
		r.Body.Drop()
		rq.response.noLength = plan.Action != planner.Insert
	}
	return status, nil
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
	var conditions []string
	for _, pair := range key {
		value := "is.null"
		if pair[1] != nil {
			value = "eq." + queryEscape(*pair[1])
		}
		conditions = append(conditions, queryEscape(*pair[0])+"="+value)
	}
	if len(key) > 0 {
		rq.ctx.Response.Header.Set(fasthttp.HeaderLocation, "/"+plan.Target.Name+"?"+strings.Join(conditions, "&"))
	}
	return nil
}

// queryEscape percent-encodes all but RFC 3986's unreserved characters.
func queryEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

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
	rq.setApplied(&p)
}
