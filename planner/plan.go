package planner

import (
	"fmt"
	"slices"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Action is what a request does with its target.
type Action uint8

const (
	Read     Action = iota // GET of a relation
	ReadHead               // HEAD of a relation
	Insert
	Update
	Upsert // PUT
	Delete
	CallGet
	CallHead
	CallPost
)

// Writes reports whether the action is a write to a relation.
func (a Action) Writes() bool { return a >= Insert && a <= Delete }

func (a Action) calls() bool { return a >= CallGet }
func (a Action) head() bool  { return a == ReadHead || a == CallHead }

// Plan is everything about a request that its shape decides. It is immutable.
// All requests of the shape share it.
type Plan struct {
	Action Action
	Schema string
	Target catalog.QI // relation or routine

	// Main is the statement that returns the rows of the response.
	//
	// If Rows is set, its columns are those of the page (with sqlgen.RowsPrefix
	// more before them if Total is counted), and the server encodes the rows.
	// Otherwise it returns one row: total, number of rows of the page,
	// response.headers, response.status, body.
	Main  sqlgen.Statement
	Rows  bool
	Total sqlgen.Total
	Lines LineFormat // of the rows

	// Lead are the statements of a nested insert that come before Main. They return
	// nothing of use.
	Lead []sqlgen.Statement

	// Estimate, if it has SQL, is the EXPLAIN of the row count for
	// count=planned and count=estimated.
	Estimate sqlgen.Statement

	// Explain: the response is Main's execution plan.
	Explain bool

	Media    header.Media
	Handled  bool // a media type handler makes the body
	Singular bool // exactly one row, else 406

	// ReadOnly: the transaction is read only.
	ReadOnly bool
	// UserCode: the statement may run functions of the database's owners, which
	// may set response.headers and response.status.
	UserCode bool
	// BodyCode: a form whose body PostgreSQL computes may run such functions.
	BodyCode bool
	// Leftovers is what running the statement may leave in the session.
	Leftovers catalog.Leftovers
	// Blind: nothing that the statement runs can read settings of the request. Only
	// reads that run no code of the database's owners are blind.
	Blind bool
	// PerRole: prepared statements of this plan must not be shared between
	// roles (row level security makes PostgreSQL plan them again).
	PerRole bool

	// Calls.
	Routine   *catalog.Routine
	One       bool   // the routine returns one row, not a set
	Scalar    bool   // the body holds values, not objects with one key
	Void      bool   // the routine returns void
	Isolation string // level that the routine asks for, or ""
	Settings  string // statement that applies the settings of the routine, or ""

	// Writes.
	Tagged  bool     // Main returns no rows; the command tag has the number of rows
	Located bool     // Main is a sqlgen.WriteLocated: it returns the key of the inserted row
	Merge   bool     // sqlgen.InsertedSetting holds the number of inserted rows
	Key     []string // primary key of the table
	Bulk    bool     // a bulk update: Main raises sqlgen.KeyMissing or sqlgen.KeyRepeated

	// LegacyNames are embeds that filters, orders or ranges name by their
	// relation although they have an alias.
	LegacyNames []LegacyName

	// Records are the embeds that can be returned as records.
	Records sqlgen.Records
	// NotISO: the session may print dates in another style than ISO.
	NotISO bool

	// Paged: the response is a page with a cursor. Its rows begin, behind the prefix of a
	// counted total, with the values of the cursor: Keys, 0 if there is only one page.
	Paged       bool
	Keys        int
	Fingerprint uint64 // of relation and order

	// Mergeable: the statement may run once for several requests with equal settings.
	Mergeable bool

	observes bool // see Blind
	views    bool // reads views

	body  sqlgen.Body
	root  *tree.Node
	write *tree.Write
	call  *tree.Call

	nested bool // only says that the insert is nested, see nested.go

	// Of a nested insert:
	writes []*tree.Write
	places []string                                // of the rows of each statement in Lead
	reread func(body sqlgen.Body) sqlgen.Statement // prints Main
}

// SelectsStar reports whether the rows have all columns of the target.
func (p *Plan) SelectsStar() bool { return p.root.SelectsStar() }

// Embeds returns the embeds of the rows. Their addresses are keys of Records.
func (p *Plan) Embeds() []tree.Embed { return p.root.Embeds }

// equal reports whether two plans with the same Main.SQL are equal in
// everything else. The trees are not compared: a statement printed from them
// later only wraps the same text.
func (p *Plan) equal(q *Plan) bool {
	return p.Action == q.Action && p.Schema == q.Schema && p.Target == q.Target &&
		slices.Equal(p.Main.Args, q.Main.Args) && slices.Equal(p.Main.Names, q.Main.Names) &&
		p.Estimate.SQL == q.Estimate.SQL && slices.Equal(p.Estimate.Args, q.Estimate.Args) &&
		p.Rows == q.Rows && p.Total == q.Total && p.Lines == q.Lines && p.Explain == q.Explain && p.Media == q.Media && p.Handled == q.Handled && p.Singular == q.Singular &&
		p.ReadOnly == q.ReadOnly && p.UserCode == q.UserCode && p.BodyCode == q.BodyCode && p.Leftovers == q.Leftovers && p.Blind == q.Blind && p.Mergeable == q.Mergeable && p.PerRole == q.PerRole && p.NotISO == q.NotISO &&
		slices.EqualFunc(p.Lead, q.Lead, func(a, b sqlgen.Statement) bool { return a.SQL == b.SQL }) && slices.Equal(p.places, q.places) && p.nested == q.nested &&
		p.Paged == q.Paged && p.Keys == q.Keys && p.Fingerprint == q.Fingerprint &&
		p.Routine == q.Routine && p.Tagged == q.Tagged && p.Located == q.Located && p.Merge == q.Merge && p.Bulk == q.Bulk &&
		slices.Equal(p.LegacyNames, q.LegacyNames)
}

// plan makes the parts of a plan that all actions have.
func (p *Planner) plan(r *Request, target catalog.QI, root *tree.Node, media header.Media, body sqlgen.Body) *Plan {
	plan := &Plan{
		Action: r.Action, Schema: r.Schema, Target: target, Media: media, body: body, root: root,
		Singular: media.Kind == header.Object || media.Kind == header.ObjectStripped,
		Explain:  media.Kind == header.Plan,
		NotISO:   p.opts.NotISO,

		Leftovers: p.cat.Ambient,
		observes:  p.cat.Observes,
	}
	// Rows that the server encodes cost PostgreSQL about half of a body that it
	// aggregates.
	plan.Rows = !plan.Explain && !body.Strip && (body.Kind == sqlgen.BodyArray || body.Kind == sqlgen.BodyObject)
	p.handled(plan, body)
	return plan
}

// finish refuses a statement that is too large. If the client wants the
// execution plan, it turns Main into its EXPLAIN.
func (p *Plan) finish() error {
	if p.Main.TooLarge() {
		return errTooLarge
	}
	if p.Explain {
		p.Main = sqlgen.ExecutionPlan(p.Main, p.Media)
	}
	return nil
}

var errTooLarge = &parser.Error{
	Message: "the SQL statement of the request is too large",
	Details: fmt.Sprintf("at most %d bytes of SQL and %d operands are allowed", sqlgen.MaxLength, sqlgen.MaxArgs),
}

// Replicable reports whether a read replica can run the statement. A volatile function
// may do more than read, also in a transaction that is read only: it may take a lock.
func (p *Plan) Replicable() bool {
	return p.ReadOnly && (p.Routine == nil || p.Routine.Volatility != catalog.Volatile)
}

// LegacyName is an embed named by its relation instead of its alias.
type LegacyName struct{ Name, Alias string }

// MakesJSON reports whether the body is JSON that PostgreSQL or the server has made.
func (p *Plan) MakesJSON() bool {
	switch p.Media.Kind {
	case header.JSON, header.GeoJSON, header.ArrayStripped, header.Object, header.ObjectStripped:
		return !p.Handled
	}
	return false
}

// JSONColumns names the columns that are json although the response has the
// text of jsonb.
func (p *Plan) JSONColumns() []string {
	if !p.ReadOnly {
		return nil
	}
	return sqlgen.JSONColumns(p.root)
}

// addRecords finds the embeds that can be returned as records.
func (p *Plan) addRecords(cat *catalog.Catalog) {
	if len(p.JSONColumns()) > 0 {
		r := recorder{tables: cat.Tables, notISO: p.NotISO, records: sqlgen.Records{}}
		r.add(p.root)
		p.Records = r.records
	}
}

// Convert prints the statement of a Rows plan again. In it, PostgreSQL converts
// the columns marked in c to JSON, and returns the embeds in records as
// records. Both may be nil.
func (p *Plan) Convert(c *sqlgen.Columns, records sqlgen.Records) *sqlgen.Statement {
	var s sqlgen.Statement
	switch {
	case p.write != nil:
		s = sqlgen.WriteRows(p.write, p.root, c)
	case p.call != nil:
		s = sqlgen.CallRows(p.call, p.root, p.Total, c, records, !p.ReadOnly)
	default:
		s = sqlgen.Rows(p.root, p.Total, c, records)
	}
	return &s
}

// Aggregated prints the statement of a Rows plan in the form whose body
// PostgreSQL computes. It serves pages with several columns of one name.
func (p *Plan) Aggregated() *sqlgen.Statement { return p.value(p.body) }

// Tallied prints the statement in the form whose result is one row, and which also keeps
// the numbers of that row in settings, where sqlgen.TakeTally finds them.
func (p *Plan) Tallied() *sqlgen.Statement {
	body := p.body
	body.Tally = true
	return p.value(body)
}

func (p *Plan) value(body sqlgen.Body) *sqlgen.Statement {
	var s sqlgen.Statement
	switch {
	case p.reread != nil:
		s = p.reread(body)
	case p.Located:
		s = sqlgen.WriteLocated(p.write, body.Tally)
	case p.write != nil && body.Kind == sqlgen.BodyNone:
		s = sqlgen.WriteCounted(p.write, body.Tally)
	case p.write != nil:
		s = sqlgen.WriteValue(p.write, p.root, body)
	case p.call != nil:
		s = sqlgen.CallValue(p.call, p.root, p.Total, body)
	default:
		root := *p.root
		root.Keyed = false // the body has columns of the page only
		s = sqlgen.Value(&root, p.Total, body)
	}
	return &s
}

// Prefix returns the number of columns before the page's columns in a Rows
// plan.
func (p *Plan) Prefix() int {
	if p.Total.Counted() {
		return sqlgen.RowsPrefix + p.Keys
	}
	return p.Keys
}
