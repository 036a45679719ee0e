package parser

// The grammar of select=:
//
//	items    = [ item *( "," item ) ]
//	item     = "*"
//	         / [ alias ":" ] "count()" [ "::" cast ]
//	         / [ alias ":" ] field [ "::" cast ] [ "." aggregate "()" ] [ "::" cast ]
//	         / [ alias ":" ] name *2( "!" param ) "(" items ")"
//	         / "..." name *2( "!" param ) "(" items ")"
//	aggregate = "sum" / "avg" / "count" / "max" / "min" / "countdistinct"
//	param    = "left" / "inner" / hint
//
// The list ends without an error where no item begins, and the rest is ignored:
// select=) is an empty select.

// parseSelect reads the value of select=.
func (q *Query) parseSelect(value []byte) bool {
	l := lexer{q: q, s: value}
	first, ok := l.items()
	if !ok {
		return l.refuse()
	}
	q.SelectTop = first
	return true
}

// selectAll is the select of a request without select=.
func (q *Query) selectAll() {
	q.SelectTop = q.newItem()
	q.Items[q.SelectTop].Field.Name = star
}

var star = []byte("*")

func (q *Query) newItem() int32 {
	q.Items = append(q.Items, SelectItem{First: none, Next: none})
	return int32(len(q.Items) - 1)
}

// items consumes a list and returns its first item.
func (l *lexer) items() (int32, bool) {
	first, last := int32(none), int32(none)
	for before := l.i; ; {
		here := l.i
		l.mark = before
		it, res := l.item()
		switch {
		case res == broken:
			return none, false
		case res == missing:
			return none, first == none
		case first == none:
			first = it
		default:
			l.q.Items[last].Next = it
		}
		l.mark = before // embeds have moved it
		before = here
		last = it
		switch l.separator() {
		case broken:
			return none, false
		case missing:
			return first, true
		}
	}
}

// item consumes one item of a list.
func (l *lexer) item() (int32, outcome) {
	start := l.i
	l.space()
	failure := missing
	if l.i != start {
		failure = broken
	}
	if l.done() {
		return none, failure
	}
	q := l.q
	if !q.takePart() {
		return none, broken
	}
	idx := q.newItem()
	it := &q.Items[idx]
	mark := l.i
	switch l.s[l.i] {
	case '*':
		l.i++
		if l.atItemEnd() {
			it.Field.Name = star
			return idx, parsed
		}
		l.i = mark
	case '.':
		if l.takeText("...") && l.spread(it) {
			return l.embed(idx)
		}
		l.i = mark
	default:
		name, ok := l.name()
		if !ok {
			if l.i != mark || l.at('"') {
				failure = broken
			}
			break
		}
		if l.aliasEnd() {
			it.HasAlias, it.Alias = true, name
			mark = l.i
			name, ok = l.name()
		}
		after := l.i
		if ok && l.relation(it, name) {
			return l.embed(idx)
		}
		l.i = after
		if l.column(it, mark, name, ok) {
			return idx, parsed
		}
		failure = broken
	}
	q.Items = q.Items[:idx]
	return none, failure
}

// aliasEnd consumes the colon after an alias. "::" is not one.
func (l *lexer) aliasEnd() bool {
	if !l.at(':') || l.i+1 < len(l.s) && l.s[l.i+1] == ':' {
		return false
	}
	l.i++
	return true
}

// atItemEnd reports whether an item may end here.
func (l *lexer) atItemEnd() bool { return l.done() || l.s[l.i] == ',' || l.s[l.i] == ')' }

// spread consumes a spread from after "..." up to the parenthesis.
func (l *lexer) spread(it *SelectItem) bool {
	name, ok := l.name()
	if !ok || !l.embedParams(it) || !l.at('(') {
		return false
	}
	it.Kind, it.Field.Name = SelectSpread, name
	return true
}

// relation consumes an embed from after its name up to the parenthesis. A relation
// cannot be called count, because count(x) is an error.
func (l *lexer) relation(it *SelectItem, name []byte) bool {
	if !l.at('(') && !l.at('!') {
		return false
	}
	if string(name) == "count" || !l.embedParams(it) || !l.at('(') {
		return false
	}
	it.Kind, it.Field.Name = SelectRelation, name
	return true
}

// embedParams consumes up to two hints or join types. The first of each kind
// counts. "left" and "inner" take precedence over hints that begin with them.
func (l *lexer) embedParams(it *SelectItem) bool {
	for range 2 {
		if !l.take('!') {
			return true
		}
		join := JoinDefault
		switch {
		case l.takeText("left"):
			join = JoinLeft
		case l.takeText("inner"):
			join = JoinInner
		default:
			hint, ok := l.name()
			if !ok {
				return false
			}
			if !it.HasHint {
				it.HasHint, it.Hint = true, hint
			}
		}
		if it.Join == JoinDefault {
			it.Join = join
		}
	}
	return true
}

// embed consumes the children of an embed in their parentheses.
func (l *lexer) embed(idx int32) (int32, outcome) {
	l.i++
	if l.depth++; l.depth > MaxDepth {
		return none, broken
	}
	first, ok := l.items()
	if !ok || !l.take(')') {
		return none, broken
	}
	l.depth--
	l.q.Items[idx].First = first
	return idx, parsed
}

// column consumes a column or an aggregate that begins at mark, after the alias.
// The caller may have consumed the name.
func (l *lexer) column(it *SelectItem, mark int, name []byte, haveName bool) bool {
	if l.i-mark == len("count") && string(name) == "count" && l.takeText("()") {
		it.Field.Name, it.Agg = star, AggCount
		return l.cast(&it.HasAggCast, &it.AggCast) && l.atItemEnd()
	}
	var ok bool
	if haveName && l.s[mark] != ' ' {
		it.Field.Name = name
		it.Field.Path, ok = l.jsonPath()
		l.space()
	} else {
		// Space before the name is no part of it, though identifiers may hold
		// spaces: it could stand before a quoted name.
		l.i = mark
		it.Field, ok = l.field()
	}
	if !ok {
		return false
	}
	if !l.cast(&it.HasCast, &it.Cast) {
		return false
	}
	if l.take('.') {
		if it.Agg = l.aggregate(); it.Agg == AggNone || !l.takeText("()") {
			return false
		}
	}
	return l.cast(&it.HasAggCast, &it.AggCast) && l.atItemEnd()
}

// cast consumes "::" and a type name, which may be absent.
func (l *lexer) cast(has *bool, typ *[]byte) bool {
	if !l.takeText("::") {
		return true
	}
	name, ok := l.identifier()
	*has, *typ = ok, l.s[name.lo:name.hi:name.hi]
	return ok
}

func (l *lexer) aggregate() Aggregate {
	switch {
	case l.takeText("sum"):
		return AggSum
	case l.takeText("avg"):
		return AggAvg
	case l.extended(ExtAggregates) && l.takeText("countdistinct"):
		return AggCountDistinct
	case l.takeText("count"):
		return AggCount
	case l.takeText("max"):
		return AggMax
	case l.takeText("min"):
		return AggMin
	}
	return AggNone
}
