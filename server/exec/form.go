package exec

import (
	"slices"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Form is a form in which a plan is run: its statements, and how each column of
// its rows is asked for and encoded. It is made from the server's own
// description of the statement, so it is right even where the catalog is out of
// date. All requests of the plan share it. It is immutable, except for its pace and the
// statements of further roles.
type Form struct {
	Rows    bool // as planner.Plan.Rows, unless the rows could not be encoded by us
	Prefix  int  // columns before the page's own
	Columns []rowjson.Column
	Formats []int16 // result format of every column

	// position has the formats of those columns of the prefix that are the position of a
	// row, see Page.
	position []int16
	Args     []sqlgen.Arg

	names    []string // see sqlgen.Statement
	userCode bool     // functions of the database's owners may run

	tallied bool // see Runnable.wholeForm

	// settings makes the settings of the routine called; nil without any.
	settings *pgwire.Stmt
	// noNUL: PostgREST responds with an error if this body has \u0000, because its
	// statement takes the only row out of a JSON array. Then the read is run again with a
	// body that PostgreSQL makes, and fails.
	noNUL bool
	// header is the first line of a CSV body.
	header []byte
	// converts: the statement names the columns of the page or of embeds, "*"
	// included, to convert some of them.
	converts bool

	records bool           // embeds come as records
	fields  []pgwire.Field // the statement's columns behind the prefix: names and types

	// What the statement converts; see planner.Plan.Convert.
	wanted *sqlgen.Columns
	embeds sqlgen.Records

	statements roleStatements
	pace       pace
	merging    merging
}

// valueFormats asks for total and number of rows as text and for the body as
// it is: text for text and JSON, bytes for bytea.
var valueFormats = []int16{rowjson.Text, rowjson.Text, rowjson.Text, rowjson.Text, rowjson.Binary}

// typeNames tells how values of types that are not built in become JSON.
type typeNames interface {
	// TextType reports whether to_json prints the type as its quoted text;
	// for arrays of such types delim is the delimiter of their elements, else 0.
	TextType(oid uint32) (delim byte, ok bool)
}

// prepareRows completes the form of a plan whose rows the server encodes, and returns its
// statement. all: PostgreSQL turns all columns into JSON.
func (r *Runnable) prepareRows(form *Form, types typeNames, fields []pgwire.Field, all bool) *sqlgen.Statement {
	page := fields[min(r.Prefix(), len(fields)):]
	if r.Lines == planner.CSVLines {
		form.prepareCSV(page)
		return &r.Main
	}
	convert, columns, expected := r.chooseCodecs(form, types, page, all)
	converts := slices.Contains(convert.ToJSON, true)
	if (converts || len(r.JSONColumns()) > 0) && !unique(convert.Names) {
		return r.Aggregated()
	}
	if r.Scalar && !slices.Equal(convert.Names, scalarColumn) {
		return r.Aggregated() // PostgreSQL finds the value, or reports that there is no such column
	}
	form.Rows, form.Prefix, form.Columns, form.fields = true, r.Prefix(), columns, expected
	// A plan that may write is not run again only to get this error.
	form.noNUL = r.ReadOnly && (r.One || r.Singular) && slices.ContainsFunc(expected, func(f pgwire.Field) bool { return f.Type == jsonOID })
	for range form.Prefix - r.Keys {
		form.Formats = append(form.Formats, rowjson.Text)
	}
	form.position = positionFormats(fields[:len(fields)-len(page)], r.Keys)
	form.Formats = append(form.Formats, form.position...)
	for _, c := range columns {
		form.Formats = append(form.Formats, c.Codec.Format)
	}
	form.converts = converts || form.records
	if !form.converts {
		return &r.Main
	}
	if converts {
		form.wanted = &convert
	}
	if form.records {
		form.embeds = r.Records
	}
	statement := r.Convert(form.wanted, form.embeds)
	if form.records && statement.TooLarge() { // it names each column
		r.plain.Store(true)
		*form = Form{userCode: r.UserCode}
		return r.prepareRows(form, types, fields, all)
	}
	return statement
}

// chooseCodecs settles how each column of the page is encoded: which ones PostgreSQL has to
// convert, the codecs, and the columns that the statement then returns.
func (r *Runnable) chooseCodecs(form *Form, types typeNames, page []pgwire.Field, all bool) (convert sqlgen.Columns, columns []rowjson.Column, expected []pgwire.Field) {
	convert = sqlgen.Columns{
		Names: make([]string, len(page)), ToJSON: make([]bool, len(page)), Star: r.SelectsStar() && !r.Scalar, JSONB: all,
	}
	columns, expected = make([]rowjson.Column, len(page)), make([]pgwire.Field, len(page))
	normal, records := r.JSONColumns(), r.recordCodecs()
	for i, f := range page {
		column, known := columnCodec(types, f)
		known = known && !all
		convert.Names[i], columns[i], expected[i] = f.Name, column, f
		if !all && f.Type == jsonOID && f.Table == 0 && slices.Contains(normal, f.Name) {
			columns[i].Codec = rowjson.NormalCodec()
			if codec, ok := records[f.Name]; ok {
				columns[i].Codec, expected[i].Type = codec, rowjson.RecordArray
				form.records = true
			}
		}
		if !known {
			form.userCode = true // to_json may call a cast to json
		}
		if !known || column.Codec.ISO && r.NotISO {
			convert.ToJSON[i] = true
			columns[i], _ = rowjson.NewColumn(f.Name, jsonOID)
			expected[i].Type = jsonOID
		}
	}
	return convert, columns, expected
}

// recordCodecs are the codecs of the columns that can be arrays of records, by name.
func (r *Runnable) recordCodecs() map[string]rowjson.Codec {
	if len(r.Records) == 0 || r.plain.Load() {
		return nil
	}
	codecs := map[string]rowjson.Codec{}
	embeds := r.Embeds()
	for i := range embeds {
		e := &embeds[i] // the key of Records
		if members := members(r.Records, e); members != nil {
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
func members(records sqlgen.Records, e *tree.Embed) (list []rowjson.Member) {
	for _, f := range records[e].Fields {
		m := rowjson.Member{Name: f.Name, Type: f.Type, Text: f.Form == sqlgen.RecordText}
		if f.Form == sqlgen.RecordJSON || f.Of != nil {
			m.Type = jsonOID
		}
		if f.Of != nil {
			m.Of = members(records, f.Of)
		}
		list = append(list, m)
	}
	return list
}

// scalarColumn holds the values of a Scalar plan.
var scalarColumn = []string{sqlgen.Scalar}

const jsonOID = 114

func columnCodec(types typeNames, f pgwire.Field) (rowjson.Column, bool) {
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

// fits reports whether a statement that returns n columns of these names and
// types is the one that the form was made for.
func (form *Form) fits(n int, column func(i int) (name []byte, oid uint32)) bool {
	if n != form.Prefix+len(form.fields) {
		return false
	}
	for i := range form.fields {
		f := &form.fields[i]
		if name, oid := column(form.Prefix + i); oid != f.Type || string(name) != f.Name {
			return false
		}
	}
	return true
}
