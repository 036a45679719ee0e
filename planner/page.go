package planner

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// A page with a cursor (Prefer: page=cursor) has a link to the next page. The cursor in
// the link has the values by which the last row of the page is sorted. So the order must
// tell all rows apart: the columns of a key are added to it.

// Position is what a plan depends on of the cursor that a request brings.
type Position struct {
	Fingerprint uint64 // see Plan.Fingerprint
	Terms       int    // number of values
	Nulls       uint32 // see tree.After
}

// MaxPageTerms is the number of terms in the order of a page.
const MaxPageTerms = 32

// Pages reports whether the client wants a page with a cursor. Only relations have them.
func (r *Request) Pages() bool { return r.Prefer.Page == header.PageCursor && r.Action <= ReadHead }

// page makes the node a page with a cursor.
func (r *resolver) page(root *tree.Node, table *catalog.Table, after *Position) error {
	if root.Aggregates() || root.Distinct || len(root.DistinctOn) > 0 || len(root.Having) > 0 {
		return pageUnfit("Rows that are computed from several rows, by aggregates or distinct, have no key.")
	}
	if name, twice := r.repeated(root, table); twice {
		return pageUnfit("The rows have several columns called '" + name + "'.")
	}
	if !addKey(root, table) {
		return &Error{Kind: PageUnfit, Details: "'" + table.Name + "' has no known key.",
			Hint: "Order the rows by columns that are unique together."}
	}
	if len(root.Order) > MaxPageTerms {
		return pageUnfit(fmt.Sprintf("At most %d columns can order them.", MaxPageTerms))
	}
	for i := range root.Order {
		t := &root.Order[i]
		column := plainColumn(table, t)
		if column == nil {
			continue
		}
		t.NotNull = !column.Nullable
		if column.OID >= catalog.FirstOwnOID { // operators of composite types take any record
			t.Cast = column.NominalType
		}
	}
	root.Keyed = root.Limit.HasLimit
	if after == nil {
		return nil
	}
	if after.Terms != len(root.Order) {
		return &Error{Kind: OtherCursor}
	}
	root.After = &tree.After{Nulls: after.Nulls}
	return nil
}

func pageUnfit(details string) error { return &Error{Kind: PageUnfit, Details: details} }

// plainColumn returns the column of the table that a term sorts by, or nil.
func plainColumn(table *catalog.Table, t *tree.OrderTerm) *catalog.Column {
	if t.Rel.Given || len(t.Field.Path) > 0 {
		return nil
	}
	return table.Column(t.Field.Name)
}

// addKey adds to the order what it lacks of a key. It adds nothing if the order has all
// of some key. It returns false if there is neither an order nor a key. An order of a
// relation without a known key is taken as it is: the response is an error if two rows at
// the border of a page are equal in it.
func addKey(root *tree.Node, table *catalog.Table) bool {
	ordered := map[string]bool{}
	for i := range root.Order {
		if c := plainColumn(table, &root.Order[i]); c != nil {
			ordered[c.Name] = true
		}
	}
	keys := keysOf(table)
	missing := func(key []string) []string {
		return slices.DeleteFunc(slices.Clone(key), func(name string) bool { return ordered[name] })
	}
	if len(keys) == 0 {
		return len(root.Order) > 0
	}
	if slices.ContainsFunc(keys, func(key []string) bool { return len(missing(key)) == 0 }) {
		return true
	}
	// In the direction of the last term, so that one index can serve all terms.
	dir := parser.DirDefault
	if n := len(root.Order); n > 0 && root.Order[n-1].Dir == parser.DirDesc {
		dir = parser.DirDesc
	}
	for _, name := range missing(keys[0]) {
		root.Order = append(root.Order, tree.OrderTerm{Field: tree.Field{Name: name}, Dir: dir})
	}
	return true
}

// keysOf returns the keys of a table, the primary key first: columns that are unique
// together, and never NULL. Those of views come from the tables below.
func keysOf(table *catalog.Table) (keys [][]string) {
	if len(table.PrimaryKey) > 0 {
		keys = append(keys, table.PrimaryKey)
	}
	nullable := func(name string) bool {
		c := table.Column(name)
		return c == nil || c.Nullable
	}
	for i := range table.Uniques {
		u := &table.Uniques[i]
		if len(u.Columns) > 0 && u.OfColumns() && !slices.ContainsFunc(u.Columns, nullable) {
			keys = append(keys, u.Columns)
		}
	}
	return keys
}

// repeated finds a name that several columns of the page have, or a column and the key.
func (r *resolver) repeated(root *tree.Node, table *catalog.Table) (name string, twice bool) {
	seen := map[string]bool{}
	add := func(n string) {
		n = sqlgen.CutName(n, sqlgen.MaxIdentifier)
		if !twice && (seen[n] || strings.HasPrefix(n, sqlgen.KeyPrefix)) {
			name, twice = n, true
		}
		seen[n] = true
	}
	addAll := func(t *catalog.Table) {
		if t == nil {
			return
		}
		for _, c := range t.Columns {
			add(c.Name)
		}
	}
	if len(root.Select) == 0 && len(root.Children) == 0 {
		addAll(table)
	}
	for i := range root.Select {
		if s := &root.Select[i]; s.Field.Name == "*" {
			addAll(table)
		} else {
			add(s.Alias.Or(s.Field.Name))
		}
	}
	for i := range root.Embeds {
		e := &root.Embeds[i]
		if e.Kind != tree.EmbedSpread && !e.Empty {
			add(e.Name)
		}
		for j := range e.Fields {
			if f := &e.Fields[j]; f.Name == "*" {
				addAll(r.cat.Tables[e.Node.From])
			} else {
				add(f.Alias.Or(f.Name))
			}
		}
	}
	return name, twice
}

// fingerprint tells relations and orders apart. A cursor is good for one of them.
func fingerprint(root *tree.Node, table *catalog.Table) uint64 {
	h := fnv.New64a()
	part := func(text string) { fmt.Fprintf(h, "%d:%s", len(text), text) }
	part(table.Schema)
	part(table.Name)
	for i := range root.Order {
		t := &root.Order[i]
		part(t.Rel.Name)
		part(fieldKey(&t.Field))
		kind := ""
		if c := plainColumn(table, t); c != nil {
			kind = c.NominalType
		}
		part(kind)
		fmt.Fprintf(h, "%t %t;", t.Dir == parser.DirDesc, t.NullsFirst())
	}
	return h.Sum64()
}

// setPage completes the plan of a page with a cursor.
func (p *Plan) setPage(table *catalog.Table) error {
	if !p.Explain && (!p.Rows || p.Lines != NoLines || p.Singular) {
		return pageUnfit("Only a JSON array has pages with cursors.")
	}
	p.Paged, p.Fingerprint = true, fingerprint(p.root, table)
	if p.root.Keyed {
		p.Keys = len(p.root.Order)
	}
	return nil
}

// PageColumn names the column that value i of a cursor has, as the client knows it.
func (p *Plan) PageColumn(i int) string { return p.root.Order[i].Field.Name }
