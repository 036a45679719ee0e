package catalog

import (
	"cmp"
	"slices"
)

func (l *loader) loadComputed() error {
	return l.each("computed", nil, func(r row) {
		rel := &Relationship{Cardinality: Computed, Function: r.qi(0), Table: r.qi(2), Foreign: r.qi(4), ToOne: r.bool(6)}
		rel.Self = rel.Table == rel.Foreign
		if !l.isExposed(rel.Table.Schema) {
			return
		}
		l.computed = append(l.computed, rel)
		l.cat.RowTypes[rel.Foreign] = r.oid(7)
		if l.isExposed(rel.Foreign.Schema) {
			l.mention(rel.Function.Schema)
		}
	})
}

// relate turns keys into relationships.
func (l *loader) relate() error {
	b := &relations{
		exposed:    l.isExposed,
		lists:      l.cat.Relationships,
		overridden: map[[2]QI]struct{}{},
		known:      map[ColumnPair][]ColumnPair{},
	}
	// A function named like a table replaces the relationships found by keys.
	for _, rel := range l.computed {
		b.overridden[[2]QI{rel.Table, rel.Function}] = struct{}{}
		b.put(rel, rel.Function.Schema, b.exposed(rel.Foreign.Schema))
	}
	for _, k := range l.keys {
		if k.kind == 'f' && k.top {
			b.foreignKey(k)
		}
	}
	b.junctions(l.primaryKeys())
	for key, list := range b.lists {
		slices.SortFunc(list, (*Relationship).compare)
		b.lists[key] = slices.Clip(list)
	}
	return nil
}

// primaryKeys are the primary keys that a junction may have. Partitions are not
// separate tables here, so theirs do not count.
func (l *loader) primaryKeys() map[QI][]string {
	keys := map[QI][]string{}
	for _, rel := range l.relations {
		if len(rel.primaryKey) > 0 {
			keys[rel.QI] = rel.primaryKey
		}
	}
	return keys
}

// relations collects relationships by table and foreign schema. Relationships
// with an unexposed end or junction are omitted, but their list stays, even if
// empty: hints about unknown relationships, the summary's count and the dump
// depend on which lists exist.
type relations struct {
	exposed    func(schema string) bool
	lists      map[RelKey][]*Relationship
	overridden map[[2]QI]struct{}
	toOne      []*Relationship // many to one, as junctions are made of them; unexposed ones too

	made  slab[Relationship]
	pairs slab[ColumnPair]
	known map[ColumnPair][]ColumnPair // keys of one column, most of which are called alike
}

func (b *relations) put(rel *Relationship, schema string, keep bool) {
	if !b.exposed(rel.Table.Schema) {
		return
	}
	key := RelKey{rel.Table, schema}
	list := b.lists[key]
	if keep {
		list = append(list, rel)
	}
	b.lists[key] = list
}

func (b *relations) add(rel *Relationship, keep bool) {
	if _, gone := b.overridden[[2]QI{rel.Table, rel.Foreign}]; gone {
		return
	}
	b.put(rel, rel.Foreign.Schema, keep && b.exposed(rel.Foreign.Schema))
}

// end is one end of a foreign key: the table, or a view that shows its columns.
type end struct {
	rel     *relation
	view    bool
	columns []string
}

func tableEnd(rel *relation, columns []keyColumn) end {
	e := end{rel: rel, view: rel.isView()}
	for _, c := range columns {
		e.columns = append(e.columns, c.name)
	}
	return e
}

func viewEnds(keys []*viewKey) []end {
	var ends []end
	for _, k := range keys {
		for _, columns := range k.combinations() {
			ends = append(ends, end{k.view, true, columns})
		}
	}
	return ends
}

// foreignKey relates the two tables of a foreign key, and the views that show its
// columns, with each other.
func (b *relations) foreignKey(k *key) {
	sources := append([]end{tableEnd(k.table, k.columns)}, viewEnds(k.dependents)...)
	targets := append([]end{tableEnd(k.foreign, k.fcolumns)}, viewEnds(k.targets)...)
	cardinality, inverse := ManyToOne, OneToMany
	if k.isOneToOne() {
		cardinality, inverse = OneToOne, OneToOne
	}
	for _, from := range sources {
		for _, to := range targets {
			rel := b.made.one()
			*rel = Relationship{
				Table: from.rel.QI, Foreign: to.rel.QI, Self: from.rel == to.rel, Cardinality: cardinality,
				TableIsView: from.view, ForeignIsView: to.view,
				Constraint: k.name, Columns: b.pair(from.columns, to.columns),
			}
			b.add(rel, true)
			if cardinality == ManyToOne {
				b.toOne = append(b.toOne, rel)
			}
			back := b.made.one()
			*back = Relationship{
				Table: rel.Foreign, Foreign: rel.Table, Self: rel.Self, Cardinality: inverse,
				TableIsView: to.view, ForeignIsView: from.view,
				Constraint: k.name, Columns: b.pair(to.columns, from.columns),
				IsParent: cardinality == OneToOne,
			}
			b.add(back, true)
		}
	}
}

