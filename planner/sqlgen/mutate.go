package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// payloadRows refers to the rows of the payload.
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

// counted writes a condition that is always true. For each row that it is
// evaluated for, it adds 1 to InsertedSetting or subtracts 1 (step is "+" or
// "-"). A merge adds 1 for every row of the payload and subtracts 1 for every
// update. The result is the number of inserted rows.
func (w *Writer) counted(step string) {
	w.S("pg_catalog.set_config('", InsertedSetting, "', (", insertedSoFar, " ", step, " 1)::pg_catalog.text, true) IS NOT NULL")
}

// InsertedSetting is the setting that holds the number of rows that a merge
// inserted.
const InsertedSetting = "pgrst.inserted"

const insertedSoFar = "COALESCE(NULLIF(pg_catalog.current_setting('" + InsertedSetting + "', true), ''), '0')::int"

func (w *Writer) update(m *tree.Write) {
	if len(m.Columns) == 0 {
		// There is no column to set, and UPDATE has no syntax for that. A
		// SELECT without rows takes its place. It keeps the names of the
		// columns, so that PostgreSQL can check what is selected from them.
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
		w.column(payloadRows, m.Columns[i].Name) // PostgREST assigns the whole row to a column named *
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

// Write returns a write without result rows. The command tag has the number of
// rows.
func Write(m *tree.Write) Statement {
	var w Writer
	w.write(m)
	return w.Statement()
}

// WriteRows returns a write whose rows the server encodes.
func WriteRows(m *tree.Write, root *tree.Node, convert *Columns) Statement {
	var w Writer
	w.source(func() { w.write(m) })
	w.page(root, convert)
	return w.Statement()
}

// WriteCounted returns a write whose result is one row with the number of rows.
// It is also the form to explain: its execution plan includes the cost of
// returning rows.
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

// WriteValue returns a write whose body PostgreSQL computes. The result is one
// row: NULL, number of rows, NULL, NULL, body.
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

// WriteLocated returns an insert whose result is one row: NULL, number of rows,
// NULL, NULL, key. The key is the primary key of the inserted row as a JSON
// array of pairs of name and value. It is NULL unless there is exactly one row.
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

// source writes the CTE pgrst_source with the rows of a write or a call.
func (w *Writer) source(rows func()) {
	w.S("WITH pgrst_source AS (")
	rows()
	w.S(") ")
}
