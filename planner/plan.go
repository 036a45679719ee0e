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
func (a Action) Writes() bool { return a.writes() }

func (a Action) writes() bool { return a >= Insert && a <= Delete }
func (a Action) calls() bool  { return a >= CallGet }
func (a Action) head() bool   { return a == ReadHead || a == CallHead }

// Plan is everything about a request that its shape decides. It is immutable,
// and shared by all requests of the shape.
type Plan struct {
	Action Action
	Schema string
	Target catalog.QI // relation or routine

	// Main is the statement that brings the rows of the response.
	//
	// With Rows its columns are the page's (after sqlgen.RowsPrefix more when
	// Total is counted) and the server encodes them. Otherwise it has one row:
	// total, rows of the page, body.
	Main  sqlgen.Statement
	Rows  bool
	Total sqlgen.Total

	// Estimate, if it has SQL, explains the count of rows for count=planned
	// and count=estimated.
	Estimate sqlgen.Statement

	// Explain: the response is Main's execution plan.
	Explain bool

	Media    header.Media
	Singular bool // exactly one row, else 406

	// ReadOnly: the transaction may not write.
	ReadOnly bool
	// UserCode: running the statement may run functions of the database's
	// owners, which may set response.headers and response.status.
	UserCode bool
	// PerRole: statements prepared for this plan must not be shared between
	// roles (row level security makes PostgreSQL plan them anew).
	PerRole bool

	// Of calls.
	Routine   *catalog.Routine
	One       bool   // the routine returns one row, not a set
	Scalar    bool   // the body holds values, not objects with one key
	Void      bool   // there is nothing to return
	Isolation string // level the routine asks for, "" for none
	Settings  string // statement that makes the routine's settings, "" for none

	// Of writes.
	Tagged  bool     // Main returns no rows; the command tag has their number
	Located bool     // Main returns the key of the inserted row: null, rows, key
	Merge   bool     // sqlgen.InsertedSetting holds the number of inserted rows
	Key     []string // primary key of the table

	// LegacyNames are embeds that filters, orders or ranges named by their
	// relation although they have an alias.
	LegacyNames []LegacyName

	// Records are the embeds of the rows that can come as records.
	Records sqlgen.Records
	// NotISO: dates may be printed in another style than ISO.
	NotISO bool

	root  *tree.Node
	write *tree.Write
	call  *tree.Call
}

// SelectsStar reports whether the rows have all columns of the target.
func (p *Plan) SelectsStar() bool { return p.root.SelectsStar() }

// Embeds returns the embeds of the rows. Their addresses are keys of Records.
func (p *Plan) Embeds() []tree.Embed { return p.root.Embeds }

// equal reports whether two plans of the same SQL are the same in all else. The
// trees need no comparing: what is printed from them again later is a wrapping
// of the same text.
func (p *Plan) equal(q *Plan) bool {
	return p.Action == q.Action && p.Schema == q.Schema && p.Target == q.Target &&
		slices.Equal(p.Main.Args, q.Main.Args) && slices.Equal(p.Main.Names, q.Main.Names) &&
		p.Estimate.SQL == q.Estimate.SQL && slices.Equal(p.Estimate.Args, q.Estimate.Args) &&
		p.Rows == q.Rows && p.Total == q.Total && p.Explain == q.Explain && p.Media == q.Media && p.Singular == q.Singular &&
		p.ReadOnly == q.ReadOnly && p.UserCode == q.UserCode && p.PerRole == q.PerRole && p.NotISO == q.NotISO &&
		p.Routine == q.Routine && p.Tagged == q.Tagged && p.Located == q.Located && p.Merge == q.Merge &&
		slices.Equal(p.LegacyNames, q.LegacyNames)
}

// plan makes the part of a plan that all actions have.
func (p *Planner) plan(r *Request, target catalog.QI, root *tree.Node, media header.Media, body sqlgen.Body) *Plan {
	plan := &Plan{
		Action: r.Action, Schema: r.Schema, Target: target, Media: media, root: root,
		Singular: media.Kind == header.Object || media.Kind == header.ObjectStripped,
		Explain:  media.Kind == header.Plan,
		NotISO:   p.opts.NotISO,
	}
	// Rows we encode ourselves cost PostgreSQL about half of what a body costs
	// that it aggregates.
	plan.Rows = !plan.Explain && !body.Strip && (body.Kind == sqlgen.BodyArray || body.Kind == sqlgen.BodyObject)
	if body.Kind == sqlgen.BodyCustom || body.Kind == sqlgen.BodyGeoJSON {
		plan.UserCode, plan.PerRole = true, true
	}
	return plan
}

// finish makes what explains a plan's statement of it, if that is wanted, and
// refuses a statement that has become too large.
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
	Message: "the request makes too large a statement",
	Details: fmt.Sprintf("at most %d bytes of SQL and %d operands are allowed", sqlgen.MaxLength, sqlgen.MaxArgs),
}

// LegacyName is an embed named by its relation instead of its alias.
type LegacyName struct{ Name, Alias string }

// JSONColumns names the columns that are json and wanted as jsonb prints them.
func (p *Plan) JSONColumns() []string {
	if !p.ReadOnly {
		return nil
	}
	return sqlgen.JSONColumns(p.root)
}

// addRecords finds the embeds of the rows that can come as records.
func (p *Plan) addRecords(cat *catalog.Catalog) {
	if len(p.JSONColumns()) > 0 {
		r := recorder{tables: cat.Tables, notISO: p.NotISO, records: sqlgen.Records{}}
		r.add(p.root)
		p.Records = r.records
	}
}

// Convert returns the statement of a Rows plan again, with the columns marked
// in c converted to JSON by PostgreSQL, and embeds as records. Both may be nil.
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

// Aggregated returns the statement of a Rows plan in the form whose body
// PostgreSQL computes. It serves pages whose columns cannot be told apart by name.
func (p *Plan) Aggregated() *sqlgen.Statement {
	body := sqlgen.Body{Kind: sqlgen.BodyArray}
	if p.Singular {
		body.Kind = sqlgen.BodyObject
	}
	var s sqlgen.Statement
	switch {
	case p.write != nil:
		s = sqlgen.WriteValue(p.write, p.root, body)
	case p.call != nil:
		s = sqlgen.CallValue(p.call, p.root, p.Total, body)
	default:
		s = sqlgen.Value(p.root, p.Total, body)
	}
	return &s
}

// Prefix is the number of columns before the page's own in a Rows plan.
func (p *Plan) Prefix() int {
	if p.Total.Counted() {
		return sqlgen.RowsPrefix
	}
	return 0
}
