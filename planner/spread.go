package planner

import (
	"slices"
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
	from           *tree.SelectField
	filter         string // column that tells whether a row passes the FILTER, or ""
}

// flagged is the FILTER over that column.
func (h *hoisted) flagged() []tree.Cond {
	if h.filter == "" {
		return nil
	}
	return []tree.Cond{{Field: tree.Field{Name: h.filter}, Op: parser.OpIs, Is: parser.IsTrue}}
}

// hoistAggregates moves aggregates inside to-one spreads up to the nearest node
// that is not a to-one spread. The client wants the sum over the parent's
// groups, not the sum of a single joined row. HAVING moves with them.
func hoistAggregates(root *tree.Node) {
	(&hoister{root: root}).hoist(root)
}

type hoister struct {
	root    *tree.Node
	filters int // number of names tried
}

// filter returns a name for a column that tells whether a row passes a FILTER.
func (h *hoister) filter() string {
	for {
		h.filters++
		if name := "pgrst_filter_" + strconv.Itoa(h.filters); !returns(h.root, name) {
			return name
		}
	}
}

// returns reports whether n or a node below it has a column of that name.
func returns(n *tree.Node, name string) bool {
	return slices.ContainsFunc(n.Select, func(s tree.SelectField) bool { return s.Alias.Or(s.Field.Name) == name }) ||
		slices.ContainsFunc(n.Children, func(c *tree.Node) bool { return c.SelfName() == name || returns(c, name) })
}

// hoist works on n and the nodes below it.
func (h *hoister) hoist(n *tree.Node) (up []hoisted, having []tree.Cond) {
	var below []hoisted
	for _, c := range n.Children {
		aggs, conds := h.hoist(c)
		below = append(below, aggs...)
		n.Having = append(n.Having, conds...)
	}
	if n.Spread != tree.SpreadToOne {
		for i := range n.Embeds {
			applyHoisted(&n.Embeds[i], below)
		}
		followHoisted(n, below)
		return nil, nil
	}
	liftColumns(n, n.Having)
	for i := range n.Select {
		s := &n.Select[i]
		if s.Agg == parser.AggNone {
			continue
		}
		lift := hoisted{aggAlias: n.AggAlias, name: s.Alias.Or(s.Field.Name), agg: s.Agg, cast: s.AggCast, alias: s.Alias, from: s}
		if len(s.Filter) > 0 {
			lift.filter = h.filter()
			n.Extra = append(n.Extra, tree.ExtraField{Field: tree.SelectField{Alias: tree.Some(lift.filter)}, Conds: s.Filter})
		}
		up = append(up, lift)
		n.Hoisted = append(n.Hoisted, *s)
		s.Agg, s.AggCast, s.Filter = parser.AggNone, tree.Opt{}, nil
	}
	for _, lift := range below {
		if lift.filter != "" {
			n.Extra = append(n.Extra, tree.ExtraField{Rel: tree.Some(lift.aggAlias), Field: tree.SelectField{Field: tree.Field{Name: lift.filter}}})
		}
		lift.aggAlias = n.AggAlias
		up = append(up, lift)
	}
	having, n.Having = n.Having, nil
	return up, having
}

// liftColumns makes conditions on columns of a to-one spread conditions on what it returns
// to its parent. A column that it returns only for them is not one of the parent's groups:
// PostgreSQL refuses it, as it does without a spread.
func liftColumns(n *tree.Node, conds []tree.Cond) {
	for i := range conds {
		c := &conds[i]
		switch {
		case c.Kind == tree.CondLogic:
			liftColumns(n, c.Children)
		case c.Aggregate == nil:
			if !renameLifted(n, c) {
				addLifted(n, c)
			}
			c.Rel = tree.Some(n.AggAlias)
		}
	}
}

// addLifted has a to-one spread return the column of a condition, under a name that it does
// not return yet. The condition gets that name.
func addLifted(n *tree.Node, c *tree.Cond) {
	for i := range n.Extra {
		if x := &n.Extra[i]; x.Rel == c.Rel && x.Field.Field.Name == c.Field.Name {
			c.Field.Name = x.Field.Alias.Or(c.Field.Name)
			return
		}
	}
	column := tree.SelectField{Field: tree.Field{Name: c.Field.Name}}
	for returns(n, c.Field.Name) || slices.ContainsFunc(n.Extra, func(x tree.ExtraField) bool { return x.Field.Alias.Or(x.Field.Field.Name) == c.Field.Name }) {
		c.Field.Name += "_"
		column.Alias = tree.Some(c.Field.Name)
	}
	n.Extra = append(n.Extra, tree.ExtraField{Rel: c.Rel, Field: column})
}

