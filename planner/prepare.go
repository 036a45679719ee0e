package planner

import (
	"slices"
	"strings"
	"sync"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Prepared is a plan ready to run: its statements, and how each column of its
// rows is asked for and encoded. It is made from the server's own description
// of the statement, so it is right even where the catalog is out of date, and
// it is as immutable and shared as its plan.
type Prepared struct {
	Rows     bool // as Plan.Rows, unless the rows could not be encoded by us
	Prefix   int  // columns before the page's own
	Columns  []rowjson.Column
	Formats  []int16 // result format of every column
	Args     []sqlgen.Arg
	Names    []string
	UserCode bool

	// Settings makes the settings of the routine called; nil without any.
	Settings *pgwire.Stmt
	// NoNUL: PostgreSQL refuses \u0000 in this body. It takes the only row out of
	// an array, and has to decode the row for that.
	NoNUL bool
	// Converts: the statement names the columns of the page or of embeds, "*"
	// included, to convert some of them.
	Converts bool

	main    Statements
	records bool // embeds come as records
	perRole bool
	pace    pace
	fields  []pgwire.Field // the statement's columns behind the prefix: names and types

	mu    sync.RWMutex
	roles map[string]*Statements
	taken bool // main is a role's
}

// Statements are the prepared statements of a plan.
type Statements struct {
	Main     *pgwire.Stmt
	Estimate *pgwire.Stmt // nil unless the plan has one
}

// Prepared returns the prepared form of the plan, nil as long as there is none.
func (p *Plan) Prepared() *Prepared { return p.prepared.Load() }

// Forget makes the next request prepare the plan anew. It is called when the
// server says that a statement no longer returns what it used to.
func (p *Plan) Forget(old *Prepared) {
	if old.records {
		p.plain.Store(true) // they are described by the catalog, which is out of date
	}
	p.prepared.CompareAndSwap(old, nil)
}

// NeedsDescription reports whether Prepare has to be told the fields of Main.
func (p *Plan) NeedsDescription() bool { return p.Rows }

// Described is the statement to describe for Prepare. Where it can stay as it
// is Prepare takes it over, so that the connections it was described on need
// not parse it again.
func (p *Plan) Described() *pgwire.Stmt {
	if s := p.described.Load(); s != nil {
		return s
	}
	s := pgwire.NewStmt(p.Main.SQL)
	if !p.described.CompareAndSwap(nil, s) {
		return p.Described()
	}
	return s
}

// Prepare makes the prepared form. fields are the columns of Main as the
// server describes them, needed only if NeedsDescription. With aggregate the
// rows are not encoded by us in any case.
func (p *Plan) Prepare(types TypeNames, fields []pgwire.Field, aggregate bool) *Prepared {
	pre := &Prepared{UserCode: p.UserCode, perRole: p.PerRole, roles: map[string]*Statements{}}
	statement := &p.Main
	if p.Rows && !aggregate {
		statement = p.prepareRows(pre, types, fields)
	} else if p.Rows {
		statement = p.aggregated()
	}
	if !pre.Rows && !p.Explain && !p.Tagged {
		pre.Formats = valueFormats
	}
	pre.Args, pre.Names = statement.Args, statement.Names
	// Of two requests that prepare at the same time one gets the statement: its
	// users must be those of one Prepared, see For.
	pre.main.Main = p.described.Swap(nil)
	if pre.main.Main == nil || statement != &p.Main {
		pre.main.Main = pgwire.NewStmt(statement.SQL)
	}
	if p.Settings != "" {
		pre.Settings = pgwire.NewStmt(p.Settings)
	}
	if p.Estimate.SQL != "" {
		pre.main.Estimate = pgwire.NewStmt(p.Estimate.SQL)
	}
	p.prepared.Store(pre)
	return pre
}

// valueFormats asks for total and number of rows as text and for the body as
// it is: text for text and JSON, bytes for bytea.
var valueFormats = []int16{rowjson.Text, rowjson.Text, rowjson.Text, rowjson.Text, rowjson.Binary}

// TypeNames tells how values of types that are not built in become JSON.
type TypeNames interface {
	// TextType reports whether to_json prints the type as its quoted text;
	// for arrays of such types delim is the delimiter of their elements, else 0.
	TextType(oid uint32) (delim byte, ok bool)
}

// prepareRows settles how each column is encoded, and returns the statement
// that brings the columns in a form that can be.
func (p *Plan) prepareRows(pre *Prepared, types TypeNames, fields []pgwire.Field) *sqlgen.Statement {
	page := fields[min(p.Prefix(), len(fields)):]
	convert := sqlgen.Columns{
		Names: make([]string, len(page)), ToJSON: make([]bool, len(page)), Star: p.root.SelectsStar() && !p.Scalar,
	}
	columns := make([]rowjson.Column, len(page))
	expected := make([]pgwire.Field, len(page))
	converts, normal := false, p.jsonColumns()
	records := p.recordCodecs()
	for i, f := range page {
		column, known := columnCodec(types, f)
		convert.Names[i], columns[i], expected[i] = f.Name, column, f
		if f.Type == jsonOID && f.Table == 0 && slices.Contains(normal, f.Name) {
			columns[i].Codec = rowjson.NormalCodec()
			if codec, ok := records[f.Name]; ok {
				columns[i].Codec, expected[i].Type = codec, rowjson.RecordArray
				pre.records = true
			}
		}
		if !known {
			pre.UserCode = true // to_json may call a cast to json
		}
		if !known || column.Codec.ISO && p.notISO {
			convert.ToJSON[i], converts = true, true
			columns[i], _ = rowjson.NewColumn(f.Name, jsonOID)
			expected[i].Type = jsonOID
		}
	}
	if (converts || len(normal) > 0) && !unique(convert.Names) {
		return p.aggregated()
	}
	if p.Scalar && !slices.Equal(convert.Names, scalarColumn) {
		return p.aggregated() // PostgreSQL finds the value, or says that there is none
	}
	pre.Rows, pre.Prefix, pre.Columns, pre.fields = true, p.Prefix(), columns, expected
	// What may write is not run again to be told so.
	pre.NoNUL = p.ReadOnly && (p.One || p.Singular) && slices.ContainsFunc(expected, func(f pgwire.Field) bool { return f.Type == jsonOID })
	for range pre.Prefix {
		pre.Formats = append(pre.Formats, rowjson.Text)
	}
	for _, c := range columns {
		pre.Formats = append(pre.Formats, c.Codec.Format)
	}
	pre.Converts = converts || pre.records
	if !pre.Converts {
		return &p.Main
	}
	var (
		wanted *sqlgen.Columns
		embeds sqlgen.Records
	)
	if converts {
		wanted = &convert
	}
	if pre.records {
		embeds = p.records
	}
	return p.convert(wanted, embeds)
}

// recordCodecs are the codecs of the columns that can be arrays of records, by name.
func (p *Plan) recordCodecs() map[string]rowjson.Codec {
	if len(p.records) == 0 || p.plain.Load() {
		return nil
	}
	codecs := map[string]rowjson.Codec{}
	for i := range p.root.Embeds {
		e := &p.root.Embeds[i]
		if members := p.members(e); members != nil {
			codec, ok := rowjson.RecordArrayCodec(members)
			if !ok {
				return nil
			}
			codecs[e.Name] = codec
		}
	}
	return codecs
}

// members are the fields of the records of an embed, nil if it comes as JSON.
func (p *Plan) members(e *tree.Embed) (list []rowjson.Member) {
	for _, f := range p.records[e].Fields {
		m := rowjson.Member{Name: f.Name, Type: f.Type, Text: f.Form == sqlgen.RecordText}
		if f.Form == sqlgen.RecordJSON {
			m.Type = jsonOID
		}
		if f.Of != nil {
			m.Of = p.members(f.Of)
		}
		list = append(list, m)
	}
	return list
}

// scalarColumn holds the values of a Scalar plan.
var scalarColumn = []string{sqlgen.Scalar}

const jsonOID = 114

func columnCodec(types TypeNames, f pgwire.Field) (rowjson.Column, bool) {
	if c, ok := rowjson.NewColumn(f.Name, f.Type); ok {
		return c, true
	}
	delim, ok := types.TextType(f.Type)
	if !ok {
		return rowjson.Column{}, false
	}
	codec := rowjson.TextCodec()
	if delim != 0 {
		codec = rowjson.TextArrayCodec(delim)
	}
	return codec.Column(f.Name), true
}

func unique(names []string) bool {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return len(slices.Compact(sorted)) == len(names)
}

// Page are a row's values of the page itself. The row has at least the columns
// of the prefix.
func (pre *Prepared) Page(row [][]byte) [][]byte { return row[pre.Prefix:] }

// Fits reports whether a statement that returns n columns of these names and
// types is the one that the form was made for.
func (pre *Prepared) Fits(n int, column func(i int) (name []byte, oid uint32)) bool {
	if n != pre.Prefix+len(pre.fields) {
		return false
	}
	for i := range pre.fields {
		f := &pre.fields[i]
		if name, oid := column(pre.Prefix + i); oid != f.Type || string(name) != f.Name {
			return false
		}
	}
	return true
}

// For returns the statements role has to use. sharing tells whether the role
// may use statements another role has had parsed; see catalog.UsageRoles.
func (pre *Prepared) For(role string, sharing bool) *Statements {
	// Fast path.
	if sharing && !pre.perRole {
		return &pre.main
	}
	pre.mu.RLock()
	s := pre.roles[role]
	pre.mu.RUnlock()
	if s != nil {
		return s
	}
	return pre.forSlow(role, sharing)
}

// maxRolesPerPlan bounds the statements of one plan. Roles are made by the
// database's owners, so the bound is a matter of hygiene.
const maxRolesPerPlan = 1024

func (pre *Prepared) forSlow(role string, sharing bool) *Statements {
	pre.mu.Lock()
	defer pre.mu.Unlock()
	if s := pre.roles[role]; s != nil {
		return s
	}
	if len(pre.roles) >= maxRolesPerPlan {
		clear(pre.roles)
	}
	s := &Statements{Main: pgwire.NewStmt(pre.main.Main.SQL())}
	if pre.main.Estimate != nil {
		s.Estimate = pgwire.NewStmt(pre.main.Estimate.SQL())
	}
	if sharing && !pre.taken {
		// The first role has nearly always been the one that had the statement
		// described. (Where it was not it is still one that may share.)
		pre.taken = true
		s = &pre.main
	}
	pre.roles[strings.Clone(role)] = s // role may be borrowed from a token that is about to go away
	return s
}
