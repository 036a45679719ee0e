package planner

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// Options are the settings that change plans. They are fixed for the life of a
// Planner, like its catalog.
type Options struct {
	MaxRows           int64 // db-max-rows; -1 if not set
	Aggregates        bool  // db-aggregates-enabled
	LegacyTargetNames bool  // url-use-legacy-target-names
	ExecutionPlans    bool  // db-plan-enabled
	NotISO            bool  // the DateStyle of the session, or of some role, is not ISO
	CacheMaxEntries   int

	// NewState, if set, makes Kept.State once for each plan that is kept.
	NewState func(*Plan) any
}

// Request is what a plan depends on. Its byte slices are borrowed. The plan
// keeps none of them.
type Request struct {
	Action    Action
	Schema    string
	Target    []byte // relation or routine, decoded
	Query     *parser.Query
	Top       parser.Range // rows of the root: limit=, offset= and Range combined
	After     *Position    // of the cursor; nil: none
	Prefer    *header.Prefer
	Accept    []byte // as sent; parsed only when a plan is made
	HasAccept bool

	// Writes, and calls by POST.
	Columns       [][]byte // keys of the payload, or columns=; sorted
	PayloadObject bool     // the payload is one object, not an array
	ContentType   header.Media
	Payload       *body.Payload // of a JSON body; nil if the insert cannot be nested

	nest *nest  // set by Find for a nested insert
	key  []byte // reused buffer of the key
}

// maxKeyKept is the largest capacity of the key's buffer, in bytes, that Reset
// keeps.
const maxKeyKept = 64 << 10

// Reset makes r ready for the next request. It keeps the buffer of the key.
func (r *Request) Reset() {
	key := r.key[:0]
	if cap(key) > maxKeyKept {
		key = nil
	}
	*r = Request{key: key}
}

// checkPreferences refuses preferences under handling=strict: unknown ones, count= where
// the plan cannot count, and params= and page= for other actions than updates and reads of
// relations. They are not in the key of a plan, so they are checked for a cached plan,
// too. p is nil if it has not been made yet.
func (r *Request) checkPreferences(p *Plan) error {
	if r.Prefer.Handling != header.HandlingStrict { // fast path
		return nil
	}
	count := r.refusedCount(p)
	params := r.Prefer.Params == header.MultipleObjects && r.Action != Update
	page := r.Prefer.Page != header.PageNone && !r.Pages()
	if len(r.Prefer.Invalid) == 0 && count == "" && !params && !page {
		return nil
	}
	e := &Error{Kind: InvalidPreferences}
	for _, name := range r.Prefer.Invalid {
		e.Preferences = append(e.Preferences, string(name))
	}
	if count != "" {
		e.Preferences = append(e.Preferences, count)
	}
	if params {
		e.Preferences = append(e.Preferences, "params=multiple-objects")
	}
	if page {
		e.Preferences = append(e.Preferences, "page=cursor")
	}
	return e
}

// Planner makes and caches the plans for one catalog.
type Planner struct {
	cat     *catalog.Catalog
	opts    Options
	cache   cache
	limits  limits
	offsets limits
	hints   hints
}

// New returns a Planner over cat.
func New(cat *catalog.Catalog, o Options) *Planner {
	p := &Planner{cat: cat, opts: o}
	p.cache.init(o.CacheMaxEntries, o.NewState)
	return p
}

// Catalog returns the catalog the plans are made against.
func (p *Planner) Catalog() *catalog.Catalog { return p.cat }

// Restrict applies db-max-rows to a range of the root or of an embed.
func (p *Planner) Restrict(r parser.Range) parser.Range {
	if p.opts.MaxRows < 0 {
		return r.LimitZero(r)
	}
	return r.Restrict(p.opts.MaxRows)
}

// NotFound returns the error for a relation that is not in the catalog.
func (p *Planner) NotFound(q catalog.QI) *Error {
	return &Error{Kind: TableNotFound, Schema: q.Schema, Name: q.Name, Suggestion: p.suggestTable(q)}
}

// NoRoutine returns the error for a call of a routine that is not in the
// catalog, whatever the arguments are.
func (p *Planner) NoRoutine(q catalog.QI) *Error {
	return &Error{Kind: RoutineNotFound, Schema: q.Schema, Name: q.Name, Suggestion: p.suggestRoutine(q)}
}

