package planner

import (
	"slices"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// Need is a privilege that the role of a request needs to run a plan, on an object that the request names.
type Need struct {
	Object    catalog.QI
	Privilege string   // SELECT, INSERT, UPDATE, DELETE or EXECUTE
	Columns   []string // of SELECT, INSERT and UPDATE; none: any column will do
	Types     []string // EXECUTE: the types of the arguments, as the catalog spells them
}

// Needs returns the privileges that a plan needs, in the order in which PostgreSQL is likely to check them. What views,
// functions, policies and triggers need inside is not among them. It allocates, so it is for errors only.
func (p *Plan) Needs(cat *catalog.Catalog) []Need {
	n := needs{cat: cat}
	if p.write != nil {
		n.write(p.write)
	}
	for _, w := range p.writes {
		n.write(w)
		for _, k := range w.Nested.Keys {
			n.relation(w.Table, "SELECT", k.Name)
		}
	}
	if p.call != nil {
		types := make([]string, len(p.call.Routine.Params))
		for i := range types {
			types[i] = p.call.Routine.Params[i].Type
		}
		n.list = append(n.list, Need{Object: p.call.Routine.QI, Privilege: "EXECUTE", Types: types})
	}
	if p.root != nil {
		n.node(p.root)
	}
	return n.list
}

type needs struct {
	cat  *catalog.Catalog
	list []Need
}

// relation notes a privilege on columns of a relation. Anything else that names a field is a function of the row.
func (n *needs) relation(relation catalog.QI, privilege string, columns ...string) {
	i := slices.IndexFunc(n.list, func(l Need) bool { return l.Object == relation && l.Privilege == privilege })
	if i < 0 {
		n.list = append(n.list, Need{Object: relation, Privilege: privilege})
		i = len(n.list) - 1
	}
	table := n.cat.Tables[relation]
	for _, column := range columns {
		switch {
		case table == nil:
		case column == "*":
			for _, c := range table.Columns {
				n.column(i, c.Name)
			}
		case table.Column(column) != nil:
			n.column(i, column)
		default:
			n.list = append(n.list, Need{Object: catalog.QI{Schema: relation.Schema, Name: column}, Privilege: "EXECUTE", Types: []string{spell(relation)}})
		}
	}
}

func (n *needs) column(i int, name string) {
	if !slices.Contains(n.list[i].Columns, name) {
		n.list[i].Columns = append(n.list[i].Columns, name)
	}
}

func (n *needs) write(w *tree.Write) {
	var columns []string
	for i := range w.Columns {
		columns = append(columns, w.Columns[i].Name)
	}
	switch w.Kind {
	case tree.WriteInsert:
		n.relation(w.Table, "INSERT", columns...)
		if !w.Conflict.IsZero() && w.Resolution == header.MergeDuplicates {
			n.relation(w.Table, "UPDATE", columns...)
		}
	case tree.WriteUpdate:
		n.relation(w.Table, "UPDATE", columns...)
	default:
		n.relation(w.Table, "DELETE")
	}
	read := slices.Concat(fieldsOf(w.Where), w.Returning)
	if w.Resolution != header.ResolutionNone {
		read = append(read, w.Conflict.Columns...)
	}
	for i := range w.Join {
		read = append(read, w.Join[i].Name)
	}
	if w.Keep {
		read = append(read, columns...)
	}
	if len(read) > 0 {
		n.relation(w.Table, "SELECT", read...)
	}
}

func (n *needs) node(node *tree.Node) {
	if node.From != sqlgen.Source {
		n.relation(node.From, "SELECT", nodeFields(node)...)
	}
	for _, child := range node.Children {
		n.join(node, child)
		n.node(child)
	}
}

// join notes what the relationship of a child reads.
func (n *needs) join(parent, child *tree.Node) {
	switch r := child.Rel; {
	case r == nil:
	case r.Cardinality == catalog.Computed:
		n.list = append(n.list, Need{Object: r.Function, Privilege: "EXECUTE", Types: []string{spell(r.Table)}})
	case r.Cardinality == catalog.ManyToMany:
		for _, c := range r.Junction.Source {
			n.relation(r.Junction.Table, "SELECT", c.Foreign)
		}
		for _, c := range r.Junction.Target {
			n.relation(r.Junction.Table, "SELECT", c.Foreign)
			n.relation(child.From, "SELECT", c.Column)
		}
	default:
		for _, c := range r.Columns {
			n.relation(child.From, "SELECT", c.Foreign)
			if parent.From != sqlgen.Source {
				n.relation(parent.From, "SELECT", c.Column)
			}
		}
	}
}

func nodeFields(node *tree.Node) []string {
	fields := fieldsOf(node.Where)
	if node.SelectsStar() {
		fields = append(fields, "*")
	}
	for i := range node.Select {
		fields = append(fields, node.Select[i].Field.Name)
	}
	for i := range node.Order {
		if o := &node.Order[i]; !o.Rel.Given { // else a column of an embed, which selects it
			fields = append(fields, o.Field.Name)
		}
	}
	fields = append(fields, clauseFields(node)...)
	return slices.DeleteFunc(fields, func(name string) bool { return name == "" })
}

// clauseFields returns the columns of a node that DISTINCT ON and the order of a to-many spread
// name, and those in aggregates, except for the aggregated columns that are selected.
func clauseFields(node *tree.Node) (fields []string) {
	for i := range node.DistinctOn {
		fields = append(fields, node.DistinctOn[i].Name)
	}
	for i := range node.Select {
		fields = append(fields, fieldsOf(node.Select[i].Filter)...)
	}
	for i := range node.Extra {
		e := &node.Extra[i]
		fields = append(fields, fieldsOf(e.Conds)...)
		if len(e.Conds) == 0 && !e.Rel.Given { // the order of a to-many spread
			fields = append(fields, e.Field.Field.Name)
		}
	}
	for i := range node.Order {
		if o := &node.Order[i]; o.Aggregate != nil && !o.Rel.Given {
			fields = append(fields, o.Aggregate.Field.Name)
		}
	}
	return fields
}

func fieldsOf(conditions []tree.Cond) (fields []string) {
	for i := range conditions {
		switch c := &conditions[i]; c.Kind {
		case tree.CondFilter:
			if c.Aggregate == nil {
				fields = append(fields, c.Field.Name)
			}
		case tree.CondLogic:
			fields = append(fields, fieldsOf(c.Children)...)
		}
	}
	return fields
}

// spell is the name of the row type of a relation, for to_regtype.
func spell(relation catalog.QI) string {
	return sqlgen.Ident(relation.Schema) + "." + sqlgen.Ident(relation.Name)
}
