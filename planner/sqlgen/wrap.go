package sqlgen

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Count says which total a statement returns with the page.
type Count uint8

const (
	CountNone   Count = iota
	CountPage         // number of rows of the page, which is complete
	CountExact        // number of rows without limit and offset
	CountAtMost       // like CountExact, but counting stops at Total.AtMost
)

// Total says how a read counts its rows.
type Total struct {
	Count  Count
	AtMost int64
}

// Counted reports whether PostgreSQL counts rows beyond the page.
func (t Total) Counted() bool { return t.Count == CountExact || t.Count == CountAtMost }

// BodyKind is the form of a response body.
type BodyKind uint8

const (
	BodyNone    BodyKind = iota // no body: HEAD, writes without representation
	BodyArray                   // JSON array of rows
	BodyObject                  // JSON object: the only row
	BodyCSV                     // text/csv
	BodyGeoJSON                 // a FeatureCollection
	BodyCustom                  // a handler function
	BodyLines                   // a line of JSON for each row
)

// Body describes a body that PostgreSQL computes as one value.
type Body struct {
	Kind     BodyKind
	Strip    bool       // without null fields
	Function catalog.QI // BodyCustom
	Target   catalog.QI // BodyCustom: row type that the handler takes; zero for anyelement

	// Tally: the statement keeps its numbers of rows in settings, too; see planner.Plan.Tallied.
	Tally bool

	// Explained: the statement is for EXPLAIN. It has the form of PostgREST's
	// statement, so that execution plans look the same.
	Explained bool
}

// Columns are the columns of a page, in order and without duplicates.
// PostgreSQL converts those in ToJSON to JSON, because no codec knows their
// type. They come from the server's description of the statement.
type Columns struct {
	Names  []string
	ToJSON []bool
	Star   bool // "*" stands for some of them
	JSONB  bool // embeds are jsonb, so that PostgreSQL makes the text of the response
}

// Rows returns a read whose rows the server encodes: its result has plain
// columns. If PostgreSQL counts the total, RowsPrefix columns come before them.
// The first is the total. The second tells whether the row belongs to the page,
// because an empty page still has one row with the total. convert and records
// may be nil.
func Rows(root *tree.Node, total Total, convert *Columns, records Records) Statement {
	w := Writer{json: len(JSONColumns(root)) > 0 && !(convert != nil && convert.JSONB), records: records}
	w.rows(root, total, convert)
	return w.Statement()
}

func (w *Writer) rows(root *tree.Node, total Total, convert *Columns) {
	if !total.Counted() {
		w.page(root, convert)
		return
	}
	// The count is one row, so the join can only keep the order of the page.
	// The page comes before the count because PostgreSQL reports the first of
	// two errors.
	w.S("SELECT pgrst_source_count.total, pgrst_page.* FROM (SELECT TRUE AS present, _postgrest_t.* FROM (")
	w.page(root, convert)
	w.S(") _postgrest_t) pgrst_page RIGHT JOIN (SELECT pg_catalog.count(*) AS total FROM (")
	w.totalRows(root, total)
	w.S(") _) pgrst_source_count ON TRUE")
}

// RowsPrefix is the number of columns before the page's columns in a statement
// of Rows with a counted total.
const RowsPrefix = 2

func (w *Writer) page(root *tree.Node, convert *Columns) {
	if convert == nil {
		w.query(root)
		return
	}
	comma := w.between("SELECT ", ", ")
	columns := len(convert.Names)
	if root.Keyed {
		columns += len(root.Order)
		for i := range root.Order {
			comma()
			w.S("_postgrest_t.", keyColumn(i))
		}
	}
	for i, name := range convert.Names {
		comma()
		if convert.ToJSON[i] {
			w.S("pg_catalog.to_json(_postgrest_t.", Ident(name), ") AS ", Ident(name))
		} else {
			w.S("_postgrest_t.", Ident(name))
		}
	}
	w.S(" FROM (")
	w.query(root)
	w.S(") _postgrest_t")
	if convert.Star {
		w.S(" WHERE TRUE OR ", hasColumns("_postgrest_t", columns))
	}
}

// hasColumns returns a condition to follow "TRUE OR". PostgreSQL removes the
// condition when it plans the statement. But it refuses the statement (42601)
// if the subquery does not have n columns, which happens when "*" has come to
// stand for more.
func hasColumns(alias string, n int) string {
	return "EXISTS (SELECT " + Ident(alias) + ".* UNION ALL SELECT NULL" + strings.Repeat(", NULL", n-1) + ")"
}

// Value returns a read whose body PostgreSQL computes. The result is one row:
// total or NULL, number of rows of the page, response.headers, response.status,
// body.
func Value(root *tree.Node, total Total, body Body) Statement {
	var w Writer
	w.S("WITH ")
	w.sourceCTE(func() { w.query(root) })
	w.aggregatedPage(root, total, body, nil, func() { w.S("SELECT * FROM pgrst_source") })
	return w.Statement()
}

// value writes the same for the rows of a call.
func (w *Writer) value(root *tree.Node, total Total, body Body, routine *catalog.Routine) {
	w.aggregatedPage(root, total, body, routine, func() { w.query(root) })
}

func (w *Writer) aggregatedPage(root *tree.Node, total Total, body Body, routine *catalog.Routine, page func()) {
	if total.Counted() {
		w.S(", pgrst_source_count AS (")
		w.totalRows(root, total)
		w.S(")")
	}
	rows := "pg_catalog.count(" + wholeRow + ")"
	if routine != nil && !routine.SetOf {
		rows = "1"
	}
	// The response settings are read after the body has been computed, because
	// that may set them. They come before the body in the row, so that the head
	// of the response is known before a large body has arrived. OFFSET 0 keeps
	// PostgreSQL from merging the two queries.
	w.S(" SELECT ")
	if !body.Explained {
		w.S("total, page, ", responseHeaders, ", ", responseStatus, ", body FROM (SELECT ")
	}
	switch {
	case total.Counted():
		w.S(tallied(body.Tally, tallyTotal, "(SELECT pg_catalog.count(*) FROM pgrst_source_count)"))
	case total.Count == CountPage:
		w.S(tallied(body.Tally, tallyTotal, rows))
	default:
		w.S("NULL::bigint")
	}
	w.S(" AS total, ", tallied(body.Tally, tallyRows, rows), " AS page, ")
	w.body(body, routine)
	w.S(" AS body")
	if body.Explained {
		w.S(", ", responseHeaders, ", ", responseStatus)
	}
	w.S(" FROM (")
	page()
	w.S(") _postgrest_t")
	if !body.Explained {
		w.S(" OFFSET 0) pgrst_value")
	}
}

func (w *Writer) totalRows(root *tree.Node, total Total) {
	w.countRows(root)
	if total.Count == CountAtMost {
		w.S(" LIMIT ", strconv.FormatInt(total.AtMost, 10))
	}
}

// Estimate returns the EXPLAIN of the count. Its number of rows is the result of
// count=planned and count=estimated. ExecutionPlan is what clients ask for.
func Estimate(root *tree.Node) Statement {
	var w Writer
	w.S("EXPLAIN (FORMAT JSON) ")
	w.countRows(root)
	return w.Statement()
}