// Stats returns the number of cached plans, and how often a plan had to be
// made.
func (p *Planner) Stats() (entries, misses int) { return p.cache.stats() }

// Kept is a cached plan with its state.
type Kept struct {
	*Plan
	// State is what Options.NewState has made for the plan, or nil. This
	// package does not use it.
	State any
}

// Find returns the plan for r. hit reports that the plan was in the cache,
// which takes one map lookup and no allocation. Otherwise Find makes the plan.
func (p *Planner) Find(r *Request) (kept *Kept, hit bool, err error) {
	key, inline := p.appendKey(r.key[:0], r)
	r.key = key
	if kept = p.cache.get(key); kept != nil && !kept.nested { // fast path
		return kept, true, r.checkPreferences(kept.Plan)
	}
	if kept != nil || p.nests(r) {
		return p.findNested(r, kept != nil)
	}
	kept, err = p.make(r, inline)
	return kept, false, err
}

// make makes the plan for r and caches it under r.key.
func (p *Planner) make(r *Request, inline inlined) (*Kept, error) {
	build := p.build
	switch {
	case r.Action.Writes():
		build = p.buildWrite
	case r.Action.calls():
		build = p.buildCall
	}
	plan, err := build(r, &inline)
	if err != nil {
		return nil, err
	}
	return p.cache.put(r.key, plan), nil
}

func (p *Planner) build(r *Request, inline *inlined) (*Plan, error) {
	relation := catalog.QI{Schema: r.Schema, Name: string(r.Target)}
	table := p.cat.Tables[relation]
	if table == nil {
		return nil, p.NotFound(relation)
	}
	res := p.resolver(r, inline)
	root, err := res.read(relation)
	if err != nil {
		return nil, err
	}
	if r.Pages() {
		if err := res.page(root, table, r.After); err != nil {
			return nil, err
		}
	}
	media, body, err := p.negotiate(r, relation, root.HasOnlyStar())
	if err != nil {
		return nil, err
	}
	if r.Action.head() && !r.Pages() { // the next page is found by the rows of this one
		body.Kind = sqlgen.BodyNone
	}
	plan := p.plan(r, relation, root, media, body)
	plan.ReadOnly = true
	plan.setLines(r, body)
	if r.Pages() {
		if err := plan.setPage(table); err != nil {
			return nil, err
		}
	}
	if err := r.checkPreferences(plan); err != nil {
		return nil, err
	}
	plan.Total = p.total(r, plan)
	p.inspect(plan, root, plan.convertsRows() && body.Kind != sqlgen.BodyNone)
	plan.Blind = !plan.observes && !plan.UserCode && !plan.PerRole && plan.Leftovers == catalog.NoLeftovers
	switch {
	case plan.Lines == CSVLines:
		plan.Main = sqlgen.Texts(root)
	case plan.Rows:
		plan.addRecords(p.cat)
		plan.Main = sqlgen.Rows(root, plan.Total, nil, nil)
	default:
		plan.Main = sqlgen.Value(root, plan.Total, body)
	}
	if !plan.Uncounted() && (r.Prefer.Count == header.CountPlanned || r.Prefer.Count == header.CountEstimated) {
		plan.Estimate = sqlgen.Estimate(root)
		if plan.Estimate.TooLarge() {
			return nil, errTooLarge
		}
	}
	plan.Mergeable = plan.mergeable()
	return plan, plan.finish()
}

// total says how the total number of rows is found. Without limit, offset and
// db-max-rows, the page has all rows.
func (p *Planner) total(r *Request, plan *Plan) sqlgen.Total {
	switch {
	case plan.Uncounted(), r.Prefer.Count != header.CountExact && r.Prefer.Count != header.CountEstimated:
		return sqlgen.Total{}
	case p.opts.MaxRows < 0 && r.Top.IsAll() && r.After == nil:
		return sqlgen.Total{Count: sqlgen.CountPage}
	case r.Prefer.Count == header.CountEstimated && p.opts.MaxRows >= 0 && !r.Action.calls():
		// One row more than db-max-rows tells that the estimate is needed.
		return sqlgen.Total{Count: sqlgen.CountAtMost, AtMost: p.opts.MaxRows + 1}
	}
	return sqlgen.Total{Count: sqlgen.CountExact}
}
