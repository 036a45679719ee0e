package sqlgen

import (
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Count says which total a statement has to deliver with the page.
type Count uint8

const (
	CountNone   Count = iota
	CountPage         // the page is everything: its own number of rows
	CountExact        // rows without limit and offset
	CountAtMost       // the same, but counting stops at Total.AtMost
)

// Total is the count a read has to deliver.
type Total struct {
	Count  Count
	AtMost int64
}

// Counted reports whether PostgreSQL has to count rows beyond the page.
func (t Total) Counted() bool { return t.Count == CountExact || t.Count == CountAtMost }

// BodyKind says who makes the body of an answer, and how.
type BodyKind uint8

const (
	BodyNone    BodyKind = iota // none: HEAD, writes without representation
	BodyArray                   // JSON array of rows
	BodyObject                  // JSON object: the only row
	BodyCSV                     // text/csv
	BodyGeoJSON                 // a FeatureCollection
	BodyCustom                  // a handler function
)

// Body describes a body that PostgreSQL computes as one value.
type Body struct {
	Kind     BodyKind
	Strip    bool       // without null fields
	Function catalog.QI // BodyCustom
	Target   catalog.QI // BodyCustom: row type the handler takes; zero for anyelement

	// Explained: the statement is only going to be explained, and has the form
	// PostgREST's has, so that plans look the same.
	Explained bool
}

// Columns names the columns of a page, in order and without duplicates, and
// tells which of them PostgreSQL has to convert to JSON because no codec knows
// their type. It is learnt from the server's own description of the statement.
type Columns struct {
	Names  []string
	ToJSON []bool
	Star   bool // "*" stands for some of them
}

// Rows is a read whose rows are encoded by us: plain columns. With a Total
// that PostgreSQL has to count, RowsPrefix columns come first: the total, and
// whether the row is a row of the page at all (an empty page still has to
// bring the total along). records may be nil.
func Rows(root *tree.Node, total Total, convert *Columns, records Records) Statement {
	w := Writer{json: len(JSONColumns(root)) > 0, records: records}
	w.rows(root, total, convert)
	return w.Statement()
}

func (w *Writer) rows(root *tree.Node, total Total, convert *Columns) {
	if !total.Counted() {
		w.page(root, convert)
		return
	}
	// The only order a nested loop over one row can have is that of the page. The
	// page comes first because of two mistakes PostgreSQL reports the first.
	w.S("SELECT pgrst_source_count.total, pgrst_page.* FROM (SELECT TRUE AS present, _postgrest_t.* FROM (")
	w.page(root, convert)
	w.S(") _postgrest_t) pgrst_page RIGHT JOIN (SELECT pg_catalog.count(*) AS total FROM (")
	w.totalRows(root, total)
	w.S(") _) pgrst_source_count ON TRUE")
}

// RowsPrefix is the number of columns before the page's own in a statement
// made by Rows with a counted total.
const RowsPrefix = 2

func (w *Writer) page(root *tree.Node, convert *Columns) {
	if convert == nil {
		w.query(root)
		return
	}
	w.S("SELECT ")
	for i, name := range convert.Names {
		if i > 0 {
			w.S(", ")
		}
		if convert.ToJSON[i] {
			w.S("pg_catalog.to_json(_postgrest_t.")
			w.Ident(name)
			w.S(") AS ")
		} else {
			w.S("_postgrest_t.")
		}
		w.Ident(name)
	}
	w.S(" FROM (")
	w.query(root)
	w.S(") _postgrest_t")
	if convert.Star {
		w.S(" WHERE TRUE OR ")
		w.hasColumns("_postgrest_t", len(convert.Names))
	}
}

// hasColumns writes a condition for behind "TRUE OR", which PostgreSQL removes when
// it plans the statement. But PostgreSQL does not accept it (42601) where the
// subquery has another number of columns: "*" may stand for more columns by now.
func (w *Writer) hasColumns(alias string, n int) {
	w.S("EXISTS (SELECT ")
	w.Ident(alias)
	w.S(".* UNION ALL SELECT NULL")
	for range n - 1 {
		w.S(", NULL")
	}
	w.S(")")
}

// Value is a read whose body PostgreSQL computes: one row of total (or null),
// rows of the page, response.headers, response.status, body.
func Value(root *tree.Node, total Total, body Body) Statement {
	var w Writer
	w.S("WITH pgrst_source AS (")
	w.query(root)
	w.S(")")
	w.aggregatedPage(root, total, body, nil, func() { w.S("SELECT * FROM pgrst_source") })
	return w.Statement()
}

// value is the same over the rows of a call.
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
	// The response settings are read when the body has been computed, which
	// may set them, but come before it, so that the head of an answer is known
	// before a large body has arrived. OFFSET 0 keeps the two apart.
	w.S(" SELECT ")
	if !body.Explained {
		w.S("total, page, ", responseHeaders, ", ", responseStatus, ", body FROM (SELECT ")
	}
	switch {
	case total.Counted():
		w.S("(SELECT pg_catalog.count(*) FROM pgrst_source_count)")
	case total.Count == CountPage:
		w.S(rows)
	default:
		w.S("NULL::bigint")
	}
	w.S(" AS total, ", rows, " AS page, ")
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
		w.S(" LIMIT ")
		w.Int(total.AtMost)
	}
}

// Explain is the EXPLAIN whose row estimate answers count=planned and count=estimated.
func Explain(root *tree.Node) Statement {
	var w Writer
	w.S("EXPLAIN (FORMAT JSON) ")
	w.countRows(root)
	return w.Statement()
}
