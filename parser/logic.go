package parser

// The grammar of and= and or=:
//
//	key  = *( name "." ) operator          any name may be "not"
//	tree = field "." condition
//	     / [ "not." ] ( "and" / "or" ) "(" tree *( "," tree ) ")"
//
// The operator of the key precedes the value: and=(a,b) is the tree and(a,b).
// Text after the tree is ignored.

// parseLogic reads one and= or or= parameter.
func (q *Query) parseLogic(prm *Param) bool {
	path, text, ok := q.logicText(prm)
	if !ok {
		return false
	}
	l := lexer{q: q, s: text}
	node, ok := l.logicTree()
	if !ok {
		return l.refuse()
	}
	q.LogicRoots = append(q.LogicRoots, LogicRoot{Path: path, Node: node})
	return true
}

// logicText parses the key and joins the text of the tree.
func (q *Query) logicText(prm *Param) (path Names, text []byte, ok bool) {
	l := lexer{q: q, s: prm.Key}
	off := len(q.Names)
	op, ok := l.name()
	negated := string(op) == "not"
	for ok && l.take('.') {
		if string(op) != "not" {
			q.Names = append(q.Names, op)
		}
		op, ok = l.name()
		negated = negated || string(op) == "not"
	}
	if !ok {
		return Names{}, nil, false
	}
	path = Names{int32(off), int32(len(q.Names) - off)}
	start := len(q.arena)
	if negated {
		q.arena = append(q.arena, "not."...)
	}
	q.arena = append(q.arena, op...)
	q.arena = append(q.arena, prm.Value...)
	return path, q.arena[start:len(q.arena):len(q.arena)], true
}

// logicTree consumes one tree. It tries a leaf first, because columns may be called
// and, or and not, and undoes the nodes of a leaf that fails.
func (l *lexer) logicTree() (int32, bool) {
	q := l.q
	start, paths := l.i, len(q.Paths)
	if f, ok := l.logicFilter(); ok {
		q.Filters = append(q.Filters, f)
		return l.newLogic(LogicNode{Leaf: true, Filter: int32(len(q.Filters) - 1)}), true
	}
	l.i, q.Paths = start, q.Paths[:paths]

	node := LogicNode{Negate: l.takeText("not."), Filter: none}
	switch {
	case l.takeText("and"):
	case l.takeText("or"):
		node.Or = true
	default:
		return none, false
	}
	if !l.lexeme('(') {
		return none, false
	}
	if l.depth++; l.depth > MaxDepth {
		return none, false
	}
	idx := l.newLogic(node)
	last := int32(none)
	for before := l.i; ; {
		here := l.i
		l.mark = before
		child, ok := l.logicTree()
		if !ok {
			return none, false
		}
		l.mark = before // branches have moved it
		before = here
		if last == none {
			q.Logic[idx].First = child
		} else {
			q.Logic[last].Next = child
		}
		last = child
		switch l.separator() {
		case broken:
			return none, false
		case missing:
			if !l.lexeme(')') {
				return none, false
			}
			l.depth--
			return idx, true
		}
	}
}

func (l *lexer) newLogic(n LogicNode) int32 {
	if n.Leaf {
		n.First = none
	}
	n.Next = none
	l.q.Logic = append(l.q.Logic, n)
	return int32(len(l.q.Logic) - 1)
}

// logicFilter consumes a leaf.
func (l *lexer) logicFilter() (f Filter, ok bool) {
	f.Slot = none
	if f.Field, ok = l.field(); !ok || !l.take('.') {
		return f, false
	}
	ok = l.condition(&f, true) == parsed
	return f, ok
}

// treeOperand consumes the operand of a leaf: a quoted text, an array literal
// without inner braces, or the text up to the next comma or parenthesis.
func (l *lexer) treeOperand() []byte {
	if end, escaped, ok := scanQuoted(l.s, l.i); ok && endsOperand(l.s, end) {
		inner := l.s[l.i+1 : end-1 : end-1]
		l.i = end
		if escaped {
			return l.unquote(inner)
		}
		return inner
	}
	if l.at('{') {
		for i := l.i + 1; i < len(l.s) && l.s[i] != '{'; i++ {
			if l.s[i] == '}' {
				v := l.s[l.i : i+1 : i+1]
				l.i = i + 1
				return v
			}
		}
	}
	return l.untilDelimiter()
}
