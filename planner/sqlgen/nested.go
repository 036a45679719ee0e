package sqlgen

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// A nested insert is several statements in one transaction. They tell each other through
// settings of the transaction: the first statement sets the body, and each insert sets the
// keys of the rows it has written, with their numbers. So every statement sees what those
// before it have written, as if the client had sent them one by one.

const (
	nestedBody = "pgrst.nested_body"
	nestedRow  = "pgrst.nested_row"
	nestedKeys = "pgrst.nested_"
)

// NestedFault begins the error of PostgreSQL about a row that was not written although
// other rows refer to it. What follows is their place.
const NestedFault = "nested insert: no row for "

// NestedBody returns the first statement of a nested insert.
func NestedBody() Statement {
	var w Writer
	// PostgreSQL expects 100 rows of each array. For several levels it would find the statements
	// expensive enough to compile them, which takes a second. Keys go from statement to statement
	// as text, which has to be exact.
	w.S("SELECT pg_catalog.set_config('"+nestedBody+"', ", w.param(Arg{Kind: ArgBody}), ", true) IS NULL", // the body does not come back
		", pg_catalog.set_config('jit', 'off', true) IS NULL, pg_catalog.set_config('extra_float_digits', '1', true) IS NULL")
	return w.Statement()
}

// NestedInsert returns one insert of a nested insert.
func NestedInsert(m *tree.Write) Statement {
	var w Writer
	rows := m.Nested
	if rows.Silent {
		w.insert(m)
		return w.Statement()
	}
	w.source(func() {
		w.insert(m)
		w.S(" RETURNING pg_catalog.current_setting('" + nestedRow + "')::pg_catalog.int8[] AS numbers")
		for i, k := range rows.Keys {
			w.S(", ", column(m.Table, k.Name), " AS ", Ident(NestedKey(i)))
		}
	})
	w.S("SELECT pg_catalog.set_config('", keysSetting(rows), "', COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object('", NestedRow, "', pgrst_source.numbers[1], '", NestedAround, "', pgrst_source.numbers[2]")
	for i, k := range rows.Keys {
		value := namedColumn(Source, NestedKey(i))
		w.S(", ", Literal(NestedKey(i)), ", ")
		if k.JSON {
			w.S(value)
			continue
		}
		// concat gives the text of a value that the input function of its type reads.
		w.S("CASE WHEN ", value, " IS NOT NULL THEN pg_catalog.concat(", value, ") END")
	}
	w.S(") ORDER BY pgrst_source.numbers), '[]')::pg_catalog.text, true) IS NULL FROM pgrst_source")
	return w.Statement()
}

func keysSetting(rows *tree.NestedRows) string { return nestedKeys + strconv.Itoa(rows.Number) }

// NestedKey returns the name of a remembered column.
func NestedKey(i int) string { return strconv.Itoa(i) }

// NestedRow and NestedAround name what is remembered with the columns of a row: its number,
// and the number of the outer row.
const (
	NestedRow    = "row"
	NestedAround = "around"
)

// nestedRows writes the FROM item pgrst_body: the rows of a Write in their order.
//
// Before the INSERT gets a row, a condition writes the numbers of the row and of the outer
// row into a setting, and RETURNING reads them. So numbers and keys belong together even if
// a trigger leaves rows out. OFFSET 0 keeps the condition above the sort, so that it is
// evaluated row by row.
func (w *Writer) nestedRows(m *tree.Write) {
	rows := m.Nested
	numbers := freeName("numbers", m.Columns)
	w.S("(SELECT pgrst_rows.* FROM (SELECT ARRAY[pgrst_item.n, pgrst_item.outer_n] AS ", numbers)
	given := func(c *tree.WriteColumn) string { return transformed(c.Transform, namedColumn(recordRows, c.Key)) }
	for i := range m.Columns {
		c := &m.Columns[i]
		var values []string
		for j := range rows.Refs {
			for _, l := range rows.Refs[j].Columns {
				if l.Column == c.Name {
					values = append(values, namedColumn(refName(j), NestedKey(l.Key)))
				}
			}
		}
		for j := range rows.Body {
			if rows.Body[j].Name == c.Name {
				values = append(values, given(&rows.Body[j]))
			}
		}
		w.S(", ", coalesce(values), " AS ", Ident(c.Name))
	}
	w.S(" FROM ")
	w.nestedItems(rows.Path, m.Object)
	for i := range rows.Refs {
		w.nestedRef(i, &rows.Refs[i])
	}
	w.nestedRecord(rows.Body, m.Defaults)
	and := w.between(" WHERE ", " AND ")
	for i := range rows.Refs {
		and()
		w.nestedCheck(i, &rows.Refs[i])
	}
	w.S(" ORDER BY pgrst_item.n OFFSET 0) pgrst_rows WHERE pg_catalog.set_config('"+nestedRow+"', pgrst_rows.", numbers, "::pg_catalog.text, true) IS NOT NULL OFFSET 0) pgrst_body")
}

