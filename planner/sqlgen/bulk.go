package sqlgen

import (
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// What a bulk update raises if the keys of its payload are not valid. PostgreSQL has no
// function that raises an error, so text that has one of these is cast to a number. The
// error is invalid_text_representation, and its message has the text. KeyRepeated is
// followed by a key in parentheses.
const (
	KeyMissing  = "pgrst_key_missing"
	KeyRepeated = "pgrst_key_repeated"
)

// maxRaisedKey is the length of a key in an error, in characters.
const maxRaisedKey = "200"

// bulkUpdate writes an update that takes the values of each row from the object that
// has its key. The payload is a CTE: PostgreSQL reads it once, for the check of the keys
// and for the join.
func (w *Writer) bulkUpdate(m *tree.Write) {
	cols := slices.Concat(m.Join, m.Columns)
	item, rows := freeName("pgrst_item", cols), beside(m.Table, payloadRows)
	w.S("WITH ", rows.Name, " AS MATERIALIZED (")
	if m.Keep {
		w.items(cols, m.Object, item)
	} else {
		w.S("SELECT ", rows.Name, ".* FROM ")
		w.payload(m.Table, cols, m.Object, m.Defaults, false)
	}
	w.S(") UPDATE ", qualified(m.Table), " SET ", list(m.Columns, func(c *tree.WriteColumn) string {
		value := namedColumn(rows, c.Name)
		if m.Keep {
			value = "CASE WHEN " + namedColumn(rows, item) + " OPERATOR(pg_catalog.?) " + Literal(c.Key) +
				" THEN " + value + " ELSE " + namedColumn(m.Table, c.Name) + " END"
		}
		return Ident(c.Name) + " = " + value
	}), " FROM ", rows.Name, " WHERE ")
	for i := range m.Join {
		w.S(namedColumn(m.Table, m.Join[i].Name), " = ", namedColumn(rows, m.Join[i].Name), " AND ")
	}
	if len(m.Where) > 0 {
		w.conditions(m.Table, m.Where, w.joinedIsNull)
		w.S(" AND ")
	}
	w.validKeys(m, rows)
	w.S(returning(m))
}

// items writes the rows of the payload, each with its object as jsonb, which tells the
// keys that the object lacks.
func (w *Writer) items(cols []tree.WriteColumn, object bool, item string) {
	w.S("SELECT ", list(cols, payloadColumn), ", pgrst_item.value::pg_catalog.jsonb AS ", Ident(item), " FROM ")
	source := w.param(Arg{Kind: ArgBody}) + "::pg_catalog.json"
	if object {
		w.S("(SELECT ", source, " AS value) pgrst_item")
	} else {
		w.S("pg_catalog.json_array_elements(", source, ") pgrst_item(value)")
	}
	w.S(", LATERAL pg_catalog.json_to_record(pgrst_item.value) AS ", record(cols))
}

// validKeys writes a condition that is true if each row of the payload has a key of its
// own, and otherwise raises an error. It does not depend on a row of the table, so
// PostgreSQL evaluates it once, before the first row is read.
//
// The union gives the keys the collations of the table's columns.
func (w *Writer) validKeys(m *tree.Write, rows catalog.QI) {
	names := func(table catalog.QI) string {
		return list(m.Join, func(c *tree.WriteColumn) string { return namedColumn(table, c.Name) })
	}
	key := catalog.QI{Name: "pgrst_key"}
	missing := make([]string, len(m.Join))
	for i := range missing {
		missing[i] = namedColumn(key, m.Join[i].Name) + " IS NULL"
	}
	w.S("(SELECT CASE WHEN pg_catalog.bool_or(pgrst_keys.missing) THEN ", raised("'"+KeyMissing+"' || pg_catalog.count(*)::pg_catalog.text"),
		" WHEN pg_catalog.max(pgrst_keys.repeated) IS NOT NULL THEN ",
		raised("'"+KeyRepeated+"(' || pg_catalog.left(pg_catalog.max(pgrst_keys.repeated), "+maxRaisedKey+") || ')'"), " ELSE true END",
		" FROM (SELECT ", strings.Join(missing, " OR "), " AS missing, CASE WHEN pg_catalog.count(*) > 1 THEN ROW(", names(key), ")::pg_catalog.text END AS repeated",
		" FROM (SELECT ", names(m.Table), " FROM ", qualified(m.Table), " WHERE false UNION ALL SELECT ", names(rows), " FROM ", rows.Name, ") pgrst_key",
		" GROUP BY ", names(key), ") pgrst_keys)")
}

// raised returns a condition that raises an error with the text. The text must not be
// constant, because PostgreSQL would raise the error when it plans the statement.
func raised(text string) string { return "(" + text + ")::pg_catalog.int4 IS NOT NULL" }

// freeName returns a name that is not that of a column.
func freeName(name string, cols []tree.WriteColumn) string {
	for slices.ContainsFunc(cols, func(c tree.WriteColumn) bool { return c.Name == name }) {
		name += "_"
	}
	return name
}
