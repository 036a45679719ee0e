package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

func (w *Writer) orderBy(table catalog.QI, terms []tree.OrderTerm) {
	for i := range terms {
		if i == 0 {
			w.S(" ORDER BY ")
		} else {
			w.S(", ")
		}
		w.orderTerm(table, &terms[i])
	}
}

func (w *Writer) orderTerm(table catalog.QI, t *tree.OrderTerm) {
	if t.Rel.Given {
		table = catalog.QI{Name: t.Rel.Name}
	}
	w.field(table, &t.Field)
	switch t.Dir {
	case parser.DirAsc:
		w.S(" ASC")
	case parser.DirDesc:
		w.S(" DESC")
	}
	switch t.Nulls {
	case parser.NullsFirst:
		w.S(" NULLS FIRST")
	case parser.NullsLast:
		w.S(" NULLS LAST")
	}
}

func (w *Writer) limit(l tree.Limit) {
	if l.HasLimit {
		w.S(" LIMIT ")
		if l.Inline >= 0 {
			w.Int(l.Inline)
		} else {
			w.Param(Arg{ArgLimit, l.Range})
		}
	}
	if l.HasOffset {
		w.S(" OFFSET ")
		w.Param(Arg{ArgOffset, l.Range})
	}
}
