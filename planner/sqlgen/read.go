package sqlgen

import (
	"slices"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// query writes the SELECT of a node with its embeds.
func (w *Writer) query(n *tree.Node) {
	ref := n.Ref()
	w.S("SELECT")
	w.distinct(n, ref)
	w.selectList(n, ref)
	w.from(n)
	for i := range n.Embeds {
		if e := &n.Embeds[i]; !w.inSelect(n, e) {
			w.join(e)
		}
	}
	and := w.between(" WHERE ", " AND ")
	if n.RowType != 0 {
		and()
		w.S(dependsOn(n.RowType))
	}
	if len(n.Where) > 0 {
		and()
		w.conditions(ref, n.Where, w.joinedIsNull)
	}
	if len(n.JoinConds) > 0 {
		and()
		w.joinConds(n.JoinConds)
	}
	if n.After != nil {
		and()
		w.after(ref, n)
	}
	w.groupBy(n, ref)
	if len(n.Having) > 0 {
		w.S(" HAVING ")
		w.conditions(ref, n.Having, w.joinedIsNull)
	}
	w.order(ref, n.Order)
	w.limit(n.Limit, n.Keyed)
}

func (w *Writer) distinct(n *tree.Node, ref catalog.QI) {
	switch {
	case len(n.DistinctOn) > 0:
		w.S(" DISTINCT ON (", list(n.DistinctOn, func(f *tree.Field) string { return field(ref, f) }), ")")
	case n.Distinct:
		w.S(" DISTINCT")
	}
}

var star = tree.SelectField{Field: tree.Field{Name: "*"}}

// selectList writes the select list of a node, which may be empty.
func (w *Writer) selectList(n *tree.Node, ref catalog.QI) {
	comma := w.between(" ", ", ")
	if n.Keyed {
		for i := range n.Order {
			comma()
			w.S(orderField(ref, &n.Order[i]), " AS ", keyColumn(i))
		}
	}
	if len(n.Select) == 0 && len(n.Children) == 0 {
		comma()
		w.selectField(ref, &star)
	}
	for i := range n.Select {
		comma()
		w.selectField(ref, &n.Select[i])
	}
	for i := range n.Extra {
		comma()
		w.extraField(ref, &n.Extra[i])
	}
	for i := range n.Embeds {
		e := &n.Embeds[i]
		switch {
		case e.Kind == tree.EmbedSpread:
			for j := range e.Fields {
				comma()
				w.spreadField(e.AggAlias, &e.Fields[j])
			}
		case e.Empty:
		case w.inSelect(n, e):
			comma()
			if r, ok := w.records[e]; ok {
				w.record(e, r)
				continue
			}
			w.S("COALESCE((SELECT pg_catalog.json_agg(", Ident(e.AggAlias), ".*) FROM (")
			w.query(e.Node)
			w.S(") AS ", Ident(e.AggAlias), "), '[]') AS ", Ident(e.Name))
		case e.Kind == tree.EmbedObject:
			comma()
			w.S("pg_catalog.row_to_json(", Ident(e.AggAlias), ".*)", w.embedCast(), " AS ", Ident(e.Name))
		default:
			comma()
			w.S("COALESCE(", Ident(e.AggAlias), ".", Ident(e.AggAlias), ", '[]') AS ", Ident(e.Name))
		}
	}
}

func (w *Writer) inSelect(n *tree.Node, e *tree.Embed) bool { return w.json && InSelect(n, e) }

// mentions reports whether conds have a null filter on the embed with this
// alias.
func mentions(conds []tree.Cond, alias string) bool {
	return slices.ContainsFunc(conds, func(c tree.Cond) bool {
		return c.Kind == tree.CondNullEmbed && c.Embed == alias || mentions(c.Children, alias)
	})
}

// embedCast returns the cast of an embed to jsonb, or nothing if embeds stay
// json. jsonb has one printed form and can be grouped by.
func (w *Writer) embedCast() string {
	if w.json {
		return ""
	}
	return "::pg_catalog.jsonb"
}

// JSONColumns names the columns of a page that Rows and CallRows return as
// json, although the response has the text of jsonb. The cast to jsonb costs
// PostgreSQL more than the embed itself. A read that compares rows has
// none of them, because json has no equality and cannot be grouped by.
func JSONColumns(root *tree.Node) []string {
	if root.ComparesRows() {
		return nil
	}
	return embedColumns(root)
}

// embedColumns names the columns of a node that are embeds, and those that a
// to-one spread lifts from the embeds below it.
func embedColumns(n *tree.Node) (names []string) {
	for i := range n.Embeds {
		e := &n.Embeds[i]
		switch {
		case e.Kind != tree.EmbedSpread:
			if !e.Empty {
				names = append(names, columnName(e.Name))
			}
		case e.Node.Spread != tree.SpreadToMany:
			below := embedColumns(e.Node)
			for j := range e.Fields {
				if f := &e.Fields[j]; slices.Contains(below, columnName(f.Name)) {
					names = append(names, columnName(f.Alias.Or(f.Name)))
				}
			}
		}
	}
	return names
}

// columnName is the name of a column as PostgreSQL cuts it.
func columnName(name string) string { return CutName(name, MaxIdentifier) }

// MaxIdentifier is the length in bytes to which PostgreSQL cuts identifiers.
const MaxIdentifier = 63

// CutName returns at most limit bytes of a name, without a part of a character.
func CutName(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	for limit > 0 && !utf8.RuneStart(name[limit]) {
		limit--
	}
	return name[:limit]
}

func (w *Writer) spreadField(aggAlias string, f *tree.SpreadField) {
	table := catalog.QI{Name: aggAlias}
	w.aggregate(f.Agg, f.AggCast, column(table, f.Name), table, f.Filter)
	w.S(alias(f.Alias))
}

func (w *Writer) extraField(table catalog.QI, e *tree.ExtraField) {
	if len(e.Conds) > 0 {
		w.S("(")
		w.conditions(table, e.Conds, w.joinedIsNull)
		w.S(")", alias(e.Field.Alias))
		return
	}
	w.selectField(embedOr(table, e.Rel), &e.Field)
}

// from writes the FROM of a node: its relation, or for a computed relationship
// the function, called with the parent's row. A many-to-many relationship adds
// its junction.
func (w *Writer) from(n *tree.Node) {
	w.S(" FROM ")
	if n.Rel != nil && n.Rel.Cardinality == catalog.Computed {
		// The cast selects one of overloaded functions when the parent is a
		// CTE, whose row type has no name.
		w.S(qualified(n.Rel.Function), "(", qualified(n.ParentRef), ".*::", qualified(n.Rel.Table), ")")
	} else {
		w.S(qualified(n.From))
	}
	w.S(alias(n.Alias))
	if n.Rel != nil && n.Rel.Cardinality == catalog.ManyToMany {
		w.S(", ", qualified(n.Rel.Junction.Table))
	}
	if n.Written != nil {
		w.S(", ")
		w.writtenItem(n.Written)
	}
}

// join writes the lateral join of one embed.
func (w *Writer) join(e *tree.Embed) {
	inner := e.Node.Join == parser.JoinInner
	if inner {
		w.S(" INNER JOIN LATERAL (")
	} else {
		w.S(" LEFT JOIN LATERAL (")
	}
	name := Ident(e.AggAlias)
	toMany := e.Kind == tree.EmbedArray || e.Kind == tree.EmbedSpread && e.Node.Spread == tree.SpreadToMany
	if toMany {
		rows := name
		if !e.Repeated {
			rows += ".*" // without the star, the name could refer to a column
		}
		w.S("SELECT pg_catalog.json_agg(", rows, ")", w.embedCast(), " AS ", name)
		if e.Kind == tree.EmbedSpread {
			for i := range e.Fields {
				w.S(", ", spreadToMany(e.AggAlias, e.Node.SpreadOrder, &e.Fields[i]))
			}
		}
		w.S(" FROM (")
		w.query(e.Node)
		w.S(") AS ", name)
	} else {
		w.query(e.Node)
	}
	w.S(") AS ", name, " ON ")
	if toMany && inner {
		w.S(name, ".", name, " IS NOT NULL")
	} else {
		w.S("TRUE")
	}
}

func spreadToMany(aggAlias string, order []tree.OrderTerm, f *tree.SpreadField) string {
	table := catalog.QI{Name: aggAlias}
	return "COALESCE(pg_catalog.json_agg(" + column(table, f.Name) + orderBy(table, order) + "), '[]')::pg_catalog.jsonb AS " + Ident(f.Alias.Or(f.Name))
}

// groupBy groups by all selected columns without an aggregate, if any column
// has an aggregate.
func (w *Writer) groupBy(n *tree.Node, ref catalog.QI) {
	if !n.Aggregates() {
		return
	}
	term := w.between(" GROUP BY ", ", ")
	for i := range n.Select {
		s := &n.Select[i]
		if s.Agg != parser.AggNone {
			continue
		}
		term()
		if s.Alias.Given {
			w.S(Ident(s.Alias.Name))
		} else {
			w.S(field(ref, &s.Field))
		}
	}
	for i := range n.Embeds {
		e := &n.Embeds[i]
		if e.Kind != tree.EmbedSpread {
			term()
			w.S(Ident(e.Name))
			continue
		}
		for j := range e.Fields {
			f := &e.Fields[j]
			if f.Agg != parser.AggNone {
				continue
			}
			term()
			w.S(Ident(e.AggAlias), ".", Ident(f.Alias.Or(f.Name)))
		}
	}
}
