package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Records are the embeds of a page that come as arrays of records, which cost
// PostgreSQL less than half of what arrays of JSON objects cost. Each has the
// fields of its record.
type Records map[*tree.Embed]Record

// Record describes the rows of one embed.
type Record struct {
	Fields []RecordField // all columns of the embed's query, in the order in which jsonb keeps members
	Star   bool          // "*" stands for some of them
}

// RecordField is one field of a record.
type RecordField struct {
	Name string // of the column of the embed's query, and of the member
	Form RecordForm
	Type uint32      // OID of the column's type, 0 if it is not known
	Of   *tree.Embed // the embed that the column is; it is json if it has no record
}

// RecordForm says how a column is put into a record.
type RecordForm uint8

const (
	RecordPlain RecordForm = iota // as it is
	RecordText                    // cast to text
	RecordJSON                    // by to_json
)

// InSelect reports whether an embed of n can be a subquery of the select list
// instead of a lateral join. That costs PostgreSQL less, most of all where rows are
// sorted and limited: a subquery runs only for the rows that are left. Only the
// select list may refer to such an embed.
func InSelect(n *tree.Node, e *tree.Embed) bool {
	return e.Kind == tree.EmbedArray && !e.Empty && !e.Repeated &&
		e.Node.Join != parser.JoinInner && !mentions(n.Where, e.AggAlias)
}

// record writes an embed as an array of records. The names of a record are not
// on the wire, so the statement names each column. Its conditions are true. They
// let PostgreSQL refuse the statement, also when it is prepared already, after the
// number of columns has changed, or a type that the cast to text would hide.
func (w *Writer) record(e *tree.Embed, r Record) {
	alias := catalog.QI{Name: e.AggAlias}
	w.S("ARRAY(SELECT ROW(")
	for i := range r.Fields {
		if i > 0 {
			w.S(", ")
		}
		switch f := &r.Fields[i]; f.Form {
		case RecordText:
			w.column(alias, f.Name)
			w.S("::pg_catalog.text")
		case RecordJSON:
			w.S("pg_catalog.to_json(")
			w.column(alias, f.Name)
			w.S(")")
		default:
			w.column(alias, f.Name)
		}
	}
	w.S(") FROM (")
	w.query(e.Node)
	w.S(") AS ")
	w.Ident(e.AggAlias)
	w.S(" WHERE TRUE")
	if r.Star {
		w.S(" OR ")
		w.hasColumns(e.AggAlias, len(r.Fields))
	}
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Form == RecordText {
			w.S(" OR pg_catalog.range_contains_elem(NULL::pg_catalog.", rangeOf[f.Type], ", ")
			w.column(alias, f.Name)
			w.S(")")
		}
	}
	w.S(") AS ")
	w.Ident(e.Name)
}

// rangeOf has the range types over the types that are cast to text. The elements
// of a range must have exactly its subtype: nothing is converted to it.
var rangeOf = map[uint32]string{1700: "numrange", 1184: "tstzrange"}
