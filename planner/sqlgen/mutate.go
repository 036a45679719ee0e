package sqlgen

import (
	"cmp"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// payloadRows refers to the rows of the payload.
var payloadRows = catalog.QI{Name: "pgrst_body"}

// beside returns item, or another name if a table in the same FROM has that.
func beside(table, item catalog.QI) catalog.QI {
	if item.Name == table.Name {
		item.Name += "_"
	}
	return item
}

// write writes the INSERT, UPDATE or DELETE.
func (w *Writer) write(m *tree.Write) {
	switch m.Kind {
	case tree.WriteInsert:
		w.insert(m)
	case tree.WriteUpdate:
		w.update(m)
	default:
		w.S("DELETE FROM ", qualified(m.Table))
		w.where(m)
		w.S(returning(m))
	}
}

func (w *Writer) insert(m *tree.Write) {
	w.S("INSERT INTO ", qualified(m.Table))
	if len(m.Columns) > 0 {
		w.S("(", list(m.Columns, func(c *tree.WriteColumn) string { return Ident(c.Name) }), ") SELECT ",
			list(m.Columns, func(c *tree.WriteColumn) string { return namedColumn(payloadRows, c.Name) }))
	} else {
		w.S(" SELECT")
	}
	w.S(" FROM ")
	if m.Nested != nil {
		w.nestedRows(m)
	} else {
		w.payload(catalog.QI{}, m.Columns, m.Object, m.Defaults, false)
	}
	if m.Count {
		w.S(" WHERE ", counted("+"))
	}
	if m.IsPut {
		w.S(" AND ")
		w.conditions(payloadRows, m.Put, w.joinedIsNull)
	}
	if m.Resolution != header.ResolutionNone && !m.Conflict.IsZero() {
		w.S(" ON CONFLICT ", arbiter(&m.Conflict), " DO ")
		if m.Resolution == header.IgnoreDuplicates || len(m.Columns) == 0 {
			w.S("NOTHING")
		} else {
			w.S("UPDATE SET ", list(m.Columns, func(c *tree.WriteColumn) string { return Ident(c.Name) + " = EXCLUDED." + Ident(c.Name) }))
			if m.Count {
				w.S(" WHERE ", counted("-"))
			}
		}
	}
	w.S(returning(m))
}

// arbiter returns what ON CONFLICT says about the index that decides.
func arbiter(c *tree.Conflict) string {
	if c.Constraint != "" {
		return "ON CONSTRAINT " + Ident(c.Constraint)
	}
	text := "(" + cmp.Or(escapeStrings(c.Elements), identList(c.Columns)) + ")"
	if c.Predicate != "" {
		text += " WHERE " + escapeStrings(c.Predicate)
	}
	return text
}

// counted returns a condition that is always true. For each row that it is
// evaluated for, it adds 1 to InsertedSetting or subtracts 1 (step is "+" or
// "-"). A merge adds 1 for every row of the payload and subtracts 1 for every
// update. The result is the number of inserted rows.
func counted(step string) string {
	return "pg_catalog.set_config('" + InsertedSetting + "', (" + insertedSoFar + " " + step + " 1)::pg_catalog.text, true) IS NOT NULL"
}

// InsertedSetting is the setting that holds the number of rows that a merge
// inserted.
const InsertedSetting = "pgrst.inserted"

var insertedSoFar = "COALESCE(" + setting(InsertedSetting) + ", '0')::int"

func (w *Writer) update(m *tree.Write) {
	if len(m.Columns) == 0 {
		// There is no column to set, and UPDATE has no syntax for that. A
		// SELECT without rows takes its place. It keeps the names of the
		// columns, so that PostgreSQL can check what is selected from them.
		columns := columnList(catalog.QI{Name: m.Table.Name}, m.Returning)
		w.S("SELECT ", cmp.Or(columns, "NULL"), " FROM ", qualified(m.Table), " WHERE false")
		return
	}
	if len(m.Join) > 0 {
		w.bulkUpdate(m)
		return
	}
	rows := beside(m.Table, payloadRows)
	w.S("UPDATE ", qualified(m.Table), " SET ", list(m.Columns, func(c *tree.WriteColumn) string {
		return Ident(c.Name) + " = " + column(rows, c.Name) // PostgREST assigns the whole row to a column named *
	}), " FROM ")
	w.payload(m.Table, m.Columns, m.Object, m.Defaults, false)
	w.where(m)
	w.S(returning(m))
}

func (w *Writer) where(m *tree.Write) {
	if len(m.Where) > 0 {
		w.S(" WHERE ")
		w.conditions(m.Table, m.Where, w.joinedIsNull)
	}
}

func returning(m *tree.Write) string {
	if len(m.Returning) == 0 {
		return ""
	}
	return " RETURNING " + columnList(m.Table, m.Returning)
}

func columnList(table catalog.QI, names []string) string {
	return list(names, func(name *string) string { return column(table, *name) })
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
// returning rows. tally: see Body.Tally.
func WriteCounted(m *tree.Write, tally bool) Statement {
	var w Writer
	w.source(func() {
		w.write(m)
		if len(m.Returning) == 0 && !(m.Kind == tree.WriteUpdate && len(m.Columns) == 0) {
			w.S(" RETURNING 1")
		}
	})
	w.S("SELECT NULL::bigint, ", tallied(tally, tallyRows, "pg_catalog.count(*)"),
		", NULL::pg_catalog.text, NULL::pg_catalog.text, ''::pg_catalog.text FROM pgrst_source")
	return w.Statement()
}

// WriteValue returns a write whose body PostgreSQL computes. The result is one
// row: NULL, number of rows, NULL, NULL, body.
func WriteValue(m *tree.Write, root *tree.Node, body Body) Statement {
	var w Writer
	w.source(func() { w.write(m) })
	w.S("SELECT NULL::bigint, ", tallied(body.Tally, tallyRows, "pg_catalog.count("+wholeRow+")"), ", NULL::pg_catalog.text, NULL::pg_catalog.text, ")
	w.body(body, nil)
	w.S(" FROM (")
	w.query(root)
	w.S(") _postgrest_t")
	return w.Statement()
}

// WriteLocated returns an insert whose result is one row: NULL, number of rows,
// NULL, NULL, key. The key is the primary key of the inserted row as a JSON
// array of pairs of name and value. It is NULL unless there is exactly one row.
// tally: see Body.Tally.
func WriteLocated(m *tree.Write, tally bool) Statement {
	var w Writer
	w.source(func() { w.write(m) })
	w.S("SELECT NULL::bigint, ", tallied(tally, tallyRows, "pg_catalog.count(*)"), ", NULL::pg_catalog.text, NULL::pg_catalog.text, CASE WHEN pg_catalog.count(*) = 1",
		" THEN (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(item.key, item.value))",
		" FROM pg_catalog.json_each_text((SELECT pg_catalog.row_to_json(r.*) FROM pgrst_source r)) item WHERE item.key IN (",
		cmp.Or(list(m.Key, func(name *string) string { return Literal(*name) }), "NULL"), ")) END FROM pgrst_source")
	return w.Statement()
}

// Source is the CTE with the rows of a write or a call. A node that reads it has the name
// of the relation as alias.
var Source = catalog.QI{Name: "pgrst_source"}

// source begins a statement with the CTE of a write or a call.
func (w *Writer) source(rows func()) {
	w.S("WITH ")
	w.sourceCTE(rows)
	w.S(" ")
	w.sourceArgs = len(w.args)
}

// sourceCTE writes the CTE Source.
func (w *Writer) sourceCTE(rows func()) {
	w.S(Source.Name, " AS (")
	rows()
	w.S(")")
}
