package parser

import (
	"bytes"
	"slices"
)

// The grammar of columns= and on_conflict=:
//
//	columns     = names
//	on_conflict = names / "!" name
//	names       = name *( "," name )
//
// Text after names is ignored. PostgREST does not have the form with "!", which
// names a constraint or an index. Also, columns= as a whole may be the members of a
// nested insert. The planner looks at these only if the names are not all columns,
// which PostgREST refuses:
//
//	members = member *( "," member )
//	member  = [ alias ":" ] name [ "!" hint ] [ "(" [ members ] ")" ]

// parseColumns reads columns=. Order and repetitions do not matter.
func (q *Query) parseColumns(value []byte) bool {
	l := lexer{q: q, s: value}
	q.HasColumns = true
	var ok bool
	if q.Columns, ok = l.names(q.Columns); !ok {
		return l.refuse()
	}
	if !l.done() {
		q.parseMembers(value)
	}
	slices.SortFunc(q.Columns, bytes.Compare)
	q.Columns = slices.CompactFunc(q.Columns, bytes.Equal)
	return true
}

// parseOnConflict reads on_conflict=.
func (q *Query) parseOnConflict(value []byte) bool {
	l := lexer{q: q, s: value}
	q.HasOnConflict = true
	if l.at('!') {
		l.i++
		if name, ok := l.name(); ok && l.i == len(l.s) {
			q.OnConflict, q.OnConflictNamed = append(q.OnConflict, name), true
			return true
		}
		l.i = 0
	}
	var ok bool
	if q.OnConflict, ok = l.names(q.OnConflict); !ok {
		return l.refuse()
	}
	return true
}

func (l *lexer) names(dst [][]byte) ([][]byte, bool) {
	for before := l.i; ; {
		here := l.i
		l.mark = before
		name, ok := l.name()
		if !ok {
			return dst, false
		}
		before = here
		dst = append(dst, name)
		switch l.separator() {
		case broken:
			return dst, false
		case missing:
			return dst, true
		}
	}
}

// NotMembers is Query.MemberTop if there is text after the names of columns=, but the whole
// is not a list of members either.
const NotMembers = -2

// parseMembers reads columns= as the members of a nested insert.
func (q *Query) parseMembers(value []byte) {
	l := lexer{q: q, s: value}
	parts := q.parts
	first, ok := l.members()
	if !ok || !l.done() {
		q.Members, q.MemberTop, q.parts = q.Members[:0], NotMembers, parts
		return
	}
	q.MemberTop = first
}

// members consumes a list and returns its first member.
func (l *lexer) members() (first int32, ok bool) {
	first = none
	for last := int32(none); ; {
		m, ok := l.member()
		switch {
		case !ok:
			return none, false
		case first == none:
			first = m
		default:
			l.q.Members[last].Next = m
		}
		if last = m; l.separator() != parsed {
			return first, true
		}
	}
}

func (l *lexer) member() (int32, bool) {
	q := l.q
	m := Member{First: none, Next: none}
	var ok bool
	if m.Name, ok = l.name(); !ok {
		return none, false
	}
	if l.take(':') {
		m.HasAlias, m.Alias = true, m.Name
		if m.Name, ok = l.name(); !ok {
			return none, false
		}
	}
	if l.take('!') {
		m.HasHint = true
		if m.Hint, ok = l.name(); !ok {
			return none, false
		}
	}
	q.Members = append(q.Members, m)
	idx := int32(len(q.Members) - 1)
	if !l.take('(') {
		return idx, true
	}
	q.Members[idx].Listed = true
	if l.depth++; l.depth > MaxDepth {
		return none, false
	}
	if !l.at(')') {
		first, ok := l.members()
		if !ok {
			return none, false
		}
		q.Members[idx].First = first
	}
	l.depth--
	return idx, l.take(')')
}
