package planner

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// A nested insert has rows of related tables inside of its rows: a member of the body, or of
// columns=, is not a column of the table, but names a relationship of it. PostgREST refuses
// such a request.
//
// Its plan depends on the members at every level of the body. So a request is looked up
// twice: by the key of an insert, which finds a plan that only says that the insert is
// nested, and by that key with the members.

const (
	// MaxNestedDepth is the number of levels below the top of a nested insert.
	MaxNestedDepth = 5
	// MaxNestedWrites is the number of statements of a nested insert: one for each
	// relation at each place, and one for each junction.
	MaxNestedWrites = 20
)

// nest is a nested insert while its body is read.
type nest struct {
	*resolver
	root   *nestedLevel
	object bool // the body is one object, not an array
	writes int
}

// nestedLevel is a relation at one place of a nested insert. It implements body.Level.
type nestedLevel struct {
	nest    *nest
	table   *catalog.Table
	parent  *nestedLevel
	rel     *catalog.Relationship // from the parent
	key     string                // of the member in the parent
	name    string                // of the relation, as the client has written it
	hint    tree.Opt
	depth   int
	listed  bool // columns= lists the members. Others are ignored
	members map[string]*nestedMember

	columns []*catalog.Column // of members
	below   []*nestedLevel    // of members

	rows  int
	place string // of the last row, while it is the only one

	// Of the row that is being read: members that are not null.
	given []*catalog.Column
	inner []*nestedLevel
}

// nestedMember is what a member means: a column or a level.
type nestedMember struct {
	column *catalog.Column
	level  *nestedLevel
	key    bool // a column that the row takes from the row it is inside of
}

// nests reports whether an insert is a nested one: the first of its columns that is not a
// column of the table names a relationship. If a later one does not, readNest finds that.
func (p *Planner) nests(r *Request) bool {
	table := p.cat.Tables[catalog.QI{Schema: r.Schema, Name: string(r.Target)}]
	if r.Action != Insert || r.Payload == nil || r.ContentType.Kind != header.JSON || r.Query.MemberTop == parser.NotMembers || table == nil {
		return false
	}
	i := slices.IndexFunc(r.Columns, func(name []byte) bool { return table.Column(string(name)) == nil })
	if i < 0 {
		return false
	}
	return r.Query.MemberTop >= 0 || len(p.resolver(r, nil).related(table.Name, string(r.Columns[i]), tree.Opt{})) > 0
}

// findNested finds the plan for a nested insert, or makes it. known: the key of the insert
// says that it is one.
func (p *Planner) findNested(r *Request, known bool) (kept *Kept, hit bool, err error) {
	n, err := p.readNest(r)
	if err != nil {
		return nil, false, err
	}
	if !known {
		p.cache.put(r.key, &Plan{nested: true})
	}
	r.nest = n
	r.key = n.root.appendKey(append(r.key, "nested"...))
	if kept = p.cache.get(r.key); kept != nil {
		return kept, true, r.checkPreferences(kept.Plan)
	}
	plan, err := p.buildNested(r, n)
	if err != nil {
		return nil, false, err
	}
	return p.cache.put(r.key, plan), false, nil
}

