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
	w.S("ARRAY(SELECT ROW(", list(r.Fields, func(f *RecordField) string {
		switch f.Form {
		case RecordText:
			return column(alias, f.Name) + "::pg_catalog.text"
		case RecordJSON:
			return "pg_catalog.to_json(" + column(alias, f.Name) + ")"
		}
		return column(alias, f.Name)
	}), ") FROM (")
	w.query(e.Node)
	w.S(") AS ", Ident(e.AggAlias), " WHERE TRUE")
	if r.Star {
		w.S(" OR ", hasColumns(e.AggAlias, len(r.Fields)))
	}
	for _, f := range r.Fields {
		if f.Form == RecordText {
			w.S(" OR pg_catalog.range_contains_elem(NULL::pg_catalog.", RecordTypes[f.Type], ", ", column(alias, f.Name), ")")
		}
	}
	w.S(") AS ", Ident(e.Name))
}

// RecordTypes has the types that a column of a record may have, by OID. Values of
// other types are converted to JSON, because their form depends on settings.
// Package rowjson reads the types listed here.
//
// The form of numeric and timestamptz is that of their text, so they are cast to
// text. These have the range type over them. An element of a range must have
// exactly the subtype of the range: PostgreSQL does not convert it.
var RecordTypes = map[uint32]string{
	16: "", 20: "", 21: "", 23: "", // bool, int8, int2, int4
	19: "", 25: "", 1042: "", 1043: "", // name, text, bpchar, varchar
	1082: "", 1083: "", 1114: "", 1266: "", // date, time, timestamp, timetz
	2950: "", 114: "", 3802: "", // uuid, json, jsonb
	1700: "numrange", TimestampTZ: "tstzrange",
}

// TimestampTZ is the OID of timestamptz.
const TimestampTZ = 1184
