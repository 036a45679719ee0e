package planner

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// wish is what a request asks of one relation. It has two meanings: a query
// string (see ask in wish_query_test.go) and nested loops (below).
type wish struct {
	table *table
	link  *link // nil at the root

	columns  []wishColumn
	star     bool
	filters  []wishFilter
	order    []wishOrder
	limit    int // -1: no limit
	offset   int
	children []*wish

	name   string // alias in the response, or target of a spread
	join   string // "", "inner", "left"
	spread bool
	null   string // filter of the parent on this embed: "", "is", "not"
}

type wishColumn struct{ name, alias string }

type wishOrder struct {
	column     string
	desc       bool
	nullsFirst bool
	child      *wish // not nil: the column belongs to this embed
}

// wishFilter is a condition, or several of them joined by or.
type wishFilter struct {
	not    bool
	column string
	op     string
	values []string
	or     []wishFilter
}

// truth is SQL's: -1 false, 0 unknown, 1 true.
type truth int

func (f *wishFilter) holds(r row) truth {
	result := truth(-1)
	values := f.values
	if f.op == "in" && len(values) == 1 && values[0] == "" {
		values = nil // PostgREST takes a list of one empty text for an empty list
	}
	switch {
	case f.or != nil:
		for i := range f.or {
			result = max(result, f.or[i].holds(r))
		}
	case f.op == "is.null":
		if r[f.column] == nil {
			result = 1
		}
	case r[f.column] == nil && len(values) > 0:
		result = 0
	default:
		for _, v := range values {
			c := compareValues(r[f.column], v)
			switch f.op {
			case "eq", "in":
				result = max(result, yes(c == 0))
			case "neq":
				result = yes(c != 0)
			case "gt":
				result = yes(c > 0)
			case "gte":
				result = yes(c >= 0)
			case "lt":
				result = yes(c < 0)
			case "lte":
				result = yes(c <= 0)
			case "like":
				result = yes(strings.HasPrefix(fmt.Sprint(r[f.column]), strings.TrimSuffix(v, "*")))
			}
		}
	}
	if f.not {
		return -result
	}
	return result
}

func yes(b bool) truth {
	if b {
		return 1
	}
	return -1
}

func compareValues(a any, b any) int {
	if n, ok := a.(json.Number); ok {
		return compareNumbers(n, json.Number(fmt.Sprint(b)))
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// compareNumbers compares as floats, which is exact for the numbers of the
// fixture.
func compareNumbers(a, b json.Number) int {
	x, _ := a.Float64()
	y, _ := b.Float64()
	return cmp.Compare(x, y)
}

// outcome is one row of the response, with the values that order it.
type outcome struct {
	source   row
	object   row
	children []any // first row of each child, or nil; for related orders
}

// rows returns the rows of the wish for one row of its parent.
func (n *wish) rows(from row) []outcome {
	source := n.table.rows
	if n.link != nil {
		source = n.link.follow(from)
	}
	var out []outcome
	for _, r := range source {
		if o, ok := n.one(r); ok {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, n.compare)
	if !n.spreadsMany() {
		out = n.page(out)
	}
	return out
}

func (n *wish) page(out []outcome) []outcome {
	out = out[min(n.offset, len(out)):]
	if n.limit >= 0 {
		out = out[:min(n.limit, len(out))]
	}
	return out
}

func (n *wish) spreadsMany() bool { return n.spread && !n.link.toOne }

// one makes the response's row for r. It is false if the row is filtered out.
func (n *wish) one(r row) (outcome, bool) {
	for i := range n.filters {
		if n.filters[i].holds(r) != 1 {
			return outcome{}, false
		}
	}
	o := outcome{source: r, object: row{}}
	if n.star {
		for _, c := range n.table.columns {
			o.object[c] = r[c]
		}
	}
	for _, c := range n.columns {
		o.object[c.alias] = r[c.name]
	}
	for _, child := range n.children {
		rows := child.rows(r)
		if child.join == "inner" && len(rows) == 0 || child.null != "" && (child.null == "is") != (len(rows) == 0) {
			return outcome{}, false
		}
		first := any(nil)
		if len(rows) > 0 {
			first = rows[0].object
		}
		o.children = append(o.children, first)
		child.put(o.object, rows)
	}
	return o, true
}

// put adds the rows of an embed to its parent's row.
func (n *wish) put(into row, rows []outcome) {
	objects := []any{}
	for _, r := range rows {
		objects = append(objects, map[string]any(r.object))
	}
	switch {
	case n.hidden():
	case n.spread && n.link.toOne:
		for _, name := range n.fields() {
			into[name] = nil
			if len(rows) > 0 {
				into[name] = rows[0].object[name]
			}
		}
	case n.spread:
		for _, name := range n.fields() {
			list := []any{}
			for _, r := range rows {
				list = append(list, r.object[name])
			}
			into[name] = list
		}
	case n.link.toOne && len(rows) > 0:
		into[n.name] = objects[0]
	case n.link.toOne:
		into[n.name] = nil
	default:
		into[n.name] = objects
	}
}

// hidden reports whether an embed is left out because it selects no column at
// any level.
func (n *wish) hidden() bool {
	return !n.star && len(n.columns) == 0 && !slices.ContainsFunc(n.children, func(c *wish) bool { return !c.hidden() })
}

// fields returns the names in a row of the wish.
func (n *wish) fields() []string {
	var names []string
	if n.star {
		names = append(names, n.table.columns...)
	}
	for _, c := range n.columns {
		names = append(names, c.alias)
	}
	for _, child := range n.children {
		switch {
		case child.hidden():
		case child.spread:
			names = append(names, child.fields()...)
		default:
			names = append(names, child.name)
		}
	}
	return names
}

func (n *wish) compare(a, b outcome) int {
	for _, o := range n.order {
		x, y := a.source[o.column], b.source[o.column]
		if o.child != nil {
			i := slices.Index(n.children, o.child)
			x, y = columnOf(a.children[i], o.column), columnOf(b.children[i], o.column)
		}
		if c := o.compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

func columnOf(object any, column string) any {
	if r, ok := object.(row); ok {
		return r[column]
	}
	return nil
}

func (o *wishOrder) compare(x, y any) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil, y == nil:
		if (x == nil) == o.nullsFirst {
			return -1
		}
		return 1
	}
	c := compareValues(x, y)
	if o.desc {
		return -c
	}
	return c
}

// total counts the rows of the root without its limit. Inner embeds and null
// filters count rows that their own limits would cut off. If the root has no
// limit, the total is the number of rows.
func (n *wish) total() int {
	if n.limit < 0 && n.offset == 0 {
		return len(n.rows(nil))
	}
	total := 0
	for _, r := range n.table.rows {
		if n.counts(r) {
			total++
		}
	}
	return total
}

func (n *wish) counts(r row) bool {
	for i := range n.filters {
		if n.filters[i].holds(r) != 1 {
			return false
		}
	}
	for _, child := range n.children {
		found := slices.ContainsFunc(child.link.follow(r), child.counts)
		if child.join == "inner" && !found || child.null != "" && (child.null == "is") == found {
			return false
		}
	}
	return true
}
