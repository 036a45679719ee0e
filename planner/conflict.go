package planner

import (
	"slices"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// conflict finds what decides whether a row of an insert is there already.
func (r *resolver) conflict(table *catalog.Table, resolution header.Resolution) (tree.Conflict, error) {
	q := r.query
	switch {
	case !q.HasOnConflict:
		return tree.Conflict{Columns: table.PrimaryKey}, nil
	case resolution == header.ResolutionNone:
		return tree.Conflict{}, nil
	case q.OnConflictNamed:
		u, err := namedUnique(table, string(q.OnConflict[0]))
		if err != nil {
			return tree.Conflict{}, err
		}
		if u.Exclusion && resolution == header.MergeDuplicates {
			return tree.Conflict{}, &Error{Kind: UniqueUnfit, Name: u.Name, Details: "An exclusion constraint only works with resolution=ignore-duplicates."}
		}
		if u.Constraint {
			return tree.Conflict{Columns: u.Columns, Constraint: u.Name}, nil
		}
		return tree.Conflict{Columns: u.Columns, Elements: u.Elements, Predicate: u.Predicate}, nil
	}
	columns := texts(q.OnConflict)
	predicate, err := predicateFor(table, columns)
	return tree.Conflict{Columns: columns, Predicate: predicate}, err
}

// predicateFor returns the predicate of the partial unique index on the columns. It is
// "" without such an index, or if a unique index on the columns has all rows.
func predicateFor(table *catalog.Table, columns []string) (predicate string, err error) {
	want := sortedSet(columns)
	var names []string
	several := false
	for i := range table.Uniques {
		u := &table.Uniques[i]
		switch {
		case u.Exclusion || !slices.Equal(sortedSet(u.Columns), want):
			continue
		case u.Predicate == "":
			return "", nil
		}
		several = several || len(names) > 0 && u.Predicate != predicate
		names, predicate = append(names, u.Name), u.Predicate
	}
	if several {
		return "", &Error{Kind: AmbiguousUnique, Arguments: columns, Parent: table.Name, Uniques: names}
	}
	return predicate, nil
}

// sortedSet returns the names in order, each once.
func sortedSet(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func texts(parts [][]byte) []string {
	list := make([]string, len(parts))
	for i, part := range parts {
		list[i] = string(part)
	}
	return list
}

// namedUnique returns the constraint or index of a table that a request names.
func namedUnique(table *catalog.Table, name string) (*catalog.Unique, error) {
	if u := table.Unique(name); u != nil {
		return u, nil
	}
	e := &Error{Kind: NoSuchUnique, Name: name, Parent: table.Name}
	for i := range table.Uniques {
		e.Uniques = append(e.Uniques, table.Uniques[i].Name)
	}
	return nil, e
}