// renameLifted has a condition name a column, or the column of its JSON path, as a to-one spread
// returns it to its parent, and reports whether the spread does.
func renameLifted(n *tree.Node, c *tree.Cond) bool {
	if c.Rel.Given { // of a spread in n, which returns all columns of that
		return lifts(n, c.Rel, c.Field.Name)
	}
	for _, path := range [][]tree.JSONStep{nil, c.Field.Path} {
		key := fieldKey(&tree.Field{Name: c.Field.Name, Path: c.Field.Path[:len(c.Field.Path)-len(path)]})
		for i := range n.Select {
			s := &n.Select[i]
			if s.Agg == parser.AggNone && !s.Cast.Given && s.Field.Transform == "" && fieldKey(&s.Field) == key {
				c.Field.Name, c.Field.Path = s.Alias.Or(s.Field.Name), path
				return true
			}
		}
	}
	return false
}

// lifts reports whether the spread with the alias rel adds a column of that name to n.
func lifts(n *tree.Node, rel tree.Opt, name string) bool {
	for i := range n.Embeds {
		if e := &n.Embeds[i]; tree.Some(e.AggAlias) == rel {
			return slices.ContainsFunc(e.Fields, func(f tree.SpreadField) bool { return f.Name == name || f.Name == "*" })
		}
	}
	return false
}

// followHoisted lets HAVING and the order of a node name the aggregates where they
// have moved to.
func followHoisted(n *tree.Node, aggs []hoisted) {
	if len(aggs) == 0 {
		return
	}
	follow := func(rel *tree.Opt, s **tree.SelectField) {
		for i := range aggs {
			if h := &aggs[i]; h.from == *s {
				*rel = tree.Some(h.aggAlias)
				*s = &tree.SelectField{Field: tree.Field{Name: h.name}, Agg: h.agg, AggCast: h.cast, Filter: h.flagged()}
				return
			}
		}
	}
	var visit func(conds []tree.Cond)
	visit = func(conds []tree.Cond) {
		for i := range conds {
			if c := &conds[i]; c.Aggregate != nil {
				follow(&c.Rel, &c.Aggregate)
			}
			visit(conds[i].Children)
		}
	}
	visit(n.Having)
	for i := range n.Order {
		if t := &n.Order[i]; t.Aggregate != nil {
			follow(&t.Rel, &t.Aggregate)
		}
	}
}

func applyHoisted(e *tree.Embed, aggs []hoisted) {
	for i := range e.Fields {
		f := &e.Fields[i]
		for _, h := range aggs {
			if h.aggAlias == e.AggAlias && h.name == f.Name {
				f.Agg, f.AggCast, f.Alias, f.Filter = h.agg, h.cast, h.alias, h.flagged()
				break
			}
		}
	}
}

// orderSpreads prepares to-many spreads. Their order moves into the
// aggregation. The columns of the order are selected under separate names.
func orderSpreads(n *tree.Node) error {
	if n.Spread == tree.SpreadToMany {
		if n.Aggregates() {
			return &Error{Kind: NotImplemented, Details: "Aggregates are not implemented for one-to-many or many-to-many spreads."}
		}
		for i := range n.Order {
			t := &n.Order[i]
			alias := n.AggAlias + "_" + t.Field.Name + "_" + strconv.Itoa(i+1)
			for returns(n, alias) {
				alias += "_"
			}
			n.Extra = append(n.Extra, tree.ExtraField{Rel: t.Rel, Field: tree.SelectField{Field: t.Field, Alias: tree.Some(alias)}})
			n.SpreadOrder = append(n.SpreadOrder, tree.OrderTerm{Field: tree.Field{Name: alias}, Dir: t.Dir, Nulls: t.Nulls})
		}
		if len(n.DistinctOn) == 0 { // else it decides which rows there are
			n.Order = nil
		}
	}
	for _, c := range n.Children {
		if err := orderSpreads(c); err != nil {
			return err
		}
	}
	return nil
}

// neededColumns returns the columns of the rows of a write or call that the response needs:
// those that are selected or named by clauses, those that the embeds join on, and those in
// keep. It is {"*"} if all are needed.
func neededColumns(n *tree.Node, keep []string) map[string]bool {
	out := map[string]bool{}
	for i := range n.Select {
		if n.Select[i].Field.Name == "*" {
			return map[string]bool{"*": true}
		}
		out[n.Select[i].Field.Name] = true
	}
	for _, name := range clauseFields(n) {
		if name == "*" {
			return map[string]bool{"*": true}
		}
		out[name] = true
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
