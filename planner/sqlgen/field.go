package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// column writes table.column; "*" stands for all columns.
func (w *Writer) column(table catalog.QI, name string) {
	if name == "*" {
		w.Name(table)
		w.S(".*")
		return
	}
	w.one(table, name)
}

// one writes table.column. Unlike column, it takes "*" as the name of a column.
func (w *Writer) one(table catalog.QI, name string) {
	w.Name(table)
	w.S(".")
	w.Ident(name)
}

// field writes a field of table with its JSON path and text search conversion.
func (w *Writer) field(table catalog.QI, f *tree.Field) {
	if f.TSVector {
		w.S("to_tsvector(")
		w.language(f.Lang)
		defer w.S(")")
	}
	switch {
	case f.FullRow:
		w.Ident(table.Name)
		w.S(".*::pg_catalog.record") // without the cast, .* stands for the columns
	case len(f.Path) == 0:
		w.column(table, f.Name)
	case f.ToJSON:
		w.S("pg_catalog.to_jsonb(")
		w.column(table, f.Name)
		w.S(")")
		w.jsonPath(f.Path)
	default:
		w.column(table, f.Name)
		w.jsonPath(f.Path)
	}
}

func (w *Writer) language(lang tree.Opt) {
	if lang.Given {
		w.Lit(lang.Name)
		w.S(", ")
	}
}

func (w *Writer) jsonPath(path []tree.JSONStep) {
	for _, step := range path {
		// The operator is qualified, because a user-defined -> for (json, json)
		// would be the better match for a constant.
		if step.Text {
			w.S(" OPERATOR(pg_catalog.->>) ")
		} else {
			w.S(" OPERATOR(pg_catalog.->) ")
		}
		if !step.Index {
			w.Lit(step.Key)
			continue
		}
		// The index is written as text, so that PostgreSQL reports an index
		// beyond int4.
		if step.Key[0] != '-' {
			w.Lit("+" + step.Key)
		} else {
			w.Lit(step.Key)
		}
		w.S("::int")
	}
}

// transformed writes expr as the argument of a representation function, or just
// expr if function is empty.
func (w *Writer) transformed(function string, expr func()) {
	if function == "" {
		expr()
		return
	}
	w.S(function, "(")
	expr()
	w.S(")")
}

// cast writes CAST(expr AS type). The type name is not quoted, since quotes
// would break PostgreSQL's own spellings ("int", "double precision"). The
// parser has restricted it to letters, digits, spaces, _ and $.
func (w *Writer) cast(to tree.Opt, expr func()) {
	if !to.Given {
		expr()
		return
	}
	w.S("CAST(")
	expr()
	w.S(" AS ", to.Name, ")")
}

var aggregates = map[parser.Aggregate]string{
	parser.AggSum: "SUM", parser.AggAvg: "AVG", parser.AggCount: "pg_catalog.COUNT", parser.AggMax: "MAX", parser.AggMin: "MIN",
}

func (w *Writer) aggregate(agg parser.Aggregate, castTo tree.Opt, expr func()) {
	if agg == parser.AggNone {
		expr()
		return
	}
	w.cast(castTo, func() {
		w.S(aggregates[agg], "(")
		expr()
		w.S(")")
	})
}

func (w *Writer) alias(a tree.Opt) {
	if a.Given {
		w.S(" AS ")
		w.Ident(a.Name)
	}
}

func (w *Writer) selectField(table catalog.QI, s *tree.SelectField) {
	w.aggregate(s.Agg, s.AggCast, func() {
		w.cast(s.Cast, func() {
			w.transformed(s.Field.Transform, func() { w.field(table, &s.Field) })
		})
	})
	w.alias(s.Alias)
}
