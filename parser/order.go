package parser

// The grammar of order=:
//
//	terms = term *( "," term )
//	term  = name "(" field ")" modifiers / field modifiers
//	modifiers = [ ".asc" / ".desc" ] [ ".nullsfirst" / ".nullslast" ]

// parseOrder reads one order= parameter.
func (q *Query) parseOrder(prm *Param) bool {
	l := lexer{q: q, s: prm.Key}
	path, _, ok := l.treePath()
	if !ok {
		return false
	}
	l = lexer{q: q, s: prm.Value}
	off := len(q.Terms)
	for before := l.i; ; {
		here := l.i
		l.mark = before
		t, ok := l.orderTerm()
		if !ok {
			return l.refuse()
		}
		before = here
		q.Terms = append(q.Terms, t)
		if !l.take(',') {
			break
		}
	}
	q.Orders = append(q.Orders, OrderList{Path: path, Off: int32(off), N: int32(len(q.Terms) - off)})
	return true
}

// orderTerm consumes one term, which ends at a comma or the end.
func (l *lexer) orderTerm() (t OrderTerm, ok bool) {
	l.space()
	name, ok := l.name()
	if !ok {
		return t, false
	}
	if l.take('(') {
		t.HasRel, t.Rel = true, name
		if t.Field, ok = l.field(); !ok || !l.take(')') {
			return t, false
		}
	} else {
		t.Field.Name = name
		if t.Field.Path, ok = l.jsonPath(); !ok {
			return t, false
		}
		l.space()
	}
	switch {
	case l.takeText(".asc"):
		t.Dir = DirAsc
	case l.takeText(".desc"):
		t.Dir = DirDesc
	}
	switch {
	case l.takeText(".nullsfirst"):
		t.Nulls = NullsFirst
	case l.takeText(".nullslast"):
		t.Nulls = NullsLast
	}
	return t, l.done() || l.at(',')
}
