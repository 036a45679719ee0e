package sqlgen

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// countRows writes a SELECT that returns one row for each row the root has
// without limit and offset. Only embeds that remove rows matter: an inner join
// or a null filter becomes an EXISTS. Only the query itself knows its number of groups.
func (w *Writer) countRows(n *tree.Node) {
	if n.CountsGroups() {
		all := *n
		all.Limit = tree.Limit{}
		w.S("SELECT 1 FROM (")
		w.query(&all)
		w.S(") _")
		return
	}
	ref := n.Ref()
	w.S("SELECT 1")
	w.from(n)
	and := w.between(" WHERE ", " AND ")
	if len(n.Where) > 0 {
		and()
		w.conditions(ref, n.Where, func(c *tree.Cond) { w.existsEmbed(n, c) })
	}
	if len(n.JoinConds) > 0 {
		and()
		w.joinConds(n.JoinConds)
	}
	for _, child := range n.Children {
		if child.Join == parser.JoinInner {
			and()
			w.S("EXISTS (")
			w.countRows(child)
			w.S(")")
		}
	}
}

func (w *Writer) existsEmbed(n *tree.Node, c *tree.Cond) {
	for _, child := range n.Children {
		if child.AggAlias == c.Embed {
			if !c.Negate {
				w.S("NOT ")
			}
			w.S("EXISTS (")
			w.countRows(child)
			w.S(")")
			return
		}
	}
}
