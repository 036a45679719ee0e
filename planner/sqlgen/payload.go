package sqlgen

import (
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// recordRows refers to the rows of the payload before representations are
// applied.
var recordRows = catalog.QI{Name: "pgrst_record"}

// defaultRows refers to the payload with defaults.
var defaultRows = catalog.QI{Name: "pgrst_defaults"}

// payload writes the FROM item pgrst_body: the rows of the JSON payload, with
// the columns of cols in their types. With firstOnly it has only the first row.
// table is in the same FROM, or empty.
func (w *Writer) payload(table catalog.QI, cols []tree.WriteColumn, object, defaults, firstOnly bool) {
	kind, with := "json", beside(table, defaultRows).Name
	source := func() string { return w.param(Arg{Kind: ArgBody}) + "::pg_catalog." + kind }
	if defaults {
		kind = "jsonb"
		if object {
			w.S("(SELECT ", defaultsOf(cols), " || ", source(), " AS body) ", with, ", ")
		} else {
			w.S("(SELECT pg_catalog.jsonb_agg(", defaultsOf(cols), " || item.value) AS body",
				" FROM pg_catalog.jsonb_array_elements(", source(), ") item) ", with, ", ")
		}
		source = func() string { return with + ".body" }
	}
	w.S("LATERAL (SELECT")
	if len(cols) > 0 {
		w.S(" ", list(cols, payloadColumn))
	}
	switch {
	case len(cols) > 0:
		w.S(" FROM pg_catalog.", kind, "_to_record")
		if !object {
			w.S("set")
		}
		w.S("(", source(), ") AS ", record(cols))
		if firstOnly {
			w.S(" LIMIT 1")
		}
	case object:
		w.S(" FROM (VALUES (1)) _") // one row that has only defaults
	default:
		w.S(" FROM pg_catalog.", kind, "_array_elements(", source(), ") _")
	}
	w.S(") ", beside(table, payloadRows).Name)
}

// record returns the alias of the rows of the payload, with the types of the columns.
func record(cols []tree.WriteColumn) string {
	return "pgrst_record(" + list(cols, func(c *tree.WriteColumn) string { return Ident(c.Key) + " " + c.Type }) + ")"
}

// payloadColumn returns the value of a column in the payload.
func payloadColumn(c *tree.WriteColumn) string {
	value := transformed(c.Transform, namedColumn(recordRows, c.Key))
	if c.Transform == "" && c.Key == c.Name {
		return value
	}
	return value + " AS " + Ident(c.Name)
}

// defaultsOf returns a JSON object with the defaults of all columns that have
// one.
func defaultsOf(cols []tree.WriteColumn) string {
	var members []string
	for _, c := range cols {
		if c.Default.Given {
			members = append(members, Literal(c.Key)+", "+escapeStrings(c.Default.Name))
		}
	}
	return "pg_catalog.jsonb_build_object(" + strings.Join(members, ", ") + ")"
}
