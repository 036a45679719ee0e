package sqlgen

import (
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// recordRows refers to the rows of the payload before representations are
// applied.
var recordRows = catalog.QI{Name: "pgrst_record"}

// payload writes the FROM item pgrst_body: the rows of the JSON payload, with
// the columns of cols in their types. If one is set, it has only the first row.
func (w *Writer) payload(cols []tree.WriteColumn, object, defaults, one bool) {
	source := func() {
		w.Param(Arg{Kind: ArgBody})
		if defaults {
			w.S("::pg_catalog.jsonb")
		} else {
			w.S("::pg_catalog.json")
		}
	}
	kind := "json"
	if defaults {
		kind = "jsonb"
		payload := source
		w.S("(SELECT ")
		if object {
			w.defaults(cols)
			w.S(" || ")
			payload()
			w.S(" AS body) pgrst_defaults, ")
		} else {
			w.S("pg_catalog.jsonb_agg(")
			w.defaults(cols)
			w.S(" || item.value) AS body FROM pg_catalog.jsonb_array_elements(")
			payload()
			w.S(") item) pgrst_defaults, ")
		}
		source = func() { w.S("pgrst_defaults.body") }
	}
	w.S("LATERAL (SELECT")
	for i := range cols {
		c := &cols[i]
		if i > 0 {
			w.S(",")
		}
		w.S(" ")
		w.transformed(c.Transform, func() { w.one(recordRows, c.Key) })
		if c.Transform != "" || c.Key != c.Name {
			w.S(" AS ")
			w.Ident(c.Name)
		}
	}
	switch {
	case len(cols) > 0:
		w.S(" FROM pg_catalog.", kind, "_to_record")
		if !object {
			w.S("set")
		}
		w.S("(")
		source()
		w.S(") AS pgrst_record(")
		for i := range cols {
			if i > 0 {
				w.S(", ")
			}
			w.Ident(cols[i].Key)
			w.S(" ", cols[i].Type)
		}
		w.S(")")
		if one {
			w.S(" LIMIT 1")
		}
	case object:
		w.S(" FROM (VALUES (1)) _") // one row that has only defaults
	default:
		w.S(" FROM pg_catalog.", kind, "_array_elements(")
		source()
		w.S(") _")
	}
	w.S(") pgrst_body")
}

// defaults writes a JSON object with the defaults of all columns that have one.
func (w *Writer) defaults(cols []tree.WriteColumn) {
	w.S("pg_catalog.jsonb_build_object(")
	first := true
	for i := range cols {
		c := &cols[i]
		if !c.Default.Given {
			continue
		}
		if !first {
			w.S(", ")
		}
		first = false
		w.Lit(c.Key)
		w.S(", ", anyStrings(c.Default.Name))
	}
	w.S(")")
}
