package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Records are the embeds of a page that PostgreSQL returns as arrays of
// records. These cost it less than half of arrays of JSON objects.
type Records map[*tree.Embed]Record

// Record describes the rows of one embed.
type Record struct {
	Fields []RecordField // all columns of the embed's query, in jsonb's order of members
	Star   bool          // "*" stands for some of them
}

// RecordField is one field of a record.
type RecordField struct {
	Name string // of the column in the embed's query, and of the JSON member
	Form RecordForm
	Type uint32      // OID of the column's type; 0 for an embed, and if the type is not known
	Of   *tree.Embed // the embed in this column, or nil; it is json unless Records has it
}

// RecordForm says how a column is written in a record.
type RecordForm uint8

const (
	RecordPlain RecordForm = iota // as it is
	RecordText                    // cast to text
	RecordJSON                    // converted by to_json
)

// InSelect reports whether an embed of n can be a subquery in the select list
// instead of a lateral join. A subquery costs PostgreSQL less, especially where
// rows are sorted and limited: it runs only for the rows that remain. Clauses
// other than the select list cannot refer to such an embed.
func InSelect(n *tree.Node, e *tree.Embed) bool {
	return e.Kind == tree.EmbedArray && !e.Empty && !e.Repeated &&
		e.Node.Join != parser.JoinInner && !mentions(n.Where, e.AggAlias)
}

// record writes an embed as an array of records. The wire format of a record
// has no field names, so the statement lists each column. All conditions of its
// WHERE are true. They make PostgreSQL refuse the statement, even if it is
// prepared already, after the number of columns has changed, or a type that the
// cast to text would hide.
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

// rangeOf maps each type that is cast to text to the range type over it. An
// element of a range must have exactly the subtype of the range: PostgreSQL
// does not convert it.
var rangeOf = map[uint32]string{1700: "numrange", 1184: "tstzrange"}
