package sqlgen

import (
	"strconv"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Scalar is the name of the column that holds a scalar result.
const Scalar = "pgrst_scalar"

// call writes the SELECT over the result of a routine.
func (w *Writer) call(c *tree.Call) {
	r := c.Routine
	w.S("SELECT ")
	switch {
	case !r.Composite:
		w.S("pgrst_call.", Scalar)
	case len(c.Returning) == 0:
		w.S("*")
	default:
		w.S(columnList(catalog.QI{Name: "pgrst_call"}, c.Returning))
	}
	w.S(" FROM ")
	arguments := ""
	switch c.Args {
	case tree.ArgsJSON:
		w.payload(catalog.QI{}, c.Columns, c.Object, false, true)
		w.S(", LATERAL ")
		arguments = argumentList(c, func(p *catalog.Param) string { return namedColumn(payloadRows, p.Name) })
	case tree.ArgsNamed:
		arguments = argumentList(c, func(p *catalog.Param) string {
			kind := ArgCall
			if p.Variadic {
				kind = ArgVariadic
			}
			return w.callArg(kind, p.Name) + "::" + p.MaxType
		})
	case tree.ArgsUnnamed:
		arguments = w.param(Arg{Kind: ArgBody}) + "::" + c.Params[0].Type
	}
	if r.Composite {
		w.S(qualified(r.QI), "(", arguments, ") pgrst_call")
	} else {
		w.S("(SELECT ", qualified(r.QI), "(", arguments, ") ", Scalar, ") pgrst_call")
	}
	if c.RowType != 0 {
		w.S(" WHERE ", dependsOn(c.RowType))
	}
}

// dependsOn returns a condition that PostgreSQL reduces to TRUE when it plans the
// statement. The condition contains the OID of a relation, so PostgreSQL
// analyses a prepared statement again after the relation has changed. Without
// the condition, it would return the rows of a function under the old column
// names.
func dependsOn(rowType uint32) string {
	return "'" + strconv.FormatUint(uint64(rowType), 10) + "'::pg_catalog.oid IS NOT NULL"
}

func argumentList(c *tree.Call, value func(*catalog.Param) string) string {
	return list(c.Params, func(p *catalog.Param) string {
		argument := Ident(p.Name) + " := " + value(p)
		if p.Variadic {
			return "VARIADIC " + argument
		}
		return argument
	})
}

// CallRows returns a call whose rows the server encodes; see Rows. The embeds
// of a volatile call are cast to jsonb: if the server cannot encode a row of
// json, it cannot run the call again.
func CallRows(c *tree.Call, root *tree.Node, total Total, convert *Columns, records Records, volatile bool) Statement {
	w := Writer{records: records}
	w.source(func() { w.call(c) })
	w.json = !volatile && len(JSONColumns(root)) > 0
	w.rows(root, total, convert)
	return w.Statement()
}

// CallValue returns a call whose body PostgreSQL computes; see Value.
func CallValue(c *tree.Call, root *tree.Node, total Total, body Body) Statement {
	var w Writer
	w.S("WITH ")
	w.sourceCTE(func() { w.call(c) })
	w.value(root, total, body, c.Routine)
	return w.Statement()
}

// FunctionSettings returns the statement that applies the settings of a
// routine.
func FunctionSettings(settings []catalog.Setting) string {
	return "SELECT pg_catalog.num_nonnulls(" + list(settings, func(s *catalog.Setting) string { return constant(s.Name, s.Value) }) + ")"
}
