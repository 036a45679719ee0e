package sqlgen

import "github.com/fastgrest/fastgrest/planner/tree"

// Texts returns a read whose columns become text as PostgreSQL prints them. Unlike
// Rows it has embeds as jsonb, whose text needs no further work.
func Texts(root *tree.Node) Statement {
	var w Writer
	w.query(root)
	return w.Statement()
}

// CallTexts returns the same for the rows of a call.
func CallTexts(c *tree.Call, root *tree.Node) Statement {
	var w Writer
	w.source(func() { w.call(c) })
	w.query(root)
	return w.Statement()
}
