package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// conditions writes conds joined by AND.
func (w *Writer) conditions(table catalog.QI, conds []tree.Cond, nullEmbed func(*tree.Cond)) {
	for i := range conds {
		if i > 0 {
			w.S(" AND ")
		}
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
		w.S("(")
		for i := range c.Children {
			if i > 0 {
				if c.Or {
					w.S(" OR ")
				} else {
					w.S(" AND ")
				}
			}
			w.condition(table, &c.Children[i], nullEmbed)
		}
		w.S(")")
	default:
		w.filter(table, c)
	}
}

// joinedIsNull writes a null filter on an embed that is joined.
func (w *Writer) joinedIsNull(c *tree.Cond) {
	w.Ident(c.Embed)
	if c.ToMany {
		w.S(".")
		w.Ident(c.Embed)
	} else {
		w.S(".*")
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
	value := func() { w.Param(Arg{ArgValue, c.Slot}) }
	if c.Negate {
		w.S("NOT ")
	}
	w.field(table, &c.Field)
	switch c.Op {
	case parser.OpIs:
		w.S(" IS ", isWords[c.Is])
	case parser.OpIsDistinct:
		w.S(" IS DISTINCT FROM ")
		value()
	case parser.OpIn:
		// = ANY takes the list as one array, so lists of all lengths share one
		// statement. IN () would be a syntax error.
		w.S(" = ANY (")
		if c.Field.Transform == "" {
			value()
		} else {
			w.S("(SELECT ", c.Field.Transform, "(pg_catalog.unnest(")
			value()
			w.S("::pg_catalog.text[])))")
		}
		w.S(")")
	case parser.OpFts, parser.OpPlfts, parser.OpPhfts, parser.OpWfts:
		w.S(" ", c.Op.SQL(), " ", "pg_catalog.", c.Op.TSQuery(), "(")
		w.language(c.Lang)
		value()
		w.S(")")
	default:
		w.S(" ", c.Op.SQL(), " ")
		operand := func() { w.transformed(c.Field.Transform, value) }
		if c.Op == parser.OpLike || c.Op == parser.OpILike {
			operand = value // a pattern is text, whatever the column's type is
		}
		switch c.Quant {
		case parser.QuantAny:
			w.S("ANY(")
			operand()
			w.S(")")
		case parser.QuantAll:
			w.S("ALL(")
			operand()
			w.S(")")
		default:
			operand()
		}
	}
}

// joinConds writes the join conditions of an embed.
func (w *Writer) joinConds(conds []tree.JoinCond) {
	for i := range conds {
		c := &conds[i]
		if i > 0 {
			w.S(" AND ")
		}
		w.one(c.Left, c.LeftColumn)
		w.S(" = ")
		w.one(c.Right, c.RightColumn)
	}
}
