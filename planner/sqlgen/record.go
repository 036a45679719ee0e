package sqlgen

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// recorded reports whether an embed comes as an array of records.
func (w *Writer) recorded(e *tree.Embed) bool { return w.json && e.Record != nil }

// records writes an embed as an array of records. As a subquery of the select
// list it costs PostgreSQL less than a lateral join with an aggregate, and where
// rows are sorted and limited it runs only for those that are left.
func (w *Writer) records(e *tree.Embed) {
	alias := catalog.QI{Name: e.AggAlias}
	w.S("ARRAY(SELECT ROW(")
	for i := range e.Record.Fields {
		if i > 0 {
			w.S(", ")
		}
		switch f := &e.Record.Fields[i]; f.Form {
		case tree.RecordText:
			w.column(alias, f.Name)
			w.S("::pg_catalog.text")
		case tree.RecordJSON:
			w.S("pg_catalog.to_json(")
			w.column(alias, f.Name)
			w.S(")")
		default:
			w.column(alias, f.Name)
		}
	}
	w.S(") FROM (")
	w.query(e.Node)
	w.S(") AS ")
	w.Ident(e.AggAlias)
	w.S(") AS ")
	w.Ident(e.Name)
}

// Guard is a relation whose columns a record was made of by "*". A record on the
// wire has no names. So the statement has one NULL for each column of the
// relation, by which the server's description tells the names, and PostgreSQL
// refuses to run the statement once they have changed.
type Guard struct {
	Relation catalog.QI
	Names    []string // which they have to be
}

func (w *Writer) guard(g Guard) {
	w.S("(NULL::")
	w.Name(g.Relation)
	w.S(").*")
}

// guardsOf are the guards that the records below n need.
func guardsOf(n *tree.Node) (list []Guard) {
	for i := range n.Embeds {
		e := &n.Embeds[i]
		if e.Record == nil {
			continue
		}
		if e.Record.StarNames != nil {
			list = append(list, Guard{e.Record.Star, e.Record.StarNames})
		}
		list = append(list, guardsOf(e.Node)...)
	}
	slices.SortFunc(list, func(a, b Guard) int {
		return cmp.Or(strings.Compare(a.Relation.Schema, b.Relation.Schema), strings.Compare(a.Relation.Name, b.Relation.Name))
	})
	return slices.CompactFunc(list, func(a, b Guard) bool { return a.Relation == b.Relation })
}