// coalesce returns the first of the values that is not NULL. Several rows may give a column
// of a composite key; the foreign keys refuse rows that do not agree.
func coalesce(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	return "COALESCE(" + strings.Join(values, ", ") + ")"
}

// nestedItems writes the FROM item pgrst_item: the rows at a path as JSON, with their
// numbers and those of the rows that they are inside of.
func (w *Writer) nestedItems(path []tree.NestedStep, object bool) {
	const body = "pg_catalog.current_setting('" + nestedBody + "')::pg_catalog.json"
	if len(path) == 0 {
		if object {
			w.S("(SELECT 1::pg_catalog.int8 AS n, NULL::pg_catalog.int8 AS outer_n, ", body, " AS value) pgrst_item")
		} else {
			w.S("(SELECT e.n, NULL::pg_catalog.int8 AS outer_n, e.value FROM pg_catalog.json_array_elements(", body, ") WITH ORDINALITY e(value, n)) pgrst_item")
		}
		return
	}
	last := path[len(path)-1]
	value := nestedMember(last.Key)
	if last.Many {
		w.S("(SELECT pg_catalog.row_number() OVER (ORDER BY pgrst_item.n, e.n) AS n, pgrst_item.n AS outer_n, e.value FROM ")
		w.nestedItems(path[:len(path)-1], object)
		w.S(", LATERAL pg_catalog.json_array_elements(CASE pg_catalog.json_typeof(", value, ") WHEN 'array' THEN ", value, " END) WITH ORDINALITY e(value, n)) pgrst_item")
		return
	}
	w.S("(SELECT pgrst_item.n, pgrst_item.n AS outer_n, ", value, " AS value FROM ")
	w.nestedItems(path[:len(path)-1], object)
	w.S(" WHERE pg_catalog.json_typeof(", value, ") = 'object') pgrst_item")
}

func nestedMember(key string) string {
	return "(pgrst_item.value OPERATOR(pg_catalog.->) " + Literal(key) + ")"
}

func refName(i int) catalog.QI { return catalog.QI{Name: "pgrst_ref_" + strconv.Itoa(i)} }

// nestedRef joins the keys of the rows that a row takes columns from.
func (w *Writer) nestedRef(i int, ref *tree.NestedRef) {
	join, number := " LEFT JOIN ", "outer_n"
	if ref.Lenient {
		join = " JOIN "
	}
	if ref.Own {
		number = "n"
	}
	w.S(join, "(SELECT k.*, pg_catalog.count(*) OVER (PARTITION BY k.", NestedRow, ") AS same FROM ")
	w.remembered(ref.Rows)
	w.S(") ", refName(i).Name, " ON ", refName(i).Name, ".", NestedRow, " = pgrst_item.", number)
}

// remembered writes the FROM item k: what a Write has remembered of its rows.
func (w *Writer) remembered(rows *tree.NestedRows) {
	w.S("pg_catalog.json_to_recordset(pg_catalog.current_setting('", keysSetting(rows), "')::pg_catalog.json) AS k", rememberedColumns(rows))
}

func rememberedColumns(rows *tree.NestedRows) string {
	text := "(" + Ident(NestedRow) + " pg_catalog.int8"
	for i, k := range rows.Keys {
		text += ", " + Ident(NestedKey(i)) + " " + k.Type
	}
	return text + ")"
}