func (b *relations) pair(columns, foreign []string) []ColumnPair {
	if len(columns) == 1 {
		return b.single(ColumnPair{columns[0], foreign[0]})
	}
	pairs := b.pairs.some(len(columns))
	for i := range pairs {
		pairs[i] = ColumnPair{columns[i], foreign[i]}
	}
	return pairs
}

func (b *relations) single(p ColumnPair) []ColumnPair {
	pairs, ok := b.known[p]
	if !ok {
		pairs = []ColumnPair{p}
		b.known[p] = pairs
	}
	return pairs
}

// isOneToOne reports whether a primary key or unique constraint has exactly the
// columns of the foreign key. A unique index without a constraint does not count.
func (k *key) isOneToOne() bool {
	own := k.columnSet()
	return slices.ContainsFunc(k.table.keys, func(other *key) bool {
		return (other.kind == 'p' || other.kind == 'u') && slices.Equal(other.columnSet(), own)
	})
}

func (k *key) columnSet() []int16 {
	set := make([]int16, len(k.columns))
	for i, c := range k.columns {
		set[i] = c.number
	}
	slices.Sort(set)
	return set
}

// junctions relates two tables through a third whose primary key contains the
// columns of foreign keys to both.
func (b *relations) junctions(primaryKeys map[QI][]string) {
	legs := map[QI][]*Relationship{}
	for _, rel := range b.toOne {
		if isWithin(rel.Columns, primaryKeys[rel.Table]) {
			legs[rel.Table] = append(legs[rel.Table], rel)
		}
	}
	for junction, toOne := range legs {
		for _, source := range toOne {
			if !b.exposed(source.Foreign.Schema) {
				continue
			}
			for _, target := range toOne {
				if source.Constraint == target.Constraint {
					continue
				}
				rel := b.made.one()
				*rel = Relationship{
					Table: source.Foreign, Foreign: target.Foreign, Self: source.Foreign == target.Foreign,
					Cardinality: ManyToMany, TableIsView: source.ForeignIsView, ForeignIsView: target.ForeignIsView,
					Junction: &Junction{
						Table: junction, Constraint1: source.Constraint, Constraint2: target.Constraint,
						Source: b.swap(source.Columns), Target: b.swap(target.Columns),
					},
				}
				b.add(rel, b.exposed(junction.Schema))
			}
		}
	}
}

func isWithin(pairs []ColumnPair, set []string) bool {
	for _, p := range pairs {
		if !slices.Contains(set, p.Column) {
			return false
		}
	}
	return true
}

func (b *relations) swap(pairs []ColumnPair) []ColumnPair {
	if len(pairs) == 1 {
		return b.single(ColumnPair{pairs[0].Foreign, pairs[0].Column})
	}
	swapped := b.pairs.some(len(pairs))
	for i, p := range pairs {
		swapped[i] = ColumnPair{p.Foreign, p.Column}
	}
	return swapped
}

// The order of relationships is visible in the details of an ambiguity error:
// detected before computed ones, then field by field in PostgREST's declaration
// order.

var cardinalityOrder = [...]int{OneToMany: 0, ManyToOne: 1, OneToOne: 2, ManyToMany: 3, Computed: 4}

func (r *Relationship) compare(o *Relationship) int {
	if (r.Cardinality == Computed) != (o.Cardinality == Computed) {
		return compareBool(r.Cardinality == Computed, o.Cardinality == Computed)
	}
	if r.Cardinality == Computed {
		return cmp.Or(
			r.Function.compare(o.Function),
			r.Table.compare(o.Table),
			r.Foreign.compare(o.Foreign),
			compareBool(r.ToOne, o.ToOne),
			compareBool(r.Self, o.Self))
	}
	// Most pairs differ here; a large catalog compares millions.
	if c := cmp.Or(r.Table.compare(o.Table), r.Foreign.compare(o.Foreign)); c != 0 {
		return c
	}
	return cmp.Or(
		compareBool(r.Self, o.Self),
		cmp.Compare(cardinalityOrder[r.Cardinality], cardinalityOrder[o.Cardinality]),
		cmp.Compare(r.Constraint, o.Constraint),
		slices.CompareFunc(r.Columns, o.Columns, ColumnPair.compare),
		compareBool(r.IsParent, o.IsParent),
		r.Junction.compare(o.Junction),
		compareBool(r.TableIsView, o.TableIsView),
		compareBool(r.ForeignIsView, o.ForeignIsView))
}

// compare is called only if both junctions are nil or neither is.
func (j *Junction) compare(o *Junction) int {
	if j == nil || o == nil {
		return 0
	}
	return cmp.Or(
		j.Table.compare(o.Table),
		cmp.Compare(j.Constraint1, o.Constraint1),
		cmp.Compare(j.Constraint2, o.Constraint2),
		slices.CompareFunc(j.Source, o.Source, ColumnPair.compare),
		slices.CompareFunc(j.Target, o.Target, ColumnPair.compare))
}

func (p ColumnPair) compare(o ColumnPair) int {
	return cmp.Or(cmp.Compare(p.Column, o.Column), cmp.Compare(p.Foreign, o.Foreign))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
