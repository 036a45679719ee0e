package planner

import (
	"slices"
	"strconv"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// buildNested plans a nested insert: the inserts, and a last statement that reads what they
// have written.
func (p *Planner) buildNested(r *Request, n *nest) (*Plan, error) {
	table := n.root.table
	root, err := n.read(table.QI)
	if err != nil {
		return nil, err
	}
	if err := r.checkPreferences(nil); err != nil {
		return nil, err
	}
	media, form, err := p.negotiate(r, table.QI, root.HasOnlyStar())
	if err != nil {
		return nil, err
	}
	representation := r.Prefer.Representation
	if representation != header.ReturnFull {
		form.Kind = sqlgen.BodyNone
	}
	plan := p.plan(r, table.QI, root, media, form)
	plan.setLines(r, form)
	plan.Rows, plan.Lines = false, NoLines
	if plan.Explain {
		return nil, &Error{Kind: NotImplemented, Details: "A nested insert has no execution plan, because it is several statements"}
	}
	b := nestedBuild{nest: n, request: r, writes: map[*nestedLevel]*tree.Write{}}
	if err := b.build(n.root); err != nil {
		return nil, err
	}
	top := b.writes[n.root]
	top.Nested.Silent = false // its rows are counted
	if representation == header.ReturnFull || representation == header.ReturnHeaders {
		b.remember(top, table.PrimaryKey...)
	}
	if representation == header.ReturnFull {
		if len(table.PrimaryKey) == 0 {
			return nil, n.root.fault("'" + table.Name + "' has no primary key by which to read the written rows: use return=minimal")
		}
		b.top = root
		b.attach(root, n.root, tree.Opt{})
	}
	plan.UserCode = true // triggers, defaults, checks
	plan.Merge, plan.Key = top.Count, table.PrimaryKey
	plan.Located = representation == header.ReturnHeaders
	p.inspect(plan, root, true)
	if err := p.printNested(plan, &b, form); err != nil {
		return nil, err
	}
	return plan, plan.finish()
}

// printNested prints the statements of a nested insert: Lead and Main.
func (p *Planner) printNested(plan *Plan, b *nestedBuild, form sqlgen.Body) error {
	plan.Lead, plan.places = []sqlgen.Statement{sqlgen.NestedBody()}, []string{""}
	for _, w := range b.order {
		t := p.cat.Tables[w.Table]
		plan.leaves(t.WriteLeftovers)
		plan.PerRole = plan.PerRole || t.RowSecurity || t.UserCode || defaultsCall(t)
		s := sqlgen.NestedInsert(w)
		if s.TooLarge() {
			return errTooLarge
		}
		plan.Lead, plan.writes, plan.places = append(plan.Lead, s), append(plan.writes, w), append(plan.places, b.places[w])
	}
	root, read, rows := b.top, b.read, b.writes[b.root].Nested // the plan must not keep b, which has the request
	plan.reread = func(body sqlgen.Body) sqlgen.Statement {
		if root != nil {
			return sqlgen.NestedValue(root, read, body)
		}
		var key []string
		if plan.Located {
			key = slices.Sorted(slices.Values(plan.Key))
		}
		return sqlgen.NestedCount(rows, key, body.Tally)
	}
	plan.Main = plan.reread(form)
	return nil
}

// nestedBuild makes the writes of a nested insert.
type nestedBuild struct {
	*nest
	request *Request
	writes  map[*nestedLevel]*tree.Write
	order   []*tree.Write // in which they run
	places  map[*tree.Write]string
	read    []*tree.Written // that the response reads
	top     *tree.Node      // of the response; nil if it has no rows
}

// build makes the writes of a level and of those below: first the rows that its rows refer
// to, then its own, then those that refer to them.
func (b *nestedBuild) build(l *nestedLevel) error {
	w, err := b.write(l)
	if err != nil {
		return err
	}
	for _, below := range l.below {
		if below.rel.Cardinality == catalog.ManyToMany || below.refersUp() {
			continue
		}
		if lenient(w) {
			return below.fault("resolution=ignore-duplicates cannot leave out the row of '" + below.key + "' with the row that refers to it")
		}
		if err := b.build(below); err != nil {
			return err
		}
		b.refer(w, below, below.rel.Columns, tree.NestedRef{Own: true, Member: below.key})
	}
	b.add(w, l.pattern())
	for _, below := range l.below {
		m2m := below.rel.Cardinality == catalog.ManyToMany
		if !m2m && !below.refersUp() {
			continue
		}
		if err := b.build(below); err != nil {
			return err
		}
		if m2m {
			b.junction(l, below)
		}
	}
	return nil
}

// write makes the write of a level, without the columns that other rows give.
func (b *nestedBuild) write(l *nestedLevel) (*tree.Write, error) {
	w := &tree.Write{Table: l.table.QI}
	if l.parent == nil {
		top := *b.request
		top.Columns = nil
		for _, c := range l.columns {
			top.Columns = append(top.Columns, []byte(c.Name))
		}
		var err error
		if w, err = b.nest.write(&top, l.table, &tree.Node{}); err != nil {
			return nil, err
		}
		w.Columns, w.Returning = nil, nil
	}
	w.Object, w.Defaults = b.request.PayloadObject, b.request.Prefer.Missing == header.MissingDefault
	w.Nested = &tree.NestedRows{Path: l.path(), Silent: true}
	for _, c := range l.columns {
		w.Nested.Body = append(w.Nested.Body, b.payloadColumn(c, c.Name))
	}
	w.Columns = slices.Clone(w.Nested.Body)
	b.writes[l] = w
	switch {
	case l.parent == nil:
	case l.refersUp():
		b.refer(w, l.parent, swapped(l.rel.Columns), tree.NestedRef{})
	case l.rel.Cardinality == catalog.ManyToMany:
		b.refer(w, l.parent, nil, tree.NestedRef{})
	}
	return w, nil
}

// add puts a write behind those that are there.
func (b *nestedBuild) add(w *tree.Write, place string) {
	w.Nested.Number = len(b.order)
	b.order = append(b.order, w)
	if b.places == nil {
		b.places = map[*tree.Write]string{}
	}
	b.places[w] = place
}

// path leads from the top of the body to the rows of the level.
func (l *nestedLevel) path() []tree.NestedStep {
	if l.parent == nil {
		return nil
	}
	return append(l.parent.path(), tree.NestedStep{Key: l.key, Many: !l.rel.IsToOne()})
}

// refer makes the rows of w take columns from those of a level.
func (b *nestedBuild) refer(w *tree.Write, to *nestedLevel, columns []catalog.ColumnPair, ref tree.NestedRef) {
	from := b.writes[to]
	ref.Rows, ref.Place = from.Nested, to.pattern()
	ref.Lenient = lenient(from)
	from.Nested.Silent = false
	for _, c := range columns {
		if !slices.ContainsFunc(w.Columns, func(have tree.WriteColumn) bool { return have.Name == c.Column }) {
			w.Columns = append(w.Columns, tree.WriteColumn{Name: c.Column, Key: c.Column})
		}
		ref.Columns = append(ref.Columns, tree.NestedLink{Column: c.Column, Key: b.remember(from, c.Foreign)[0]})
	}
	w.Nested.Refs = append(w.Nested.Refs, ref)
}

// lenient reports whether rows of a write may be left out, with all that are inside of them.
func lenient(w *tree.Write) bool {
	return w.Resolution == header.IgnoreDuplicates ||
		slices.ContainsFunc(w.Nested.Refs, func(ref tree.NestedRef) bool { return ref.Lenient })
}

// remember makes a write remember columns, and returns their positions.
func (b *nestedBuild) remember(w *tree.Write, names ...string) (positions []int) {
	w.Nested.Silent = false
	for _, name := range names {
		i := slices.IndexFunc(w.Nested.Keys, func(k tree.WriteColumn) bool { return k.Name == name })
		if i < 0 {
			i = len(w.Nested.Keys)
			key := tree.WriteColumn{Name: name, Type: "text"}
			if c := b.cat.Tables[w.Table].Column(name); c != nil {
				key.Type, key.JSON = c.NominalType, c.Type == "json" || c.Type == "jsonb"
			}
			w.Nested.Keys = append(w.Nested.Keys, key)
		}
		positions = append(positions, i)
	}
	return positions
}

// junction adds the write of the rows that connect the rows of two levels.
func (b *nestedBuild) junction(l, below *nestedLevel) {
	j := below.rel.Junction
	w := &tree.Write{Table: j.Table, Object: b.request.PayloadObject}
	w.Nested = &tree.NestedRows{Path: below.path(), Silent: true}
	b.refer(w, l, swapped(j.Source), tree.NestedRef{})
	b.refer(w, below, swapped(j.Target), tree.NestedRef{Own: true})
	b.add(w, below.pattern())
}

// swapped returns pairs of columns as the other side has them.
func swapped(pairs []catalog.ColumnPair) []catalog.ColumnPair {
	out := make([]catalog.ColumnPair, len(pairs))
	for i, c := range pairs {
		out[i] = catalog.ColumnPair{Column: c.Foreign, Foreign: c.Column}
	}
	return out
}

// attach restricts a node of the response to the rows that a level has written, in their
// order, and the nodes below it to those of the levels below. around names the written rows
// around them.
func (b *nestedBuild) attach(n *tree.Node, l *nestedLevel, around tree.Opt) {
	if l.parent == nil || !l.rel.IsToOne() {
		around = b.written(n, l, around)
	}
	for _, child := range n.Children {
		for _, below := range l.below {
			if child.Rel == below.rel {
				b.attach(child, below, around)
			}
		}
	}
}

// written restricts a node to the rows that a level has written, if their table has a key.
// It returns the name of the written rows.
func (b *nestedBuild) written(n *tree.Node, l *nestedLevel, around tree.Opt) tree.Opt {
	key, w := l.table.PrimaryKey, b.writes[l]
	if len(key) == 0 {
		return tree.Opt{}
	}
	positions := b.remember(w, key...)
	n.Written = &tree.Written{Rows: w.Nested, Name: "pgrst_nested_" + strconv.Itoa(w.Nested.Number), Around: around}
	for named(b.top, n.Written.Name) {
		n.Written.Name += "_"
	}
	rows := catalog.QI{Name: n.Written.Name}
	for i, name := range key {
		n.JoinConds = append(n.JoinConds, tree.JoinCond{Left: rows, LeftColumn: sqlgen.NestedKey(positions[i]), Right: n.Ref(), RightColumn: name})
	}
	if len(n.Order) == 0 && !n.Aggregates() && !n.Distinct && len(n.DistinctOn) == 0 {
		n.Order = []tree.OrderTerm{{Rel: tree.Some(n.Written.Name), Field: tree.Field{Name: sqlgen.NestedRow}}}
	}
	if !slices.ContainsFunc(b.read, func(have *tree.Written) bool { return have.Rows == w.Nested }) {
		b.read = append(b.read, n.Written)
	}
	return tree.Some(n.Written.Name)
}

// named reports whether a FROM item of n or of a node below it has that name.
func named(n *tree.Node, name string) bool {
	return n.Ref().Name == name || n.AggAlias == name || n.Rel != nil && n.Rel.Cardinality == catalog.ManyToMany && n.Rel.Junction.Table.Name == name ||
		slices.ContainsFunc(n.Children, func(c *tree.Node) bool { return named(c, name) })
}
