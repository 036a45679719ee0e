package catalog

import (
	"cmp"
	"slices"
)

// loadUniques collects what ON CONFLICT can use. Most of it is known: primary keys and
// unique constraints. The query has the rest.
func (l *loader) loadUniques() error {
	for _, k := range l.keys {
		if k.kind != 'f' && !k.deferrable && k.table.table != nil {
			columns := make([]string, len(k.columns))
			for i, c := range k.columns {
				columns[i] = c.name
			}
			if k.kind == 'p' && slices.Equal(columns, k.table.primaryKey) {
				columns = k.table.primaryKey
			}
			k.table.table.addUnique(Unique{Name: k.name, Columns: columns, Constraint: true})
		}
	}
	err := l.each("unique_indexes", []string{l.exposed}, func(r row) {
		rel := l.relations[r.oid(0)]
		if rel == nil || rel.table == nil {
			return // of a partition, for example
		}
		u := Unique{Name: r.text(1), Exclusion: r.bool(2), Elements: r.text(4), Predicate: r.text(5)}
		u.Constraint = u.Exclusion
		for _, n := range r.numbers(3) {
			if i := slices.Index(rel.numbers, n); i >= 0 {
				u.Columns = append(u.Columns, rel.table.Columns[i].Name)
			}
		}
		rel.table.addUnique(u)
	})
	for _, t := range l.cat.Tables {
		slices.SortFunc(t.Uniques, func(a, b Unique) int { return cmp.Compare(a.Name, b.Name) })
	}
	return err
}

// addUnique adds an index. It replaces a key of the name: a key WITHOUT OVERLAPS is
// unique and an exclusion constraint.
func (t *Table) addUnique(u Unique) {
	if known := t.Unique(u.Name); known != nil {
		*known = u
		return
	}
	t.Uniques = append(t.Uniques, u)
}
