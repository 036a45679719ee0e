package sqlgen

import (
	"strconv"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// order writes the ORDER BY of a query.
func (w *Writer) order(table catalog.QI, terms []tree.OrderTerm) {
	comma := w.between(" ORDER BY ", ", ")
	for i := range terms {
		comma()
		if t := &terms[i]; t.Aggregate != nil {
			w.selected(embedOr(table, t.Rel), t.Aggregate)
			w.S(directions[t.Dir], nullOrders[t.Nulls])
		} else {
			w.S(orderTerm(table, t))
		}
	}
}

// orderBy returns the ORDER BY of an aggregate, which has none inside.
func orderBy(table catalog.QI, terms []tree.OrderTerm) string {
	if len(terms) == 0 {
		return ""
	}
	return " ORDER BY " + list(terms, func(t *tree.OrderTerm) string { return orderTerm(table, t) })
}

var (
	directions = [...]string{parser.DirDefault: "", parser.DirAsc: " ASC", parser.DirDesc: " DESC"}
	nullOrders = [...]string{parser.NullsDefault: "", parser.NullsFirst: " NULLS FIRST", parser.NullsLast: " NULLS LAST"}
)

func orderTerm(table catalog.QI, t *tree.OrderTerm) string {
	return orderField(table, t) + directions[t.Dir] + nullOrders[t.Nulls]
}

// orderField returns the value that a term sorts by.
func orderField(table catalog.QI, t *tree.OrderTerm) string {
	return field(embedOr(table, t.Rel), &t.Field)
}

// limit writes LIMIT and OFFSET. more: with one row more than the limit.
func (w *Writer) limit(l tree.Limit, more bool) {
	kind, inline := ArgLimit, l.Inline
	if more {
		kind, inline = ArgLimitAndOne, l.Inline+1
	}
	switch {
	case l.HasLimit && l.Inline >= 0:
		w.S(" LIMIT ", strconv.FormatInt(inline, 10))
	case l.HasLimit:
		w.S(" LIMIT ", w.param(Arg{kind, l.Range}))
	}
	switch {
	case l.HasOffset && l.Offset >= 0:
		w.S(" OFFSET ", strconv.FormatInt(l.Offset, 10))
	case l.HasOffset:
		w.S(" OFFSET ", w.param(Arg{ArgOffset, l.Range}))
	}
}
