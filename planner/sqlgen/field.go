package sqlgen

import (
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// column returns table.column; "*" stands for all columns.
func column(table catalog.QI, name string) string {
	if name == "*" {
		return qualified(table) + ".*"
	}
	return namedColumn(table, name)
}

// namedColumn returns table.column. Unlike column, it takes "*" as the name of a column.
func namedColumn(table catalog.QI, name string) string { return qualified(table) + "." + Ident(name) }

// embedOr returns the embed with the alias rel, or table if there is no alias.
func embedOr(table catalog.QI, rel tree.Opt) catalog.QI {
	if rel.Given {
		return catalog.QI{Name: rel.Name}
	}
	return table
}

// field returns a field of table with its JSON path and text search conversion.
func field(table catalog.QI, f *tree.Field) string {
	text := column(table, f.Name)
	switch {
	case f.FullRow:
		text = Ident(table.Name) + ".*::pg_catalog.record" // without the cast, .* stands for the columns
	case len(f.Path) > 0 && f.ToJSON:
		text = "pg_catalog.to_jsonb(" + text + ")"
	}
	text += jsonPath(f)
	if f.TSVector {
		return "to_tsvector(" + language(f.Lang) + text + ")"
	}
	return text
}

func language(lang tree.Opt) string {
	if !lang.Given {
		return ""
	}
	return Literal(lang.Name) + ", "
}

func jsonPath(f *tree.Field) string {
	var b strings.Builder
	bare := f.BareArrows()
	for i, step := range f.Path {
		arrow := "->"
		if step.Text {
			arrow = "->>"
		}
		// The operator is qualified, because a user-defined -> for (json, json)
		// would be the better match for a constant.
		if i < bare {
			arrow = "OPERATOR(pg_catalog." + arrow + ")"
		}
		b.WriteString(" " + arrow + " ")
		switch {
		case !step.Index:
			b.WriteString(Literal(step.Key))
		// The index is written as text, so that PostgreSQL reports an index
		// beyond int4.
		case step.Key[0] == '-':
			b.WriteString(Literal(step.Key) + "::int")
		default:
			b.WriteString(Literal("+"+step.Key) + "::int")
		}
	}
	return b.String()
}

// transformed returns expr as the argument of a representation function, or just
// expr if function is empty.
func transformed(function, expr string) string {
	if function == "" {
		return expr
	}
	return function + "(" + expr + ")"
}

// cast returns CAST(expr AS type). The type name is not quoted, since quotes
// would break PostgreSQL's own spellings ("int", "double precision"). The
// parser has restricted it to letters, digits, spaces, _ and $.
func cast(to tree.Opt, expr string) string {
	if !to.Given {
		return expr
	}
	return "CAST(" + expr + " AS " + to.Name + ")"
}

var aggregates = map[parser.Aggregate]string{
	parser.AggSum: "SUM(", parser.AggAvg: "AVG(", parser.AggMax: "MAX(", parser.AggMin: "MIN(",
	parser.AggCount: "pg_catalog.COUNT(", parser.AggCountDistinct: "pg_catalog.COUNT(DISTINCT ",
}

// aggregate writes an aggregate of expr over those rows of table for which filter is
// true, or just expr.
func (w *Writer) aggregate(agg parser.Aggregate, castTo tree.Opt, expr string, table catalog.QI, filter []tree.Cond) {
	if agg == parser.AggNone {
		w.S(expr)
		return
	}
	if castTo.Given {
		w.S("CAST(")
	}
	w.S(aggregates[agg], expr, ")")
	if len(filter) > 0 {
		w.S(" FILTER (WHERE ")
		w.conditions(table, filter, w.joinedIsNull)
		w.S(")")
	}
	if castTo.Given {
		w.S(" AS ", castTo.Name, ")")
	}
}

func alias(a tree.Opt) string {
	if !a.Given {
		return ""
	}
	return " AS " + Ident(a.Name)
}

func (w *Writer) selectField(table catalog.QI, s *tree.SelectField) {
	w.selected(table, s)
	w.S(alias(s.Alias))
}

// selected writes the value of a selected field.
func (w *Writer) selected(table catalog.QI, s *tree.SelectField) {
	expr := cast(s.Cast, transformed(s.Field.Transform, field(table, &s.Field)))
	w.aggregate(s.Agg, s.AggCast, expr, table, s.Filter)
}
