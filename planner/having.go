package planner

import (
	"slices"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// A request names an aggregate by its alias: n=gt.10 and order=n filter and order the
// groups (HAVING, ORDER BY), and n.city=eq.Rome filters the rows that the aggregate
// gets (FILTER). A name that means something without the alias keeps its meaning.

// filtered returns the conditions that a filter with this path adds to, and the node
// whose columns they name. They are those of an aggregate if the last name of the
// path is its alias.
func (r *resolver) filtered(root *tree.Node, path parser.Names) (*tree.Node, *[]tree.Cond, error) {
	n, err := r.node(root, path)
	if err == nil {
		return n, &n.Where, nil
	}
	if path.N > 0 && r.opts.Aggregates {
		last := path.N - 1
		parent, prefixErr := r.node(root, parser.Names{Off: path.Off, N: last})
		if prefixErr != nil {
			return nil, nil, prefixErr
		}
		if n, s := aggregateNamed(parent, string(r.query.Path(path)[last])); s != nil {
			return n, &s.Filter, nil
		}
	}
	return nil, nil, err
}

// aggregateNamed returns the aggregate with this alias among the columns of n, and its
// node: n, or a spread in it.
func aggregateNamed(n *tree.Node, alias string) (*tree.Node, *tree.SelectField) {
	for i := range n.Select {
		if s := &n.Select[i]; s.Agg != parser.AggNone && s.Alias == tree.Some(alias) {
			return n, s
		}
	}
	for _, c := range n.Children {
		if c.Spread == tree.NoSpread {
			continue
		}
		if owner, s := aggregateNamed(c, alias); s != nil {
			return owner, s
		}
	}
	return nil, nil
}

// nameAggregates finds the conditions and order terms that name an aggregate. The
// conditions move to HAVING. A to-one spread has one row, so its order has no effect.
// Terms that name an aggregate are removed, because the aggregate moves to the rows around it.
func (r *resolver) nameAggregates(n *tree.Node) {
	for _, c := range n.Children {
		r.nameAggregates(c)
	}
	n.Where = slices.DeleteFunc(n.Where, func(c tree.Cond) bool {
		having := r.namesAggregate(n, &c)
		if having {
			n.Having = append(n.Having, c)
		}
		return having
	})
	for i := range n.Order {
		if t := &n.Order[i]; !t.Rel.Given && t.Aggregate == nil {
			t.Aggregate = r.aggregate(n, &t.Field)
		}
	}
	if n.Spread == tree.SpreadToOne {
		n.Order = slices.DeleteFunc(n.Order, func(t tree.OrderTerm) bool { return t.Aggregate != nil })
	}
}

// namesAggregate replaces the aliases of aggregates in a condition, and reports
// whether there are any.
func (r *resolver) namesAggregate(n *tree.Node, c *tree.Cond) bool {
	if c.Kind == tree.CondFilter {
		c.Aggregate = r.aggregate(n, &c.Field)
		if c.Aggregate != nil {
			c.Field = tree.Field{}
		}
		return c.Aggregate != nil
	}
	found := false
	for i := range c.Children {
		found = r.namesAggregate(n, &c.Children[i]) || found
	}
	return found
}

// aggregate returns the aggregate that a field of n names, or nil. Columns, computed
// fields and embeds come first.
func (r *resolver) aggregate(n *tree.Node, f *tree.Field) *tree.SelectField {
	if len(f.Path) > 0 {
		return nil
	}
	_, s := aggregateNamed(n, f.Name)
	if s == nil || r.cat.HasField(r.relation(n), f.Name) || findEmbed(n.Children, f.Name, false) >= 0 {
		return nil
	}
	return s
}
