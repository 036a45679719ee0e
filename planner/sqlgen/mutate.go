package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// body of the statement's rows while they are being written.
var payloadRows = catalog.QI{Name: "pgrst_body"}

// write writes the INSERT, UPDATE or DELETE.
func (w *Writer) write(m *tree.Write) {
	switch m.Kind {
	case tree.WriteInsert:
		w.insert(m)
	case tree.WriteUpdate:
		w.update(m)
	default:
		w.S("DELETE FROM ")
		w.Name(m.Table)
		w.where(m)
		w.returning(m)
	}
}

func (w *Writer) insert(m *tree.Write) {
	w.S("INSERT INTO ")
	w.Name(m.Table)
	if len(m.Columns) > 0 {
		w.S("(")
		for i := range m.Columns {
			if i > 0 {
				w.S(", ")
			}
			w.Ident(m.Columns[i].Name)
		}
		w.S(")")
	}
	w.S(" SELECT")
	for i := range m.Columns {
		if i > 0 {
			w.S(",")
		}
		w.S(" ")
		w.one(payloadRows, m.Columns[i].Name)
	}
	w.S(" FROM ")
	w.payload(m.Columns, m.Object, m.Defaults, false)
	if m.Count {
		w.S(" WHERE ")
		w.counted("+")
	}
	if m.IsPut {
		w.S(" AND ")
		w.conditions(payloadRows, m.Put, w.joinedIsNull)
	}
	if m.Resolution != header.ResolutionNone && len(m.Conflict) > 0 {
		w.S(" ON CONFLICT (")
		for i, name := range m.Conflict {
			if i > 0 {
				w.S(", ")
			}
			w.Ident(name)
		}
		w.S(") DO ")
		if m.Resolution == header.IgnoreDuplicates || len(m.Columns) == 0 {
			w.S("NOTHING")
		} else {
			w.S("UPDATE SET ")
			for i := range m.Columns {
				if i > 0 {
					w.S(", ")
				}
				w.Ident(m.Columns[i].Name)
				w.S(" = EXCLUDED.")
				w.Ident(m.Columns[i].Name)
			}
			if m.Count {
				w.S(" WHERE ")
				w.counted("-")
			}
		}
	}
	w.returning(m)
}

// counted writes a condition that is always true and counts the rows it is
// asked about, up or down. A merge counts every row of the payload, and takes
// those back that turn out to be updates: what remains was inserted.
func (w *Writer) counted(step string) {
	w.S("pg_catalog.set_config('", InsertedSetting, "', (", insertedSoFar, " ", step, " 1)::pg_catalog.text, true) IS NOT NULL")
}

// InsertedSetting holds the number of inserted rows of a merge.
const InsertedSetting = "pgrst.inserted"

const insertedSoFar = "COALESCE(NULLIF(pg_catalog.current_setting('" + InsertedSetting + "', true), ''), '0')::int"

func (w *Writer) update(m *tree.Write) {
	if len(m.Columns) == 0 {
		// Nothing to set: UPDATE has no syntax for that. The columns keep
		// their names, so that what is selected of them can be checked.
		w.S("SELECT ")
		table := catalog.QI{Name: m.Table.Name}
		for i, name := range m.Returning {
			if i > 0 {
				w.S(", ")
			}
			w.column(table, name)
		}
		if len(m.Returning) == 0 {
			w.S("NULL")
		}
		w.S(" FROM ")
		w.Name(m.Table)
		w.S(" WHERE false")
		return
	}
	w.S("UPDATE ")
	w.Name(m.Table)
	w.S(" SET ")
	for i := range m.Columns {
		if i > 0 {
			w.S(", ")
		}
		w.Ident(m.Columns[i].Name)
		w.S(" = ")
		w.column(payloadRows, m.Columns[i].Name) // to a column * PostgREST assigns the whole row
	}
	w.S(" FROM ")
	w.payload(m.Columns, m.Object, m.Defaults, false)
	w.where(m)
	w.returning(m)
}

func (w *Writer) where(m *tree.Write) {
	if len(m.Where) > 0 {
		w.S(" WHERE ")
		w.conditions(m.Table, m.Where, w.joinedIsNull)
	}
}

func (w *Writer) returning(m *tree.Write) {
	for i, name := range m.Returning {
		if i == 0 {
			w.S(" RETURNING ")
		} else {
			w.S(", ")
		}
		w.column(m.Table, name)
	}
}

// Write is a write that answers with nothing: the number of rows is in the
// command tag.
func Write(m *tree.Write) Statement {
	var w Writer
	w.write(m)
	return w.Statement()
}

// WriteRows is a write that answers with rows we encode.
func WriteRows(m *tree.Write, root *tree.Node, convert *Columns) Statement {
	var w Writer
	w.source(func() { w.write(m) })
	w.page(root, convert)
	return w.Statement()
}

// WriteCounted is a write that answers with the number of rows only, and can be
// explained with everything a write costs that answers.
func WriteCounted(m *tree.Write) Statement {
	var w Writer
	w.source(func() {
		w.write(m)
		if len(m.Returning) == 0 && !(m.Kind == tree.WriteUpdate && len(m.Columns) == 0) {
			w.S(" RETURNING 1")
		}
	})
	w.S("SELECT NULL::bigint, pg_catalog.count(*), NULL::pg_catalog.text, NULL::pg_catalog.text, ''::pg_catalog.text FROM pgrst_source")
	return w.Statement()
}

// WriteValue is a write that answers with a body PostgreSQL computes: one row
// of null, number of rows, two nulls, body.
func WriteValue(m *tree.Write, root *tree.Node, body Body) Statement {
	var w Writer
	w.source(func() { w.write(m) })
	w.S("SELECT NULL::bigint, pg_catalog.count(", wholeRow, "), NULL::pg_catalog.text, NULL::pg_catalog.text, ")
	w.body(body, nil)
	w.S(" FROM (")
	w.query(root)
	w.S(") _postgrest_t")
	return w.Statement()
}

// WriteLocated is an insert that answers with the key of its row if there was
// one: one row of null, number of rows, and the key as a JSON array of pairs.
func WriteLocated(m *tree.Write) Statement {
	var w Writer
	w.source(func() { w.write(m) })
	w.S("SELECT NULL::bigint, pg_catalog.count(*), NULL::pg_catalog.text, NULL::pg_catalog.text, CASE WHEN pg_catalog.count(*) = 1",
		" THEN (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(item.key, item.value))",
		" FROM pg_catalog.json_each_text((SELECT pg_catalog.row_to_json(r.*) FROM pgrst_source r)) item WHERE item.key IN (")
	for i, name := range m.Key {
		if i > 0 {
			w.S(", ")
		}
		w.Lit(name)
	}
	if len(m.Key) == 0 {
		w.S("NULL")
	}
	w.S(")) END FROM pgrst_source")
	return w.Statement()
}

// source begins a statement whose rows come from a write or a call.
func (w *Writer) source(rows func()) {
	w.S("WITH pgrst_source AS (")
	rows()
	w.S(") ")
}
