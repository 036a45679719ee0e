package planner

import (
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// mergeable reports whether a plan may run once for several requests. Then it must not
// matter how often an expression of it is computed: it reads tables and computes with
// PostgreSQL's own operators. A view may call random().
func (p *Plan) mergeable() bool {
	return p.Action == Read && p.Rows && !p.Paged && p.Lines == NoLines && p.Blind && !p.views && p.Estimate.SQL == ""
}

// orderless reports whether the result of a node with at most one row is the same in
// whatever order PostgreSQL reads rows. A limit of two rows or more has no effect on it.
func orderless(n *tree.Node) bool {
	l := n.Limit
	return !n.Aggregates() && !n.Distinct && len(n.DistinctOn) == 0 && len(n.Having) == 0 && !l.HasOffset && (!l.HasLimit || l.Inline > 1) &&
		!slices.ContainsFunc(n.Children, func(child *tree.Node) bool { return !child.Rel.IsToOne() || !orderless(child) })
}

// Merged prints the statement of Convert for several requests at once, see sqlgen.Merged.
// types are the types of the operands, by argument. The result is nil if there is no such
// statement.
//
// The statement may have another execution plan than Main. So it does not exist if the result
// could depend on the order in which PostgreSQL reads rows. Responses with several rows
// can, too: the caller must not use them.
func (p *Plan) Merged(c *sqlgen.Columns, records sqlgen.Records, types []string) *sqlgen.Statement {
	if !p.Mergeable || !orderless(p.root) || strings.Contains(p.Main.SQL, sqlgen.MergedName) {
		return nil
	}
	s, ok := sqlgen.Merged(p.root, p.Total, c, records, types)
	if !ok || !slices.Equal(s.Args, p.Main.Args) {
		return nil
	}
	return &s
}
