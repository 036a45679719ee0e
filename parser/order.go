package parser

// The grammar of order=:
//
//	terms = term *( "," term )
//	term  = name "(" field ")" modifiers / field modifiers
//	      / "count()" modifiers / field "." aggregate "()" modifiers
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
	if l.extended(ExtAggregates) && l.takeText("count()") {
		t.Field.Name, t.Agg = star, AggCount
		return t, l.modifiers(&t)
	}
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
		if l.extended(ExtAggregates) {
			t.Agg = l.aggregateCall()
		}
	}
	return t, l.modifiers(&t)
}

// aggregateCall consumes an aggregate behind its field, or nothing.
func (l *lexer) aggregateCall() Aggregate {
	start := l.i
	if l.take('.') {
		if agg := l.aggregate(); agg != AggNone && l.takeText("()") {
			return agg
		}
	}
	l.i = start
	return AggNone
}

// modifiers consumes the direction of a term and the place of NULLs. They end at a
// comma or the end.
func (l *lexer) modifiers(t *OrderTerm) bool {
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
	return l.done() || l.at(',')
}
