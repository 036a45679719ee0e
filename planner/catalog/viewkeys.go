package catalog

import (
	"cmp"
	"maps"
	"slices"
)

// key is a primary key, unique or foreign key constraint.
type key struct {
	kind     byte // pg_constraint.contype: p, u, f
	name     string
	table    *relation
	columns  []keyColumn
	foreign  *relation // foreign keys only
	fcolumns []keyColumn
	top      bool // not a partition's share of its parent's constraint

	deferrable bool

	// Exposed views that show every column of the key: for a foreign key the
	// referring columns in dependents, the referenced columns in targets. They
	// are stored per key. PostgREST stores them per constraint name, and loses
	// targets if foreign keys of one name refer to different columns.
	dependents, targets []*viewKey
}

type keyColumn struct {
	number int16
	name   string
}

// viewKey is a key shown by a view, which may show a column under several names.
type viewKey struct {
	view    *relation
	columns [][]string // per column of the key: the names it has in the view
}

// origin is the table column behind a view's column, or zero.
type origin struct {
	table  uint32
	column int16
}

func (l *loader) loadKeys() error {
	type named struct {
		k      *key
		own    []int16
		others []int16
	}
	var found []named
	err := l.each("keys", nil, func(r row) {
		k := &key{kind: r.char(0), name: r.name(1), table: l.relations[r.oid(2)], top: r.bool(6), deferrable: r.bool(7)}
		if k.kind == 'f' {
			k.foreign = l.relations[r.oid(4)]
		}
		if k.table == nil || k.kind == 'f' && k.foreign == nil {
			return
		}
		found = append(found, named{k, r.numbers(3), r.numbers(5)})
	})
	if err != nil {
		return err
	}
	names := map[origin]string{}
	err = l.each("key_columns", nil, func(r row) {
		names[origin{r.oid(0), int16(r.int(1))}] = r.name(2)
	})
	if err != nil {
		return err
	}
	resolve := func(rel *relation, numbers []int16) []keyColumn {
		columns := make([]keyColumn, len(numbers))
		for i, n := range numbers {
			columns[i] = keyColumn{n, names[origin{rel.oid, n}]}
		}
		return columns
	}
	for _, f := range found {
		f.k.columns = resolve(f.k.table, f.own)
		f.k.table.keys = append(f.k.table.keys, f.k)
		if f.k.kind == 'f' {
			f.k.fcolumns = resolve(f.k.foreign, f.others)
			f.k.foreign.referredBy = append(f.k.foreign.referredBy, f.k)
		}
		if f.k.kind == 'p' && !f.k.table.partition {
			f.k.table.setPrimaryKey(f.k)
		}
		l.keys = append(l.keys, f.k)
	}
	return nil
}

// setPrimaryKey sorts the columns by name rather than in key order, as in
// PostgREST's Location headers and documents.
func (r *relation) setPrimaryKey(k *key) {
	for _, c := range k.columns {
		r.primaryKey = append(r.primaryKey, c.name)
	}
	slices.Sort(r.primaryKey)
	if r.table != nil {
		r.table.PrimaryKey = r.primaryKey
	}
}

// loadViews reads the definitions of the views whose keys are needed, and of all
// views that exposed views read.
func (l *loader) loadViews() error {
	searched := slices.Concat(l.options.Schemas, l.options.ExtraSearchPath)
	for _, rel := range l.relations {
		if rel.isView() && slices.Contains(searched, rel.Schema) {
			l.views = append(l.views, rel)
		}
	}
	openEnded := map[uint32]bool{}
	if err := l.each("open_ended", nil, func(r row) { openEnded[r.oid(0)] = true }); err != nil {
		return err
	}
	wanted := l.readByExposed()
	for _, rel := range l.views {
		wanted[rel.oid] = struct{}{}
	}
	oids := oidArray(slices.Sorted(maps.Keys(wanted)))
	err := l.each("view_trees", []string{oids}, func(r row) {
		rel := l.relations[r.oid(0)]
		if rel == nil {
			return
		}
		tree := r.column(1)
		if callsAny(tree, openEnded) {
			rel.userCode = true
		}
		var err error
		if rel.origins, err = targetOrigins(tree); err != nil {
			rel.userCode = true
			l.cat.Unreadable = append(l.cat.Unreadable, rel.QI)
		}
	})
	if err != nil {
		return err
	}
	err = l.each("policies", nil, func(r row) {
		if rel := l.relations[r.oid(0)]; rel != nil && callsAny(r.column(1), openEnded) {
			rel.userCode = true
		}
	})
	if err != nil {
		return err
	}
	l.findViewKeys()
	return nil
}

// findViewKeys finds, for every exposed view, its primary key and the keys whose
// columns it shows completely.
func (l *loader) findViewKeys() {
	through := map[uint32]*relation{}
	for _, v := range l.views {
		through[v.oid] = v
	}
	for _, v := range l.views {
		if v.table == nil {
			continue
		}
		shown := map[origin][]string{}
		var tables []*relation
		for i, o := range v.origins {
			o = follow(o, through)
			table := l.relations[o.table]
			if table == nil || i >= len(v.table.Columns) {
				continue
			}
			if !slices.Contains(tables, table) {
				tables = append(tables, table)
			}
			shown[o] = append(shown[o], v.table.Columns[i].Name)
		}
		// A view over several tables has all their primary keys, the last table
		// in the order of names first: so PostgREST has it.
		slices.SortFunc(tables, func(a, b *relation) int { return b.QI.compare(a.QI) })
		for _, table := range tables {
			for _, k := range table.keys {
				through := viewKeyOf(v, shown, table, k.columns)
				switch {
				case through == nil:
				case k.kind == 'f':
					k.dependents = append(k.dependents, through)
				case k.kind == 'p':
					for _, names := range through.columns {
						v.primaryKey = append(v.primaryKey, names[0])
					}
				}
			}
			for _, k := range table.referredBy {
				if through := viewKeyOf(v, shown, table, k.fcolumns); through != nil {
					k.targets = append(k.targets, through)
				}
			}
		}
		v.table.PrimaryKey = v.primaryKey
	}
}

// follow goes from a column of a view to the table column behind it, through
// views whose definitions were read for their keys. Views in other schemas are
// where it ends. A view cannot read itself, but nothing here depends on that.
func follow(o origin, views map[uint32]*relation) origin {
	for range len(views) {
		v := views[o.table]
		if v == nil || int(o.column) < 1 || int(o.column) > len(v.origins) {
			return o
		}
		o = v.origins[o.column-1]
	}
	return o
}

// viewKeyOf returns the columns under their names in the view, or nil when one
// is not shown.
func viewKeyOf(view *relation, shown map[origin][]string, table *relation, columns []keyColumn) *viewKey {
	k := &viewKey{view: view, columns: make([][]string, len(columns))}
	for i, c := range columns {
		if k.columns[i] = shown[origin{table.oid, c.number}]; k.columns[i] == nil {
			return nil
		}
	}
	return k
}

// combinations lists every way of picking one name per column.
func (k *viewKey) combinations() [][]string {
	all := [][]string{nil}
	for _, names := range k.columns {
		next := make([][]string, 0, len(all)*len(names))
		for _, start := range all {
			for _, name := range names {
				next = append(next, append(slices.Clip(start), name))
			}
		}
		all = next
	}
	return all
}

func (q QI) compare(other QI) int {
	return cmp.Or(cmp.Compare(q.Schema, other.Schema), cmp.Compare(q.Name, other.Name))
}
