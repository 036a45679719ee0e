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
	w.selectList(n, ref)
	w.from(n)
	for i := range n.Embeds {
		if e := &n.Embeds[i]; !w.inSelect(n, e) {
			w.join(e)
		}
	}
	where := " WHERE "
	if n.RowType != 0 {
		w.S(where)
		w.follow(n.RowType)
		where = " AND "
	}
	if len(n.Where)+len(n.JoinConds) > 0 {
		w.S(where)
		w.conditions(ref, n.Where, w.joinedIsNull)
		if len(n.Where) > 0 && len(n.JoinConds) > 0 {
			w.S(" AND ")
		}
		w.joinConds(n.JoinConds)
	}
	w.groupBy(n, ref)
	w.orderBy(ref, n.Order)
	w.limit(n.Limit)
}

var star = tree.SelectField{Field: tree.Field{Name: "*"}}

// selectList writes the select list of a node, which may be empty.
func (w *Writer) selectList(n *tree.Node, ref catalog.QI) {
	first := true
	comma := func() {
		if !first {
			w.S(",")
		}
		w.S(" ")
		first = false
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
		table := ref
		if n.Extra[i].Rel.Given {
			table = catalog.QI{Name: n.Extra[i].Rel.Name}
		}
		w.selectField(table, &n.Extra[i].Field)
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
			w.S("COALESCE((SELECT pg_catalog.json_agg(")
			w.Ident(e.AggAlias)
			w.S(".*) FROM (")
			w.query(e.Node)
			w.S(") AS ")
			w.Ident(e.AggAlias)
			w.S("), '[]') AS ")
			w.Ident(e.Name)
		case e.Kind == tree.EmbedObject:
			comma()
			w.S("pg_catalog.row_to_json(")
			w.Ident(e.AggAlias)
			w.S(".*)")
			w.castEmbed()
			w.S(" AS ")
			w.Ident(e.Name)
		default:
			comma()
			w.S("COALESCE(")
			w.Ident(e.AggAlias)
			w.S(".")
			w.Ident(e.AggAlias)
			w.S(", '[]') AS ")
			w.Ident(e.Name)
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

// castEmbed casts an embed to jsonb, unless embeds stay json. jsonb has one
// printed form and can be grouped by.
func (w *Writer) castEmbed() {
	if !w.json {
		w.S("::pg_catalog.jsonb")
	}
}

// JSONColumns names the columns of a page that Rows and CallRows return as
// json, although the response has the text of jsonb. The cast to jsonb costs
// PostgreSQL more than the embed itself. A read with aggregates has
// none of them, because json has no equality and cannot be grouped by.
func JSONColumns(root *tree.Node) []string {
	if groups(root) {
		return nil
	}
	return embedColumns(root)
}

func groups(n *tree.Node) bool {
	if aggregated(n) {
		return true
	}
	for i := range n.Embeds {
		if groups(n.Embeds[i].Node) {
			return true
		}
	}
	return false
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
	w.aggregate(f.Agg, f.AggCast, func() { w.column(catalog.QI{Name: aggAlias}, f.Name) })
	w.alias(f.Alias)
}

// from writes the FROM of a node: its relation, or for a computed relationship
// the function, called with the parent's row. A many-to-many relationship adds
// its junction.
func (w *Writer) from(n *tree.Node) {
	w.S(" FROM ")
	if n.Rel != nil && n.Rel.Cardinality == catalog.Computed {
		// The cast selects one of overloaded functions when the parent is a
		// CTE, whose row type has no name.
		w.Name(n.Rel.Function)
		w.S("(")
		w.Name(n.ParentRef)
		w.S(".*::")
		w.Name(n.Rel.Table)
		w.S(")")
	} else {
		w.Name(n.From)
	}
	w.alias(n.Alias)
	if n.Rel != nil && n.Rel.Cardinality == catalog.ManyToMany {
		w.S(", ")
		w.Name(n.Rel.Junction.Table)
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
	toMany := e.Kind == tree.EmbedArray || e.Node.Spread == tree.SpreadToMany
	if toMany {
		w.S("SELECT pg_catalog.json_agg(")
		w.Ident(e.AggAlias)
		if !e.Repeated {
			w.S(".*") // without the star, the name could refer to a column
		}
		w.S(")")
		w.castEmbed()
		w.S(" AS ")
		w.Ident(e.AggAlias)
		if e.Kind == tree.EmbedSpread {
			for i := range e.Fields {
				w.S(", ")
				w.spreadToMany(e.AggAlias, e.Node.SpreadOrder, &e.Fields[i])
			}
		}
		w.S(" FROM (")
		w.query(e.Node)
		w.S(") AS ")
		w.Ident(e.AggAlias)
	} else {
		w.query(e.Node)
	}
	w.S(") AS ")
	w.Ident(e.AggAlias)
	if toMany && inner {
		w.S(" ON ")
		w.Ident(e.AggAlias)
		w.S(".")
		w.Ident(e.AggAlias)
		w.S(" IS NOT NULL")
	} else {
		w.S(" ON TRUE")
	}
}

func (w *Writer) spreadToMany(aggAlias string, order []tree.OrderTerm, f *tree.SpreadField) {
	w.S("COALESCE(pg_catalog.json_agg(")
	w.column(catalog.QI{Name: aggAlias}, f.Name)
	w.orderBy(catalog.QI{Name: aggAlias}, order)
	w.S("), '[]')::pg_catalog.jsonb AS ")
	w.Ident(f.Alias.Or(f.Name))
}

// groupBy groups by all selected columns without an aggregate, if any column
// has an aggregate.
func (w *Writer) groupBy(n *tree.Node, ref catalog.QI) {
	if !aggregated(n) {
		return
	}
	first := true
	term := func() {
		if first {
			w.S(" GROUP BY ")
		} else {
			w.S(", ")
		}
		first = false
	}
	for i := range n.Select {
		s := &n.Select[i]
		if s.Agg != parser.AggNone {
			continue
		}
		term()
		if s.Alias.Given {
			w.Ident(s.Alias.Name)
		} else {
			w.field(ref, &s.Field)
		}
	}
	for i := range n.Embeds {
		e := &n.Embeds[i]
		if e.Kind != tree.EmbedSpread {
			term()
			w.Ident(e.Name)
			continue
		}
		for j := range e.Fields {
			f := &e.Fields[j]
			if f.Agg != parser.AggNone {
				continue
			}
			term()
			w.Ident(e.AggAlias)
			w.S(".")
			w.Ident(f.Alias.Or(f.Name))
		}
	}
}

func aggregated(n *tree.Node) bool {
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
