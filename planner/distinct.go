package planner

import (
	"fmt"
	"strings"

	"github.com/fastgrest/fastgrest/planner/tree"
)

// distincts adds distinct= to the nodes that the paths name. The first one of a node
// counts.
func (r *resolver) distincts(root *tree.Node) error {
	for i := len(r.query.Distincts) - 1; i >= 0; i-- {
		d := &r.query.Distincts[i]
		n, err := r.node(root, d.Path)
		if err != nil {
			return err
		}
		if n == root && r.action.Writes() {
			return &Error{Kind: NotImplemented, Details: "The rows of a write cannot be distinct."}
		}
		n.Distinct, n.DistinctOn = d.N == 0, nil
		for _, f := range r.query.DistinctOn(*d) {
			n.DistinctOn = append(n.DistinctOn, r.orderField(n, f))
		}
	}
	return nil
}

// checkDistinct refuses an order that does not begin with the columns of DISTINCT ON, and
// an order of distinct rows by a column that they do not have.
func checkDistinct(n *tree.Node) error {
	if n.Distinct {
		fields := selected(n)
		for i := range n.Order {
			if t := &n.Order[i]; !fields.orders(n, t) {
				return &Error{Kind: DistinctUnselected, Name: n.Name, Details: spellField(&t.Field)}
			}
		}
	}
	on := fieldSet{}
	for i := range n.DistinctOn {
		on.add(&n.DistinctOn[i])
	}
	for i := range n.Order[:min(len(n.Order), len(n.DistinctOn))] {
		t := &n.Order[i]
		if t.Rel.Given || t.Aggregate != nil || !on.has(&t.Field) {
			return &Error{Kind: DistinctOrder, Name: n.Name, Details: leadingOrder(n)}
		}
	}
	for _, c := range n.Children {
		if err := checkDistinct(c); err != nil {
			return err
		}
	}
	return nil
}

// selected are the fields of n that are selected. If a cast makes another value of a field,
// PostgreSQL refuses the order. It cannot in a to-many spread, which also selects the fields
// of its order. So there a field with a cast does not count.
func selected(n *tree.Node) fieldSet {
	set := fieldSet{}
	for i := range n.Select {
		if s := &n.Select[i]; s.Field.Transform == "" && !(s.Cast.Given && n.Spread == tree.SpreadToMany) {
			set.add(&s.Field)
		}
	}
	return set
}

// orders reports whether distinct rows of n, with these fields, can be ordered by a term.
func (s fieldSet) orders(n *tree.Node, t *tree.OrderTerm) bool {
	switch {
	case t.Aggregate != nil: // PostgreSQL refuses one that is not selected
		return true
	case !t.Rel.Given:
		return s.has(&t.Field) || n.SelectsStar()
	}
	return len(t.Field.Path) == 0 && lifts(n, t.Rel, t.Field.Name)
}

// fieldSet has fields of one node, by name and path. A request may name thousands.
type fieldSet map[string]struct{}

func (s fieldSet) add(f *tree.Field) { s[fieldKey(f)] = struct{}{} }

func (s fieldSet) has(f *tree.Field) bool {
	_, ok := s[fieldKey(f)]
	return ok
}

func fieldKey(f *tree.Field) string {
	key := f.Name
	for _, step := range f.Path {
		key += fmt.Sprintf("\x00%t,%t,%s", step.Text, step.Index, step.Key)
	}
	return key
}

// leadingOrder spells the columns of DISTINCT ON as the client does.
func leadingOrder(n *tree.Node) string {
	var fields []string
	for i := range n.DistinctOn {
		fields = append(fields, spellField(&n.DistinctOn[i]))
	}
	return strings.Join(fields, ",")
}

func spellField(f *tree.Field) string {
	text := f.Name
	for _, step := range f.Path {
		text += "->"
		if step.Text {
			text += ">"
		}
		text += step.Key
	}
	return text
}
