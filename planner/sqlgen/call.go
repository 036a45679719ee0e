package sqlgen

import (
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
		for i, name := range c.Returning {
			if i > 0 {
				w.S(", ")
			}
			w.column(catalog.QI{Name: "pgrst_call"}, name)
		}
	}
	w.S(" FROM ")
	switch c.Args {
	case tree.ArgsJSON:
		w.payload(c.Columns, c.Object, false, true)
		w.S(", LATERAL ")
		w.invoke(r, func() { w.arguments(c, func(p *catalog.Param) { w.one(payloadRows, p.Name) }) })
	case tree.ArgsNamed:
		w.invoke(r, func() {
			w.arguments(c, func(p *catalog.Param) {
				kind := ArgCall
				if p.Variadic {
					kind = ArgVariadic
				}
				w.CallArg(kind, p.Name)
				w.S("::", p.MaxType)
			})
		})
	case tree.ArgsUnnamed:
		w.invoke(r, func() {
			w.Param(Arg{Kind: ArgBody})
			w.S("::", c.Params[0].Type)
		})
	default:
		w.invoke(r, func() {})
	}
	if c.RowType != 0 {
		w.S(" WHERE ")
		w.follow(c.RowType)
	}
}

// follow writes a condition that PostgreSQL reduces to TRUE when it plans the
// statement. The condition contains the OID of a relation, so PostgreSQL
// analyses a prepared statement again after the relation has changed. Without
// the condition, it would return the rows of a function under the old column
// names.
func (w *Writer) follow(rowType uint32) {
	w.S("'")
	w.Int(int64(rowType))
	w.S("'::pg_catalog.oid IS NOT NULL")
}

func (w *Writer) arguments(c *tree.Call, value func(*catalog.Param)) {
	for i := range c.Params {
		p := &c.Params[i]
		if i > 0 {
			w.S(", ")
		}
		if p.Variadic {
			w.S("VARIADIC ")
		}
		w.Ident(p.Name)
		w.S(" := ")
		value(p)
	}
}

func (w *Writer) invoke(r *catalog.Routine, arguments func()) {
	if !r.Composite {
		w.S("(SELECT ")
	}
	w.Name(r.QI)
	w.S("(")
	arguments()
	w.S(")")
	if !r.Composite {
		w.S(" ", Scalar, ")")
	}
	w.S(" pgrst_call")
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
	w.S("WITH pgrst_source AS (")
	w.call(c)
	w.S(")")
	w.value(root, total, body, c.Routine)
	return w.Statement()
}

// FunctionSettings returns the statement that applies the settings of a
// routine.
func FunctionSettings(settings []catalog.Setting) string {
	var w Writer
	w.S("SELECT pg_catalog.num_nonnulls(")
	for i, s := range settings {
		if i > 0 {
			w.S(", ")
		}
		w.constant(s.Name, s.Value)
	}
	w.S(")")
	return w.Statement().SQL
}
