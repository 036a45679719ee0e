package planner

import (
	"strconv"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// spreadFields returns the columns that a spread lifts into its parent: those
// of n, and those that its embeds add.
func spreadFields(n *tree.Node) []tree.SpreadField {
	var out []tree.SpreadField
	for i := range n.Select {
		out = append(out, tree.SpreadField{Name: n.Select[i].Alias.Or(n.Select[i].Field.Name)})
	}
	for i := range n.Embeds {
		switch e := &n.Embeds[i]; {
		case e.Kind == tree.EmbedSpread:
			out = append(out, e.Fields...)
		case e.Empty: // PostgREST lifts the missing column, and fails (42703)
		default:
			out = append(out, tree.SpreadField{Name: e.Name})
		}
	}
	return out[:min(len(out), maxTargets+1)]
}

// hoisted is an aggregate that moves up out of to-one spreads.
type hoisted struct {
	aggAlias, name string
	agg            parser.Aggregate
	cast, alias    tree.Opt
}

// hoistAggregates moves aggregates inside to-one spreads up to the nearest node
// that is not a to-one spread. The client wants the sum over the parent's
// groups, not the sum of a single joined row.
func hoistAggregates(root *tree.Node) { hoist(root) }

func hoist(n *tree.Node) []hoisted {
	var below []hoisted
	for _, c := range n.Children {
		below = append(below, hoist(c)...)
	}
	if n.Spread != tree.SpreadToOne {
		for i := range n.Embeds {
			applyHoisted(&n.Embeds[i], below)
		}
		return nil
	}
	var up []hoisted
	for i := range n.Select {
		s := &n.Select[i]
		if s.Agg == parser.AggNone {
			continue
		}
		up = append(up, hoisted{n.AggAlias, s.Alias.Or(s.Field.Name), s.Agg, s.AggCast, s.Alias})
		s.Agg, s.AggCast = parser.AggNone, tree.Opt{}
	}
	for _, h := range below {
		h.aggAlias = n.AggAlias
		up = append(up, h)
	}
	return up
}

func applyHoisted(e *tree.Embed, aggs []hoisted) {
	for i := range e.Fields {
		f := &e.Fields[i]
		for _, h := range aggs {
			if h.aggAlias == e.AggAlias && h.name == f.Name {
				f.Agg, f.AggCast, f.Alias = h.agg, h.cast, h.alias
				break
			}
		}
	}
}

// orderSpreads prepares to-many spreads. Their order moves into the
// aggregation. The columns of the order are selected under separate names.
func orderSpreads(n *tree.Node) error {
	if n.Spread == tree.SpreadToMany {
		if nodeAggregates(n) {
			return &Error{Kind: NotImplemented, Details: "Aggregates are not implemented for one-to-many or many-to-many spreads."}
		}
		for i := range n.Order {
			t := &n.Order[i]
			alias := n.AggAlias + "_" + t.Field.Name + "_" + strconv.Itoa(i+1)
			n.Extra = append(n.Extra, tree.ExtraField{Rel: t.Rel, Field: tree.SelectField{Field: t.Field, Alias: tree.Some(alias)}})
			n.SpreadOrder = append(n.SpreadOrder, tree.OrderTerm{Field: tree.Field{Name: alias}, Dir: t.Dir, Nulls: t.Nulls})
		}
		n.Order = nil
	}
	for _, c := range n.Children {
		if err := orderSpreads(c); err != nil {
			return err
		}
	}
	return nil
}

func nodeAggregates(n *tree.Node) bool {
	for i := range n.Select {
		if n.Select[i].Agg != parser.AggNone {
			return true
		}
	}
	for i := range n.Embeds {
		for j := range n.Embeds[i].Fields {
			if n.Embeds[i].Fields[j].Agg != parser.AggNone {
				return true
			}
		}
	}
	return false
}

func anyAggregate(n *tree.Node) bool {
	if nodeAggregates(n) {
		return true
	}
	for _, c := range n.Children {
		if anyAggregate(c) {
			return true
		}
	}
	return false
}

// neededColumns returns the columns of a write's or call's rows that the
// response needs: those selected, those the embeds join on, and keep. It is
// {"*"} if all are needed.
func neededColumns(n *tree.Node, keep []string) map[string]bool {
	out := map[string]bool{}
	for i := range n.Select {
		if n.Select[i].Field.Name == "*" {
			return map[string]bool{"*": true}
		}
		out[n.Select[i].Field.Name] = true
	}
	for _, c := range n.Children {
		switch c.Rel.Cardinality {
		case catalog.Computed:
			return map[string]bool{"*": true} // the function may read any column
		case catalog.ManyToMany:
			for _, pair := range c.Rel.Junction.Source {
				out[pair.Column] = true
			}
		default:
			for _, pair := range c.Rel.Columns {
				out[pair.Column] = true
			}
		}
	}
	for _, k := range keep {
		out[k] = true
	}
	return out
}
