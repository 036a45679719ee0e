package sqlgen

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/planner/tree"
)

// MergedName is the name by which a statement of Merged refers to the operands of its
// requests. The name must not occur in the statement otherwise.
const MergedName = "pgrst_merged"

// Merged returns the statement of Rows for several requests at once. Its first column is
// the number of the request, from 1, and the others are those of Rows.
//
// Parameters are those of Rows, by number: an ArgValue is an array with an element for
// each request, and the others are the same for all requests. types has the name of the
// element type of each ArgValue. ok is false if there is no such statement.
//
//   - OFFSET 0 keeps PostgreSQL from merging the query of a request into the join. So the
//     query is planned like Rows, and not together with the list of requests.
//   - The subqueries hide the length of the arrays from the planner. Otherwise it
//     expects, from short arrays, that a new execution plan for each execution is cheaper
//     than the one for all.
func Merged(root *tree.Node, total Total, convert *Columns, records Records, types []string) (s Statement, ok bool) {
	w := Writer{json: len(JSONColumns(root)) > 0, records: records, merged: true}
	w.rows(root, total, convert)
	rows := w.Statement()
	if len(types) != len(rows.Args) {
		return Statement{}, false
	}
	var from Writer
	from.S("SELECT ", MergedName, ".number, pgrst_request.* FROM ROWS FROM (")
	comma := from.between("", ", ")
	var columns strings.Builder
	for i, a := range rows.Args {
		if a.Kind != ArgValue {
			continue
		}
		comma()
		from.S("pg_catalog.unnest((SELECT $", strconv.Itoa(i+1), "::", types[i], "[]))")
		columns.WriteString(operandColumn(i) + ", ")
	}
	from.S(") WITH ORDINALITY ", MergedName, "(", columns.String(), "number) CROSS JOIN LATERAL (SELECT * FROM (", rows.SQL, ") pgrst_rows OFFSET 0) pgrst_request")
	s = Statement{SQL: from.buf.String(), Args: rows.Args}
	return s, columns.Len() > 0 && !s.TooLarge()
}

func operandColumn(arg int) string { return "operand" + strconv.Itoa(arg) }
