package catalog

import (
	"fmt"
	"slices"
)

// hintLimit is the number of tables in a schema from which on PostgREST omits
// hints for misspelt names.
const hintLimit = 500

// wideTable is the number of columns from which on a table has a map of them.
// Below it, a linear search is as fast and takes no memory.
const wideTable = 16

// index builds the lookup maps of an otherwise complete catalog.
func (c *Catalog) index() {
	for _, t := range c.Tables {
		t.index()
	}
	c.tableNames = map[string][]string{}
	for qi := range c.Tables {
		c.tableNames[qi.Schema] = append(c.tableNames[qi.Schema], qi.Name)
	}
	for schema, names := range c.tableNames {
		if len(names) >= hintLimit {
			delete(c.tableNames, schema)
		}
	}
	c.routineNames = map[string][]string{}
	for qi := range c.Routines {
		c.routineNames[qi.Schema] = append(c.routineNames[qi.Schema], qi.Name)
	}
	c.parentNames = map[string][]string{}
	for key := range c.Relationships {
		c.parentNames[key.Schema] = append(c.parentNames[key.Schema], key.Table.Name)
	}
	for _, lists := range []map[string][]string{c.tableNames, c.routineNames, c.parentNames} {
		for _, names := range lists {
			slices.Sort(names)
		}
	}
}

func (t *Table) index() {
	if len(t.Columns) < wideTable {
		return
	}
	t.byName = make(map[string]*Column, len(t.Columns))
	for _, c := range t.Columns {
		t.byName[c.Name] = c
	}
}

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	if t.byName != nil {
		return t.byName[name]
	}
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Unique returns the index of that name, or nil.
func (t *Table) Unique(name string) *Unique {
	for i := range t.Uniques {
		if t.Uniques[i].Name == name {
			return &t.Uniques[i]
		}
	}
	return nil
}

// Table returns the table of that name, or nil.
func (c *Catalog) Table(schema, name string) *Table { return c.Tables[QI{schema, name}] }

// RelationshipsFrom returns the relationships of a table that lead into a
// schema, or are made by a function of that schema, in PostgREST's order.
func (c *Catalog) RelationshipsFrom(table QI, schema string) []*Relationship {
	return c.Relationships[RelKey{table, schema}]
}

// Representation returns the cast between two types, or nil.
func (c *Catalog) Representation(source, target string) *Representation {
	return c.Representations[RepKey{source, target}]
}

// TableNames returns the sorted names of a schema's tables, as candidates for
// a hint; none if there are too many.
func (c *Catalog) TableNames(schema string) []string { return c.tableNames[schema] }

// RoutineNames returns the sorted names of a schema's functions.
func (c *Catalog) RoutineNames(schema string) []string { return c.routineNames[schema] }

// ParentNames returns the sorted names of tables with relationships into a schema,
// unexposed ones included. A name occurs once for each schema that has it.
func (c *Catalog) ParentNames(schema string) []string { return c.parentNames[schema] }

// builtinHandlers are the media types that every relation supports, unless a
// custom handler for anyelement replaces them.
var builtinHandlers = [...]string{"*/*", "application/json", "text/csv", "application/geo+json"}

// Summary counts the objects, in PostgREST's words. "Relationships" are pairs of a
// table and a schema it has relationships into.
func (c *Catalog) Summary() string {
	handlers := len(c.Handlers)
	for _, mediaType := range builtinHandlers {
		if c.Handlers[HandlerKey{MediaType: mediaType}] == nil {
			handlers++
		}
	}
	return fmt.Sprintf("%d Relations, %d Relationships, %d RPCs, %d Domain Representations, %d Media Type Handlers",
		len(c.Tables), len(c.Relationships), len(c.Routines), len(c.Representations), handlers)
}
