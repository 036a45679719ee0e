package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// conditions writes conds joined by AND. A short request can have the FILTER of an
// aggregate written many times.
func (w *Writer) conditions(table catalog.QI, conds []tree.Cond, nullEmbed func(*tree.Cond)) {
	and := w.between("", " AND ")
	for i := range conds {
		if w.full() {
			return
		}
		and()
		w.condition(table, &conds[i], nullEmbed)
	}
}

// condition writes one condition. It calls nullEmbed for a null filter on an
// embed, which the page and the count of a request express differently.
func (w *Writer) condition(table catalog.QI, c *tree.Cond, nullEmbed func(*tree.Cond)) {
	switch c.Kind {
	case tree.CondNullEmbed:
		nullEmbed(c)
	case tree.CondLogic:
		if c.Negate {
			w.S("NOT ")
		}
		separator := " AND "
		if c.Or {
			separator = " OR "
		}
		next := w.between("(", separator)
		for i := range c.Children {
			if w.full() {
				return
			}
			next()
			w.condition(table, &c.Children[i], nullEmbed)
		}
		w.S(")")
	default:
		w.filter(table, c)
	}
}

// joinedIsNull writes a null filter on an embed that is joined.
func (w *Writer) joinedIsNull(c *tree.Cond) {
	w.S(Ident(c.Embed), ".")
	if c.ToMany {
		w.S(Ident(c.Embed))
	} else {
		w.S("*")
	}
	if c.Negate {
		w.S(" IS DISTINCT FROM NULL")
	} else {
		w.S(" IS NOT DISTINCT FROM NULL")
	}
}

var isWords = map[parser.IsVal]string{
	parser.IsNull: "NULL", parser.IsNotNull: "NOT NULL", parser.IsTrue: "TRUE", parser.IsFalse: "FALSE", parser.IsUnknown: "UNKNOWN",
}

func (w *Writer) filter(table catalog.QI, c *tree.Cond) {
	if c.Negate {
		w.S("NOT ")
	}
	table = embedOr(table, c.Rel)
	if c.Aggregate != nil {
		w.selected(table, c.Aggregate)
	} else {
		w.S(field(table, &c.Field))
	}
	if c.Op == parser.OpIs {
		w.S(" IS ", isWords[c.Is])
		return
	}
	value := w.param(Arg{ArgValue, c.Slot})
	switch c.Op {
	case parser.OpIsDistinct:
		w.S(" IS DISTINCT FROM ", value)
	case parser.OpIn:
		// = ANY takes the list as one array, so lists of all lengths share one
		// statement. IN () would be a syntax error.
		if c.Field.Transform != "" {
			value = "(SELECT " + c.Field.Transform + "(pg_catalog.unnest(" + value + "::pg_catalog.text[])))"
		}
		w.S(" = ANY (", value, ")")
	case parser.OpFts, parser.OpPlfts, parser.OpPhfts, parser.OpWfts:
		w.S(" ", c.Op.SQL(), " pg_catalog.", c.Op.TSQuery(), "(", language(c.Lang), value, ")")
	default:
		if c.Op != parser.OpLike && c.Op != parser.OpILike { // a pattern is text, whatever the column's type is
			value = transformed(c.Field.Transform, value)
		}
		switch c.Quant {
		case parser.QuantAny:
			value = "ANY(" + value + ")"
		case parser.QuantAll:
			value = "ALL(" + value + ")"
		}
		w.S(" ", c.Op.SQL(), " ", value)
	}
}

// joinConds writes the join conditions of an embed.
func (w *Writer) joinConds(conds []tree.JoinCond) {
	and := w.between("", " AND ")
	for _, c := range conds {
		and()
		w.S(namedColumn(c.Left, c.LeftColumn), " = ", namedColumn(c.Right, c.RightColumn))
	}
}
