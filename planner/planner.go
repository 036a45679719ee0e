package planner

import (
	"encoding/binary"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// Options are the settings that change plans. They hold for the life of a
// Planner, as its catalog does.
type Options struct {
	MaxRows           int64 // db-max-rows; -1 without one
	Aggregates        bool  // db-aggregates-enabled
	LegacyTargetNames bool  // url-use-legacy-target-names
	ExecutionPlans    bool  // db-plan-enabled
	CacheMaxEntries   int
}

// Request is what a plan depends on. Its byte slices are borrowed from the
// request; nothing of them stays in the plan.
type Request struct {
	Action    Action
	Schema    string
	Target    []byte // relation or routine, decoded
	Query     *parser.Query
	Top       parser.Range // rows of the root: limit=, offset= and Range combined
	Prefer    *header.Prefer
	Accept    []byte // as sent; parsed only when a plan is made
	HasAccept bool

	// Of writes and of calls by POST.
	Columns       [][]byte // keys of the payload, or columns=; sorted
	PayloadObject bool     // the payload is one object, not an array
	ContentType   header.Media

	inline int64 // the root's LIMIT when it may stand in SQL text, else -1; set by AppendKey
}

// Planner makes and keeps the plans for one catalog.
type Planner struct {
	cat    *catalog.Catalog
	opts   Options
	cache  cache
	limits limits
	hints  hints
}

// New returns a Planner over cat.
func New(cat *catalog.Catalog, o Options) *Planner {
	p := &Planner{cat: cat, opts: o}
	p.cache.init(o.CacheMaxEntries)
	return p
}

// Catalog returns the catalog the plans are made against.
func (p *Planner) Catalog() *catalog.Catalog { return p.cat }

// Restrict applies db-max-rows to a range.
func (p *Planner) Restrict(r parser.Range) parser.Range {
	if p.opts.MaxRows < 0 {
		return r
	}
	return r.Restrict(p.opts.MaxRows)
}

// NotFound is the error for a relation that is not in the catalog.
func (p *Planner) NotFound(q catalog.QI) *Error {
	return &Error{Kind: TableNotFound, Schema: q.Schema, Name: q.Name, Suggestion: p.suggestTable(q)}
}

// Stats returns how many plans are kept and how often one had to be made.
func (p *Planner) Stats() (entries, misses int) { return p.cache.stats() }

// AppendKey appends the key of r's plan: everything that can change the plan,
// each part delimited so that different requests cannot write equal keys.
func (p *Planner) AppendKey(dst []byte, r *Request) []byte {
	dst = append(dst, byte(r.Action), byte(r.Prefer.Count))
	if r.Action >= Insert { // fast path: reads
		dst = r.appendPayloadKey(dst)
	}
	dst = appendPart(dst, r.Target)
	dst = appendPart(dst, r.Schema)
	if r.HasAccept {
		dst = append(dst, 'A')
		dst = appendPart(dst, r.Accept)
	} else {
		dst = append(dst, '*')
	}
	r.inline = -1
	top := p.Restrict(r.Top)
	if rows, ok := top.Limit(); ok {
		r.inline = p.limits.inline(rows)
	}
	flags := top.Shape() << 1
	if r.Top.IsAll() {
		flags |= 1 // the total is the page's
	}
	dst = append(dst, flags)
	dst = binary.AppendVarint(dst, r.inline)
	return r.Query.AppendShape(dst)
}

// appendPayloadKey adds what changes the plans of writes and calls only.
func (r *Request) appendPayloadKey(dst []byte) []byte {
	flags := byte(0)
	if r.PayloadObject {
		flags |= 1
	}
	if r.maxAffectedStrict() {
		flags |= 2
	}
	p := r.Prefer
	dst = append(dst, byte(p.Resolution), byte(p.Representation), byte(p.Missing), byte(r.ContentType.Kind), flags)
	dst = binary.AppendUvarint(dst, uint64(len(r.Columns)))
	for _, c := range r.Columns {
		dst = appendPart(dst, c)
	}
	return dst
}

func appendPart[T string | []byte](dst []byte, part T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(part)))
	return append(dst, part...)
}

// Lookup returns the plan kept under key, or nil. It is the fast path: one
// map read, no allocation.
func (p *Planner) Lookup(key []byte) *Plan { return p.cache.get(key) }

// Plan makes the plan for r and keeps it under key.
func (p *Planner) Plan(key []byte, r *Request) (*Plan, error) {
	build := p.build
	switch {
	case r.Action.writes():
		build = p.buildWrite
	case r.Action.calls():
		build = p.buildCall
	}
	plan, err := build(r)
	if err != nil {
		return nil, err
	}
	return p.cache.put(key, plan), nil
}

func (p *Planner) build(r *Request) (*Plan, error) {
	relation := catalog.QI{Schema: r.Schema, Name: string(r.Target)}
	table := p.cat.Tables[relation]
	if table == nil {
		return nil, p.NotFound(relation)
	}
	res := resolver{planner: p, cat: p.cat, opts: &p.opts, query: r.Query, schema: r.Schema, action: r.Action, top: r.Top}
	root, err := res.read(relation)
	if err != nil {
		return nil, err
	}
	root.Limit.Inline = r.inline
	media, body, err := p.negotiate(r, relation, root.HasOnlyStar())
	if err != nil {
		return nil, err
	}
	plan := &Plan{
		Action: r.Action, Schema: r.Schema, Target: relation, Media: media, ReadOnly: true, root: root,
		Singular: media.Kind == header.Object || media.Kind == header.ObjectStripped,
		Total:    p.total(r),
		Explain:  media.Kind == header.Plan,
	}
	p.inspect(plan, root, body)
	if r.Prefer.Count == header.CountPlanned || r.Prefer.Count == header.CountEstimated {
		plan.Estimate = sqlgen.Explain(root)
	}
	if r.Action.head() {
		body.Kind = sqlgen.BodyNone
	}
	// Rows we encode ourselves cost PostgreSQL about half of what a body costs
	// that it aggregates.
	plan.Rows = !plan.Explain && !body.Strip && (body.Kind == sqlgen.BodyArray || body.Kind == sqlgen.BodyObject)
	if plan.Rows {
		plan.Main = sqlgen.Rows(root, plan.Total, nil)
	} else {
		plan.Main = sqlgen.Value(root, plan.Total, body)
	}
	if plan.Explain {
		plan.Main = sqlgen.ExecutionPlan(plan.Main, media)
	}
	return plan, nil
}

// total says how the total number of rows is found. Without limit, offset and
// db-max-rows the page is everything there is.
func (p *Planner) total(r *Request) sqlgen.Total {
	switch {
	case r.Prefer.Count != header.CountExact && r.Prefer.Count != header.CountEstimated:
		return sqlgen.Total{}
	case p.opts.MaxRows < 0 && r.Top.IsAll():
		return sqlgen.Total{Count: sqlgen.CountPage}
	case r.Prefer.Count == header.CountEstimated && p.opts.MaxRows >= 0 && !r.Action.calls():
		// One more than db-max-rows tells that the estimate is needed.
		return sqlgen.Total{Count: sqlgen.CountAtMost, AtMost: p.opts.MaxRows + 1}
	}
	return sqlgen.Total{Count: sqlgen.CountExact}
}
