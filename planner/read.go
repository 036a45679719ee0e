package planner

import (
	"fmt"
	"slices"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// MaxEmbeds is the number of relations that one request may embed. The time
// PostgreSQL needs to plan a join grows with the cube of their number: 1.5 s at
// a hundred to-one embeds side by side, 12 s at two hundred.
const MaxEmbeds = 100

var errTooManyEmbeds = &parser.Error{
	Message: "failed to parse select parameter: too many embedded resources",
	Details: fmt.Sprintf("at most %d are allowed", MaxEmbeds),
}

// maxTargets is the number of columns that PostgreSQL accepts in a select list.
// A list that "*" or spreads make longer than what the client wrote stops at
// one column more. Then PostgreSQL reports the error, and the memory is
// bounded.
const maxTargets = 1664

// resolver builds the tree of one request.
type resolver struct {
	planner *Planner
	cat     *catalog.Catalog
	opts    *Options
	query   *parser.Query
	schema  string
	root    catalog.QI
	action  Action
	top     parser.Range // rows of the root: limit=, offset= and Range combined
	inline  *inlined
	aliases int  // number of shortened aliases
	rereads bool // the rows of a write are read from their tables again, see nested.go
}

func (p *Planner) resolver(r *Request, inline *inlined) *resolver {
	return &resolver{planner: p, cat: p.cat, opts: &p.opts, query: r.Query, schema: r.Schema, action: r.Action, top: r.Top, inline: inline}
}

// read resolves the select tree over the relation, with its filters, orders and
// ranges. The steps and their order are PostgREST's: they decide which error is
// reported and the order of embeds in the result.
func (r *resolver) read(relation catalog.QI) (*tree.Node, error) {
	embeds := 0
	for i := range r.query.Items {
		if r.query.Items[i].Kind != parser.SelectField {
			embeds++
		}
	}
	if embeds > MaxEmbeds {
		return nil, errTooManyEmbeds
	}
	r.root = relation
	root := r.selectTree(relation)
	if err := r.place(root); err != nil {
		return nil, err
	}
	if err := r.relate(root, nil); err != nil {
		return nil, err
	}
	r.expandStars(root, false)
	if r.opts.Aggregates {
		r.nameAggregates(root)
	}
	addAliases(root)
	if err := relatedOrders(root); err != nil {
		return nil, err
	}
	nullEmbeds(root)
	addEmbeds(root)
	if !r.opts.Aggregates && root.AnyAggregates() {
		return nil, &Error{Kind: AggregatesDisabled}
	}
	hoistAggregates(root)
	if err := checkDistinct(root); err != nil {
		return nil, err
	}
	if err := orderSpreads(root); err != nil {
		return nil, err
	}
	return root, nil
}

// selectTree makes the nodes of select=: the root and one node per embed.
func (r *resolver) selectTree(relation catalog.QI) *tree.Node {
	root := &tree.Node{From: relation, Name: relation.Name, Limit: noLimit}
	r.selectItems(root, r.query.SelectTop)
	return root
}

var noLimit = tree.Limit{Range: tree.NoRange, Inline: -1, Offset: -1}

func (r *resolver) selectItems(n *tree.Node, first int32) {
	for i := first; i >= 0; i = r.query.Items[i].Next {
		item := &r.query.Items[i]
		if item.Kind == parser.SelectField {
			n.Select = append(n.Select, tree.SelectField{
				Field:   r.outputField(n.From, r.field(item.Field)),
				Agg:     item.Agg,
				AggCast: opt(item.AggCast, item.HasAggCast),
				Cast:    opt(item.Cast, item.HasCast),
				Alias:   opt(item.Alias, item.HasAlias),
			})
			continue
		}
		child := &tree.Node{
			From:     catalog.QI{Schema: r.schema, Name: string(item.Field.Name)},
			Name:     string(item.Field.Name),
			RelAlias: opt(item.Alias, item.HasAlias),
			Hint:     opt(item.Hint, item.HasHint),
			Join:     item.Join,
			Limit:    noLimit,
			Depth:    n.Depth + 1,
		}
		if item.Kind == parser.SelectSpread {
			child.Spread = tree.SpreadToOne // until the relationship says otherwise
		}
		r.selectItems(child, item.First)
		n.Children = append(n.Children, child)
	}
}

// place adds filters, orders, ranges and logic trees to the nodes that their
// paths name. Naming an embed moves it to the front of its siblings, from the
// last parameter to the first. This decides the order of embeds in the result.
func (r *resolver) place(root *tree.Node) error {
	q := r.query
	for i := len(q.FilterRoots) - 1; i >= 0; i-- {
		f := &q.Filters[q.FilterRoots[i]]
		if r.action.Writes() && f.Path.N == 0 {
			continue // filters of the write itself
		}
		n, conds, err := r.filtered(root, f.Path)
		if err != nil {
			return err
		}
		*conds = append(*conds, r.filter(n.From, f))
	}
	if err := r.distincts(root); err != nil {
		return err
	}
	for i := len(q.Orders) - 1; i >= 0; i-- {
		o := &q.Orders[i]
		n, err := r.node(root, o.Path)
		if err != nil {
			return err
		}
		n.Order = r.order(n, q.OrderTerms(*o))
	}
	if !r.action.Writes() {
		if err := r.ranges(root); err != nil {
			return err
		}
	}
	for i := len(q.LogicRoots) - 1; i >= 0; i-- {
		l := &q.LogicRoots[i]
		if r.action.Writes() && l.Path.N == 0 {
			continue
		}
		n, conds, err := r.filtered(root, l.Path)
		if err != nil {
			return err
		}
		*conds = append(*conds, r.logic(n.From, l.Node))
	}
	reverseWhere(root)
	return nil
}

// reverseWhere reverses the conditions, which were collected from the last to
// the first. They then have the order of the request, with logic trees before
// filters.
func reverseWhere(n *tree.Node) {
	slices.Reverse(n.Where)
	for i := range n.Select {
		slices.Reverse(n.Select[i].Filter)
	}
	for _, c := range n.Children {
		reverseWhere(c)
	}
}

// node returns the node that a path names. It moves the embeds on the way to
// the front of their siblings.
func (r *resolver) node(n *tree.Node, path parser.Names) (*tree.Node, error) {
	for _, name := range r.query.Path(path) {
		target := string(name)
		i := findEmbed(n.Children, target, r.opts.LegacyTargetNames)
		if i < 0 {
			e := &Error{Kind: NotEmbedded, Name: target}
			if !r.opts.LegacyTargetNames {
				if j := findEmbed(n.Children, target, true); j >= 0 {
					e.IsLegacy, e.LegacyName, e.LegacyAlias = true, n.Children[j].Name, n.Children[j].RelAlias.Name
				}
			}
			return nil, e
		}
		child := n.Children[i]
		copy(n.Children[1:i+1], n.Children[:i])
		n.Children[0] = child
		if child.Name == target && child.RelAlias.Given && child.RelAlias.Name != target {
			child.LegacyName = true
		}
		n = child
	}
	return n, nil
}

// findEmbed returns the index of the embed with that name, or -1. With legacy
// names, an embed with an alias is also found by its relation's name.
func findEmbed(children []*tree.Node, name string, legacy bool) int {
	for i, c := range children {
		if legacy {
			if c.Name == name || c.RelAlias == tree.Some(name) {
				return i
			}
		} else if c.SelfName() == name {
			return i
		}
	}
	return -1
}

// ranges sets the LIMIT and OFFSET of every node. db-max-rows limits every node
// of a read or call.
func (r *resolver) ranges(root *tree.Node) error {
	if err := r.query.RangeError(); err != nil {
		return err
	}
	for i := range r.query.Ranges {
		pr := &r.query.Ranges[i]
		if pr.Path.N == 0 {
			continue // r.top has the root's range, combined with the Range header
		}
		n, err := r.node(root, pr.Path)
		if err != nil {
			return err
		}
		n.Limit = r.limit(pr.Range, int32(i))
		if i < inlinedRanges {
			n.Limit.Inline = r.inline.limits[1+i]
		}
	}
	root.Limit = r.limit(r.top, tree.TopRange)
	root.Limit.Inline, root.Limit.Offset = r.inline.limits[0], r.inline.offset
	r.restrict(root)
	return nil
}

func (r *resolver) limit(rng parser.Range, index int32) tree.Limit {
	shape := r.planner.Restrict(rng).Shape()
	return tree.Limit{Range: index, HasLimit: shape&parser.ShapeBounded != 0, HasOffset: shape&parser.ShapeFollowed != 0, Inline: -1, Offset: -1}
}

// restrict applies db-max-rows to the nodes without a range.
func (r *resolver) restrict(n *tree.Node) {
	if r.opts.MaxRows >= 0 && n.Limit.Range == tree.NoRange {
		n.Limit.HasLimit, n.Limit.Inline = true, r.opts.MaxRows
	}
	for _, c := range n.Children {
		r.restrict(c)
	}
}

// order resolves the terms of one order= parameter.
func (r *resolver) order(n *tree.Node, terms []parser.OrderTerm) []tree.OrderTerm {
	out := make([]tree.OrderTerm, len(terms))
	for i := range terms {
		t := &terms[i]
		out[i] = tree.OrderTerm{Dir: t.Dir, Nulls: t.Nulls}
		if t.HasRel {
			out[i].Rel = tree.Some(string(t.Rel))
			out[i].Field = r.field(t.Field)
			out[i].Field.Bare = true
			continue
		}
		if t.Agg != parser.AggNone {
			out[i].Aggregate = &tree.SelectField{Field: r.outputField(n.From, r.field(t.Field)), Agg: t.Agg}
			continue
		}
		out[i].Field = r.orderField(n, t.Field)
	}
	return out
}

// orderField resolves a column that rows are ordered by. Also below the root,
// PostgREST looks for the column in the root's relation. So a json column of
// an embed has no order if the root has a json column of that name.
func (r *resolver) orderField(n *tree.Node, field parser.Field) tree.Field {
	f, atRoot := r.typed(n.From, r.field(field)), r.typed(r.root, r.field(field))
	f.Bare = f.ToJSON && !atRoot.ToJSON
	f.ToJSON = atRoot.ToJSON && f.Type != "jsonb"
	return f
}

// relatedOrders replaces the embeds named in order terms by the aliases under
// which they are joined. Only an embed of at most one row can order its parent.
func relatedOrders(n *tree.Node) error {
	for i := range n.Order {
		t := &n.Order[i]
		if !t.Rel.Given {
			continue
		}
		j := findEmbed(n.Children, t.Rel.Name, false)
		if j < 0 {
			return &Error{Kind: NotEmbedded, Name: t.Rel.Name}
		}
		if child := n.Children[j]; !child.Rel.IsToOne() {
			return &Error{Kind: RelatedOrderNotToOne, Parent: n.From.Name, Name: child.SelfName()}
		}
		t.Rel = tree.Some(n.Children[j].AggAlias)
	}
	for _, c := range n.Children {
		if err := relatedOrders(c); err != nil {
			return err
		}
	}
	return nil
}

func opt(b []byte, given bool) tree.Opt { return tree.Opt{Name: string(b), Given: given} }