// writtenCTE writes the CTE with what is remembered of the rows of one relation that the
// response has. For rows inside of other rows the CTE has an object, from the number of the
// outer row to an array of the rows in it. So these are found without reading all others.
func (w *Writer) writtenCTE(r *tree.Written) {
	w.S(Ident(r.Name), " AS MATERIALIZED (")
	if r.Around.Given {
		w.S("SELECT pg_catalog.jsonb_object_agg(k.", Ident(NestedAround), ", k.rows) AS rows FROM (SELECT k.value OPERATOR(pg_catalog.->>) '", NestedAround,
			"' AS ", Ident(NestedAround), ", pg_catalog.jsonb_agg(k.value) AS rows FROM pg_catalog.jsonb_array_elements(pg_catalog.current_setting('",
			keysSetting(r.Rows), "')::pg_catalog.jsonb) k(value) GROUP BY 1) k")
	} else {
		w.S("SELECT k.* FROM ")
		w.remembered(r.Rows)
	}
	w.S(")")
}

// writtenItem writes the FROM item that restricts a node to the rows of writtenCTE.
func (w *Writer) writtenItem(r *tree.Written) {
	if !r.Around.Given {
		w.S(Ident(r.Name))
		return
	}
	w.S("pg_catalog.jsonb_to_recordset((SELECT k.rows FROM ", Ident(r.Name), " k) OPERATOR(pg_catalog.->) ",
		namedColumn(catalog.QI{Name: r.Around.Name}, NestedRow), "::pg_catalog.text) AS ", Ident(r.Name), rememberedColumns(r.Rows))
}

// nestedCheck writes a condition that is true if there is exactly one row to refer to. It
// is an error otherwise: a cast that fails.
func (w *Writer) nestedCheck(i int, ref *tree.NestedRef) {
	ref1 := refName(i).Name
	w.S("CASE WHEN ", ref1, ".same = 1")
	if ref.Member != "" {
		w.S(" OR pg_catalog.json_typeof(", nestedMember(ref.Member), ") IS DISTINCT FROM 'object'")
	}
	// The number keeps PostgreSQL from evaluating the cast when it plans the statement.
	w.S(" THEN true ELSE CAST(pg_catalog.concat(", Literal(NestedFault+ref.Place), ", CASE WHEN pgrst_item.n IS NULL THEN 'true' END) AS pg_catalog.bool) END")
}

// nestedRecord joins the values of the body in the types of their columns.
func (w *Writer) nestedRecord(cols []tree.WriteColumn, defaults bool) {
	if len(cols) == 0 {
		return
	}
	kind, value := "json", "pgrst_item.value"
	if defaults {
		kind, value = "jsonb", defaultsOf(cols)+" || pgrst_item.value::pg_catalog.jsonb"
	}
	w.S(" CROSS JOIN LATERAL pg_catalog.", kind, "_to_record(", value, ") AS ", record(cols))
}

// NestedValue returns the last statement of a nested insert: a read of what was written,
// whose body PostgreSQL computes. See Value. written are those of the tree.
func NestedValue(root *tree.Node, written []*tree.Written, body Body) Statement {
	var w Writer
	comma := w.between("WITH ", ", ")
	for _, r := range written {
		comma()
		w.writtenCTE(r)
	}
	w.S(", ")
	w.sourceCTE(func() { w.query(root) })
	w.aggregatedPage(root, Total{}, body, nil, func() { w.S("SELECT * FROM pgrst_source") })
	return w.Statement()
}

// NestedCount returns the last statement of a nested insert without a body. See
// WriteCounted and, for the key, WriteLocated. top has the rows that count. tally: see
// Body.Tally.
func NestedCount(top *tree.NestedRows, key []string, tally bool) Statement {
	var w Writer
	w.S("SELECT NULL::bigint, ", tallied(tally, tallyRows, "pg_catalog.count(*)"), ", NULL::pg_catalog.text, NULL::pg_catalog.text, ")
	if len(key) == 0 {
		w.S("''::pg_catalog.text")
	} else {
		w.S("CASE WHEN pg_catalog.count(*) = 1 THEN pg_catalog.json_build_array(", list(key, func(name *string) string {
			i := slices.IndexFunc(top.Keys, func(k tree.WriteColumn) bool { return k.Name == *name })
			return "pg_catalog.json_build_array(" + Literal(*name) + ", pg_catalog.min(k." + Ident(NestedKey(i)) + "::pg_catalog.text))"
		}), ") END")
	}
	w.S(" FROM ")
	w.remembered(top)
	return w.Statement()
}
