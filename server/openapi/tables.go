package openapi

import (
	"slices"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// appendDefinition appends the schema of a table's rows.
func (d *Document) appendDefinition(dst []byte, t *catalog.Table) []byte {
	dst = append(appendKey(dst, t.Name), '{')
	if t.HasDescription {
		dst = appendText(dst, "description", t.Description)
	}
	var required []string
	for _, c := range t.Columns {
		if !c.Nullable {
			required = append(required, c.Name)
		}
	}
	if len(required) > 0 {
		dst = appendTexts(dst, "required", required)
	}
	if len(t.Columns) > 0 {
		dst = append(appendKey(dst, "properties"), '{')
		keys := d.Catalog.RelationshipsFrom(t.QI, t.Schema)
		for _, c := range t.Columns {
			dst = appendColumn(dst, t, c, keys)
		}
		dst = append(dst, '}')
	}
	dst = appendText(dst, "type", "object")
	return append(dst, '}')
}

func appendColumn(dst []byte, t *catalog.Table, c *catalog.Column, keys []*catalog.Relationship) []byte {
	dst = append(appendKey(dst, c.Name), '{')
	if text, ok := describeColumn(t, c, keys); ok {
		dst = appendText(dst, "description", text)
	}
	if c.HasDefault {
		dst = appendDefault(dst, c.Type, c.Default)
	}
	if len(c.Enum) > 0 {
		dst = appendTexts(dst, "enum", c.Enum)
	}
	dst = appendType(dst, c.Type)
	if c.MaxLen > 0 {
		dst = appendInt(dst, "maxLength", int64(c.MaxLen))
	}
	return append(dst, '}')
}

// describeColumn appends to a column's comment the keys that the column belongs
// to, in a form that client programs search for.
func describeColumn(t *catalog.Table, c *catalog.Column, keys []*catalog.Relationship) (text string, ok bool) {
	note := ""
	if slices.Contains(t.PrimaryKey, c.Name) {
		note = "\nThis is a Primary Key.<pk/>"
	}
	if r := foreignKey(c, keys); r != nil {
		table, column := r.Foreign.Name, r.Columns[0].Foreign
		note += "\nThis is a Foreign Key to `" + table + "." + column + "`.<fk table='" + table + "' column='" + column + "'/>"
	}
	switch {
	case note == "":
		return c.Description, c.HasDescription
	case c.HasDescription:
		return c.Description + "\n\nNote:" + note, true
	}
	return "Note:" + note, true
}

// foreignKey returns the foreign key of a single column that leads to a table
// rather than to a view.
func foreignKey(c *catalog.Column, keys []*catalog.Relationship) *catalog.Relationship {
	var toView *catalog.Relationship
	for _, r := range keys {
		refers := r.Cardinality == catalog.ManyToOne || r.Cardinality == catalog.OneToOne && !r.IsParent
		switch {
		case !refers || len(r.Columns) != 1 || r.Columns[0].Column != c.Name:
		case !r.ForeignIsView:
			return r
		case toView == nil:
			toView = r
		}
	}
	return toView
}

// appendTablePath appends the operations of a table: GET only if the table is
// not writable, otherwise all.
func appendTablePath(dst []byte, t *catalog.Table) []byte {
	filters := []byte{'['}
	for _, c := range t.Columns {
		filters = appendRef(filters, "parameters", filterKey(t, c))
	}
	filters = filters[1:]

	dst = append(appendKey(dst, "/"+t.Name), '{')
	dst = beginOperation(dst, "get", t)
	dst = appendRefs(dst, filters, "select", "order", "range", "rangeUnit", "offset", "limit", "preferCount")
	dst = append(appendKey(dst, "responses"), `{"200":{"description":"OK","schema":{"type":"array","items":`...)
	dst = appendRef(dst, "definitions", t.Name)
	dst = append(dst, `}},"206":{"description":"Partial Content"}}}`...)
	if t.Insertable || t.Updatable || t.Deletable {
		dst = beginOperation(dst, "post", t)
		dst = appendRefs(dst, nil, bodyKey(t), "select", "preferPost")
		dst = append(next(dst), `"responses":{"201":{"description":"Created"}}}`...)
		dst = beginOperation(dst, "patch", t)
		dst = appendRefs(dst, filters, bodyKey(t), "preferReturn")
		dst = append(next(dst), `"responses":{"204":{"description":"No Content"}}}`...)
		dst = beginOperation(dst, "delete", t)
		dst = appendRefs(dst, filters, "preferReturn")
		dst = append(next(dst), `"responses":{"204":{"description":"No Content"}}}`...)
	}
	return append(dst, '}')
}

func beginOperation(dst []byte, method string, t *catalog.Table) []byte {
	dst = append(appendKey(dst, method), '{')
	dst = appendTexts(dst, "tags", []string{t.Name})
	return appendSummary(dst, t.Description, t.HasDescription)
}

// appendRefs appends an operation's parameters: filters, which are references
// already, and other parameters by name.
func appendRefs(dst, filters []byte, names ...string) []byte {
	dst = append(appendKey(dst, "parameters"), '[')
	dst = append(dst, filters...)
	for _, name := range names {
		dst = appendRef(dst, "parameters", name)
	}
	return append(dst, ']')
}
