package planner

import (
	"slices"
	"strconv"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// relate finds the relationship of every embed to its parent, from the root
// down. It gives the embeds their aliases and join conditions.
func (r *resolver) relate(n, parent *tree.Node) error {
	if parent == nil {
		if r.action.Writes() && !r.rereads || r.action.calls() {
			// The rows are in a CTE. Its alias is the name of the relation, by
			// which the relationships are found.
			n.Alias = tree.Some(n.From.Name)
			n.From = sqlgen.Source
		}
	} else {
		origin := parent.From.Name
		if n.Depth == 1 {
			origin = parent.Alias.Or(origin)
		}
		rel, err := r.relationship(origin, n.Name, n.Hint)
		if err != nil {
			return err
		}
		r.join(n, parent, rel)
	}
	for _, c := range n.Children {
		if err := r.relate(c, n); err != nil {
			return err
		}
	}
	return nil
}

// join connects n to its parent by rel.
func (r *resolver) join(n, parent *tree.Node, rel *catalog.Relationship) {
	n.Rel = rel
	n.From = rel.Foreign
	n.AggAlias = r.alias(rel.Table.Name+"_"+n.SelfName(), n.Depth)
	if n.Spread != tree.NoSpread && !rel.IsToOne() {
		n.Spread = tree.SpreadToMany
	}
	own := catalog.QI{Schema: rel.Table.Schema, Name: rel.Table.Name}
	if parent.Alias.Given {
		own = catalog.QI{Name: parent.Alias.Name}
	}
	switch rel.Cardinality {
	case catalog.ManyToMany:
		// The relation and its junction stand in one FROM, without aliases.
		junction := rel.Junction.Table
		for _, c := range rel.Junction.Target {
			n.JoinConds = append(n.JoinConds, tree.JoinCond{Left: junction, LeftColumn: c.Foreign, Right: rel.Foreign, RightColumn: c.Column})
		}
		for _, c := range rel.Junction.Source {
			n.JoinConds = append(n.JoinConds, tree.JoinCond{Left: junction, LeftColumn: c.Foreign, Right: own, RightColumn: c.Column})
		}
	case catalog.Computed:
		n.Alias = tree.Some(r.alias(rel.Foreign.Name, n.Depth))
		n.ParentRef = own
		n.RowType = r.cat.RowTypes[rel.Foreign]
	default:
		n.Alias = tree.Some(r.alias(rel.Foreign.Name, n.Depth))
		alias := catalog.QI{Name: n.Alias.Name}
		for _, c := range rel.Columns {
			n.JoinConds = append(n.JoinConds, tree.JoinCond{Left: alias, LeftColumn: c.Foreign, Right: own, RightColumn: c.Column})
		}
	}
}

// alias returns an alias made of a name and a depth. PostgreSQL would cut the
// depth off a long alias. Then two levels or siblings could have one alias, and
// a row would be joined with itself. So a long name is cut here and made unique
// by a number.
func (r *resolver) alias(name string, depth int) string {
	suffix := "_" + strconv.Itoa(depth)
	if len(name)+len(suffix) <= sqlgen.MaxIdentifier {
		return name + suffix
	}
	r.aliases++
	suffix = "_" + strconv.Itoa(r.aliases) + suffix
	return sqlgen.CutName(name, sqlgen.MaxIdentifier-len(suffix)) + suffix
}

// relationship finds the relationship of origin that target and hint mean. It
// fails if there is not exactly one.
func (r *resolver) relationship(origin, target string, hint tree.Opt) (*catalog.Relationship, error) {
	found := r.related(origin, target, hint)
	switch len(found) {
	case 0:
		return nil, &Error{
			Kind: NoRelationship, Schema: r.schema, Parent: origin, Name: target,
			EmbedHint: hint.Name, HasEmbedHint: hint.Given,
			Suggestion: r.planner.suggestEmbed(r.schema, origin, target),
		}
	case 1:
		return found[0], nil
	}
	return nil, &Error{Kind: AmbiguousEmbed, Parent: origin, Name: target, Relationships: found}
}

// related returns all relationships of origin that target and hint mean.
func (r *resolver) related(origin, target string, hint tree.Opt) (found []*catalog.Relationship) {
	for _, rel := range r.cat.RelationshipsFrom(catalog.QI{Schema: r.schema, Name: origin}, r.schema) {
		if matches(rel, target, hint) {
			found = append(found, rel)
		}
	}
	return found
}

// matches reports whether target and the optional hint mean rel. The target is
// the name of the related table or view. For a table it may also be the name of
// the foreign key or of its only column. The hint is the foreign key, its only
// column on either side, or the junction.
func matches(rel *catalog.Relationship, target string, hint tree.Opt) bool {
	byTable := target == rel.Foreign.Name
	switch {
	case rel.Cardinality == catalog.Computed:
		return target == rel.Function.Name
	case rel.Self && !hint.Given:
		// A foreign key from a table to itself gives two relationships. The
		// table's name means the many side, the column's name the one side.
		return byTable && rel.Cardinality == catalog.OneToMany ||
			rel.Cardinality == catalog.ManyToOne && isColumn(rel, target)
	case rel.Self:
		return byTable && rel.Cardinality == catalog.OneToMany && onlyForeign(rel, hint.Name)
	case !hint.Given:
		return byTable || !rel.ForeignIsView && (isConstraint(rel, target) || isColumn(rel, target))
	}
	return byTable && (isConstraint(rel, hint.Name) || isColumn(rel, hint.Name) || onlyForeign(rel, hint.Name) ||
		rel.Cardinality == catalog.ManyToMany && rel.Junction.Table.Name == hint.Name)
}

func isColumn(rel *catalog.Relationship, name string) bool {
	return rel.Cardinality != catalog.ManyToMany && len(rel.Columns) == 1 && rel.Columns[0].Column == name
}

func onlyForeign(rel *catalog.Relationship, name string) bool {
	return rel.Cardinality != catalog.ManyToMany && len(rel.Columns) == 1 && rel.Columns[0].Foreign == name
}

func isConstraint(rel *catalog.Relationship, name string) bool {
	return rel.Cardinality != catalog.ManyToMany && rel.Constraint == name
}

// addEmbeds lists on every node what its children add to its rows.
func addEmbeds(n *tree.Node) {
	for _, c := range n.Children {
		addEmbeds(c)
		e := tree.Embed{Node: c, Name: c.SelfName(), AggAlias: c.AggAlias}
		switch {
		case c.Spread != tree.NoSpread:
			e.Kind = tree.EmbedSpread
			e.Fields = spreadFields(c)
		case c.Rel.IsToOne():
			e.Kind, e.Empty = tree.EmbedObject, selectsNothing(c)
		default:
			e.Kind, e.Empty = tree.EmbedArray, selectsNothing(c)
		}
		for i := range n.Embeds {
			if first := &n.Embeds[i]; first.AggAlias == e.AggAlias {
				first.Repeated, e.Repeated = true, true
				// PostgREST joins the first one again, and the error is about that. What is in
				// it does not matter. With it, each level of embeds would double the statement.
				e.Node = first.Node.Plain()
				break
			}
		}
		n.Embeds = append(n.Embeds, e)
	}
}

// selectsNothing reports whether an embed selects no column at any level:
// rel(). It only filters.
func selectsNothing(n *tree.Node) bool {
	if len(n.Select) > 0 {
		return false
	}
	for _, c := range n.Children {
		if !selectsNothing(c) {
			return false
		}
	}
	return true
}

// expandStars replaces "*" by the relation's columns where the single columns
// matter: below or beside an aggregate (they are grouped by), in to-many
// spreads (each becomes an array), and where a column has a representation.
func (r *resolver) expandStars(n *tree.Node, aggregated bool) {
	aggregated = aggregated || n.Aggregates() || n.Spread == tree.SpreadToMany
	relation := r.relation(n)
	var columns []*catalog.Column
	if t := r.cat.Tables[relation]; t != nil {
		columns = t.Columns
	}
	if aggregated || r.anyRepresented(columns) {
		expandStar(n, func() []tree.SelectField {
			fields := make([]tree.SelectField, len(columns))
			for i, c := range columns {
				fields[i].Field = r.represented(tree.Field{Name: c.Name, Type: c.NominalType}, "json")
			}
			return fields
		})
	}
	for _, c := range n.Children {
		r.expandStars(c, aggregated)
	}
}

// relation returns the relation of a node's rows, also where they are in a CTE.
func (r *resolver) relation(n *tree.Node) catalog.QI {
	if n.From == sqlgen.Source && n.Alias.Given {
		return catalog.QI{Schema: r.schema, Name: n.Alias.Name}
	}
	return n.From
}

func (r *resolver) anyRepresented(columns []*catalog.Column) bool {
	return slices.ContainsFunc(columns, func(c *catalog.Column) bool { return r.cat.Representation(c.NominalType, "json") != nil })
}

func expandStar(n *tree.Node, columns func() []tree.SelectField) {
	var out []tree.SelectField
	for _, s := range n.Select {
		if len(out) > maxTargets {
			break
		}
		isStar := s.Field.Name == "*" && len(s.Field.Path) == 0
		switch {
		case isStar && s.Agg == parser.AggNone:
			for _, c := range columns() {
				c.Cast, c.AggCast, c.Alias = s.Cast, s.AggCast, s.Alias
				out = append(out, c)
			}
		case isStar && s.Agg == parser.AggCount && n.Spread != tree.NoSpread:
			// Count the rows of the spread, not those of the parent.
			s.Field.FullRow = true
			out = append(out, s)
		default:
			out = append(out, s)
		}
	}
	n.Select = out
}

// addAliases names the fields whose column would not have the name that the
// client expects. A JSON path gets its last key, a represented domain its
// column, an aggregate in a spread its function.
func addAliases(n *tree.Node) {
	for i := range n.Select {
		s := &n.Select[i]
		switch {
		case s.Alias.Given:
		case s.Agg != parser.AggNone:
			if n.Spread != tree.NoSpread {
				s.Alias = tree.Some(aggregateNames[s.Agg])
			}
		case len(s.Field.Path) > 0:
			s.Alias = tree.Some(lastKey(&s.Field))
		case s.Field.Transform != "":
			s.Alias = tree.Some(s.Field.Name)
		}
	}
	for _, c := range n.Children {
		addAliases(c)
	}
}

var aggregateNames = map[parser.Aggregate]string{
	parser.AggSum: "sum", parser.AggAvg: "avg", parser.AggCount: "count", parser.AggMax: "max", parser.AggMin: "min", parser.AggCountDistinct: "count",
}

// lastKey returns the last key of a JSON path, or the column's name if the path
// has only indexes.
func lastKey(f *tree.Field) string {
	for i := len(f.Path) - 1; i >= 0; i-- {
		if !f.Path[i].Index {
			return f.Path[i].Key
		}
	}
	return f.Name
}