// readNest finds the levels of a nested insert in its body, and in columns=.
func (p *Planner) readNest(r *Request) (*nest, error) {
	n := &nest{resolver: p.resolver(r, &inlined{}), object: r.PayloadObject, writes: 1}
	n.rereads = true
	n.root = &nestedLevel{nest: n, table: p.cat.Tables[catalog.QI{Schema: r.Schema, Name: string(r.Target)}], members: map[string]*nestedMember{}}
	var err error
	switch {
	case r.Query.MemberTop >= 0:
		err = n.root.list(r.Query.MemberTop)
	default:
		n.root.listed = r.Query.HasColumns
		for _, name := range r.Columns {
			if _, err = n.root.use(string(name)); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if err := r.Payload.Walk(r.Payload.Raw, n.root); err != nil {
		return nil, err
	}
	n.root.sort()
	return n, nil
}

// list adds the members that columns= lists.
func (l *nestedLevel) list(first int32) error {
	l.listed = true
	for i := first; i >= 0; {
		m := &l.nest.query.Members[i]
		i = m.Next
		name := string(m.Name)
		if !m.HasAlias && !m.HasHint && !m.Listed {
			if _, err := l.use(name); err != nil {
				return err
			}
			continue
		}
		key := name
		if m.HasAlias {
			key = string(m.Alias)
		}
		if l.members[key] != nil {
			return l.fault("'" + key + "' is listed twice")
		}
		below, err := l.relate(key, name, opt(m.Hint, m.HasHint))
		if err != nil {
			return err
		}
		l.add(key, &nestedMember{level: below})
		if m.Listed {
			if err := below.list(m.First); err != nil {
				return err
			}
		}
	}
	return nil
}

// use returns the member with a name. It finds out what the name means if the member has
// not occurred before.
func (l *nestedLevel) use(name string) (*nestedMember, error) {
	if m := l.members[name]; m != nil {
		return m, nil
	}
	m := &nestedMember{column: l.table.Column(name)}
	switch {
	case m.column != nil:
		m.key = l.takes(name)
	case len(l.nest.related(l.table.Name, name, tree.Opt{})) == 0:
		return nil, &Error{Kind: ColumnNotFound, Parent: l.table.Name, Name: name}
	default:
		var err error
		if m.level, err = l.relate(name, name, tree.Opt{}); err != nil {
			return nil, err
		}
	}
	l.add(name, m)
	return m, nil
}

func (l *nestedLevel) add(name string, m *nestedMember) {
	l.members[name] = m
	switch {
	case m.level != nil:
		l.below = append(l.below, m.level)
	case !m.key:
		l.columns = append(l.columns, m.column)
	}
}

// takes reports whether the rows take a column from the row that they are inside of.
func (l *nestedLevel) takes(column string) bool {
	return l.rel != nil && l.refersUp() && slices.ContainsFunc(l.rel.Columns, func(c catalog.ColumnPair) bool { return c.Foreign == column })
}

// refersUp reports whether the foreign key is in the rows of the level, and refers to the
// row that they are inside of.
func (l *nestedLevel) refersUp() bool {
	return l.rel.Cardinality == catalog.OneToMany || l.rel.Cardinality == catalog.OneToOne && l.rel.IsParent
}

// relate adds a level below.
func (l *nestedLevel) relate(key, name string, hint tree.Opt) (*nestedLevel, error) {
	rel, err := l.nest.relationship(l.table.Name, name, hint)
	if err != nil {
		if e := new(Error); errors.As(err, &e) && e.Kind == AmbiguousEmbed {
			e.InColumns = true
		}
		return nil, err
	}
	below := &nestedLevel{
		nest: l.nest, parent: l, rel: rel, key: key, name: name, hint: hint, depth: l.depth + 1,
		table: l.nest.cat.Tables[rel.Foreign], members: map[string]*nestedMember{},
	}
	l.nest.writes++
	if rel.Cardinality == catalog.ManyToMany {
		l.nest.writes++
	}
	again := func(m *nestedMember) bool { return m.level != nil && m.level.rel == rel }
	switch {
	case rel.Cardinality == catalog.Computed || below.table == nil:
		return nil, l.fault("'" + key + "' is a computed relationship, into which nothing can be inserted")
	case l.rel != nil && rel.Cardinality != catalog.ManyToMany && !below.refersUp() && !slices.ContainsFunc(rel.Columns, func(c catalog.ColumnPair) bool { return !l.takes(c.Column) }):
		return nil, l.fault("'" + key + "' has the key of the row around it")
	case below.depth > MaxNestedDepth:
		return nil, l.fault(fmt.Sprintf("'%s' is nested too deeply: at most %d levels are allowed", key, MaxNestedDepth))
	case l.nest.writes > MaxNestedWrites:
		return nil, l.fault(fmt.Sprintf("there are too many relations: at most %d are allowed, junctions included", MaxNestedWrites))
	}
	for _, m := range l.members {
		if again(m) {
			return nil, l.fault("'" + key + "' and '" + m.level.key + "' are the same relationship")
		}
	}
	return below, nil
}

func (l *nestedLevel) fault(text string) error {
	return &body.PlaceError{Place: l.pattern(), Text: text}
}

// pattern is the place of the rows of the level, with * for indexes.
func (l *nestedLevel) pattern() string {
	if l.parent == nil {
		if l.nest.object {
			return ""
		}
		return "/*"
	}
	p := l.parent.pattern() + body.Pointer(l.key)
	if !l.rel.IsToOne() {
		p += "/*"
	}
	return p
}

// Row implements body.Level.
func (l *nestedLevel) Row(place *body.Place) error {
	l.rows++
	if l.place = ""; l.rows == 1 {
		l.place = place.String()
	}
	l.given, l.inner = l.given[:0], l.inner[:0]
	return nil
}

// Member implements body.Level.
func (l *nestedLevel) Member(place *body.Place, key []byte, null bool) (below body.Level, many bool, err error) {
	m := l.members[string(key)]
	if m == nil {
		if l.listed {
			return nil, false, nil
		}
		if m, err = l.use(string(key)); err != nil {
			return nil, false, at(place, err)
		}
	}
	switch {
	case m.level != nil:
		if !null {
			l.inner = append(l.inner, m.level)
		}
		return m.level, !m.level.rel.IsToOne(), nil
	case null:
	case m.key:
		return nil, false, &body.PlaceError{Place: place.String(), Text: "The column is set to the key of the row around it"}
	default:
		l.given = append(l.given, m.column)
	}
	return nil, false, nil
}

// at adds the place to an error of the planner.
func at(place *body.Place, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Place = place.String()
	}
	return err
}

// EndRow implements body.Level. A column must not have a value if the row inside of this
// one gives it.
func (l *nestedLevel) EndRow(place *body.Place) error {
	for _, inner := range l.inner {
		if inner.rel.Cardinality == catalog.ManyToMany || inner.refersUp() {
			continue
		}
		for _, pair := range inner.rel.Columns {
			if slices.ContainsFunc(l.given, func(c *catalog.Column) bool { return c.Name == pair.Column }) {
				return &body.PlaceError{Place: place.String() + body.Pointer(pair.Column), Text: "The column is set to the key of '" + inner.key + "'"}
			}
		}
	}
	return nil
}

// sort brings the members into an order that does not depend on that of the body.
func (l *nestedLevel) sort() {
	slices.SortFunc(l.columns, func(a, b *catalog.Column) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(l.below, func(a, b *nestedLevel) int { return cmp.Compare(a.key, b.key) })
	for _, below := range l.below {
		below.sort()
	}
}

// appendKey appends the members of the level and of those below.
func (l *nestedLevel) appendKey(dst []byte) []byte {
	dst = append(dst, byte(len(l.below)))
	dst = appendPart(dst, l.key)
	dst = appendPart(dst, l.name)
	if l.hint.Given {
		dst = append(dst, '!')
		dst = appendPart(dst, l.hint.Name)
	}
	dst = append(dst, '(')
	for _, c := range l.columns {
		dst = append(dst, ',')
		dst = appendPart(dst, c.Name)
	}
	dst = append(dst, ')')
	for _, below := range l.below {
		dst = below.appendKey(dst)
	}
	return dst
}

// Place returns the place in the body of the rows that a statement of a nested insert
// writes. Indexes are * if there are several rows. lead is the position of the statement in
// Plan.Lead. It returns "" if the statement is not one of those.
func (r *Request) Place(plan *Plan, lead int) string {
	if r.nest == nil || lead < 1 || lead >= len(plan.places) {
		return "" // the first one sets the body
	}
	place := plan.places[lead]
	if l := r.nest.root.find(place); l != nil && l.rows == 1 {
		place = l.place
	}
	return cmp.Or(place, "/")
}

// find returns the level with a pattern.
func (l *nestedLevel) find(pattern string) *nestedLevel {
	if l.pattern() == pattern {
		return l
	}
	for _, below := range l.below {
		if found := below.find(pattern); found != nil {
			return found
		}
	}
	return nil
}
