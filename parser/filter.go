package parser

import "bytes"

// The grammar of a filter, which is a parameter whose key is not reserved:
//
//	key       = *( name "." ) name json-path
//	value     = [ "not." ] condition
//	condition = "in." list / "is." is-value / "isdistinct." operand
//	          / fts [ "(" language ")" ] "." operand
//	          / simple "." operand
//	          / quantifiable [ "(any)" / "(all)" ] "." operand
//	list      = "(" element *( "," element ) ")"
//
// Text after the key, a list or an is-value is ignored.

// parseFilter reads one filter parameter.
func (q *Query) parseFilter(prm *Param) bool {
	q.FilterKeys = append(q.FilterKeys, prm.Key)
	f := Filter{Slot: none}
	l := lexer{q: q, s: prm.Key}
	var ok bool
	if f.Path, f.Field, ok = l.treePath(); !ok {
		return false
	}
	f.Plain = f.Path.N == 0 && f.Field.Path.N == 0 && len(f.Field.Name) == len(prm.Key)
	l = lexer{q: q, s: prm.Value}
	switch l.condition(&f, false) {
	case broken:
		return false
	case missing:
		if q.mode != ModeCallRead {
			return q.parseDistinct(&f, prm.Value) || q.parseAfter(&f, prm.Value)
		}
		q.Args = append(q.Args, Param{Key: f.Field.Name, Value: prm.Value, HasValue: true})
		return true
	}
	q.Filters = append(q.Filters, f)
	q.FilterRoots = append(q.FilterRoots, int32(len(q.Filters)-1))
	return true
}

// treePath consumes a key: the embeds of its path, and the field at its end.
func (l *lexer) treePath() (Names, Field, bool) {
	off := len(l.q.Names)
	name, ok := l.name()
	for ok && l.take('.') {
		l.q.Names = append(l.q.Names, name)
		name, ok = l.name()
	}
	if !ok {
		return Names{}, Field{}, false
	}
	path, ok := l.jsonPath()
	return Names{int32(off), int32(len(l.q.Names) - off)}, Field{Name: name, Path: path}, ok
}

// condition consumes an operator and its operand. Within a logic tree an operand
// ends at a comma or a parenthesis.
func (l *lexer) condition(f *Filter, inTree bool) outcome {
	failure := missing
	if l.takeText("not.") {
		f.Negate = true
		failure = broken // committed
	}
	op, ok := l.operator()
	if !ok {
		return failure
	}
	f.Op = op
	switch {
	case op == OpIn:
		if !l.take('.') {
			return failure
		}
		v, ok := l.list()
		if !ok {
			return broken
		}
		f.Slot = l.q.addValue(v)
		return parsed
	case op == OpIs:
		if !l.take('.') {
			return failure
		}
		if f.Is, ok = l.isValue(); !ok {
			return broken
		}
		return parsed
	case op.FullText():
		if f.Lang, f.HasLang, ok = l.language(); !ok {
			return failure
		}
	case op.Quantifiable():
		if f.Quant, ok = l.quantifier(); !ok {
			return failure
		}
	}
	if !l.take('.') {
		return failure
	}
	v := l.operand(inTree)
	if op == OpLike || op == OpILike {
		v = l.q.wildcards(v)
	}
	f.Slot = l.q.addValue(v)
	return parsed
}

// operator consumes a word and returns the operator with that name.
func (l *lexer) operator() (Op, bool) {
	start := l.i
	for l.i < len(l.s) && l.s[l.i]-'a' < 26 {
		l.i++
	}
	return lookupOp(l.s[start:l.i])
}

// quantifier consumes (any) or (all), which may be absent.
func (l *lexer) quantifier() (Quant, bool) {
	switch {
	case !l.at('('):
		return QuantNone, true
	case l.takeText("(any)"):
		return QuantAny, true
	case l.takeText("(all)"):
		return QuantAll, true
	}
	return QuantNone, false
}

// language consumes a text search configuration in parentheses, which may be
// absent.
func (l *lexer) language() (lang []byte, has, ok bool) {
	if !l.take('(') {
		return nil, false, true
	}
	name, ok := l.identifier()
	if !ok || !l.take(')') {
		return nil, false, false
	}
	return l.s[name.lo:name.hi:name.hi], true, true
}

// operand consumes the operand of an operator other than in and is.
func (l *lexer) operand(inTree bool) []byte {
	if inTree {
		return l.treeOperand()
	}
	v := l.s[l.i:len(l.s):len(l.s)]
	l.i = len(l.s)
	return v
}

// wildcards returns the pattern for LIKE, in which % replaces *. A URL would have
// to escape %.
func (q *Query) wildcards(v []byte) []byte {
	i := bytes.IndexByte(v, '*')
	if i < 0 {
		return v
	}
	start := len(q.arena)
	q.arena = append(q.arena, v...)
	v = q.arena[start:len(q.arena):len(q.arena)]
	for ; i < len(v); i++ {
		if v[i] == '*' {
			v[i] = '%'
		}
	}
	return v
}

// isValues are the operands of is in lower case. Letter case does not matter.
var isValues = [...]string{
	IsNull:    "null",
	IsNotNull: "not_null",
	IsTrue:    "true",
	IsFalse:   "false",
	IsUnknown: "unknown",
}

func (l *lexer) isValue() (IsVal, bool) {
next:
	for v, word := range isValues {
		if len(l.s)-l.i < len(word) {
			continue
		}
		for i := range len(word) {
			c := l.s[l.i+i]
			if c-'A' < 26 {
				c |= 0x20
			}
			if c != word[i] {
				continue next
			}
		}
		l.i += len(word)
		return IsVal(v), true
	}
	return 0, false
}

// list consumes the operand of in and returns it as a PostgreSQL array literal.
// An element is a quoted text that ends at a comma or parenthesis, or else the
// text up to the next comma or parenthesis.
func (l *lexer) list() ([]byte, bool) {
	if !l.lexeme('(') {
		return nil, false
	}
	start := len(l.q.arena)
	a := append(l.q.arena, '{')
	for n := 1; ; n++ {
		elem, quoted := l.element()
		if n == 1 && len(elem) == 0 && l.at(')') {
			break // in.() holds no element; in.(,) holds two empty ones
		}
		a = appendElement(a, elem, quoted)
		if !l.take(',') {
			break
		}
		a = append(a, ',')
	}
	a = append(a, '}')
	l.q.arena = a
	if !l.take(')') {
		return nil, false
	}
	l.space()
	return a[start:len(a):len(a)], true
}

// element consumes one element of a list. It returns the text of a quoted element
// without its quotes, with its backslashes.
func (l *lexer) element() (elem []byte, quoted bool) {
	if end, _, ok := scanQuoted(l.s, l.i); ok && endsOperand(l.s, end) {
		elem = l.s[l.i+1 : end-1]
		l.i = end
		return elem, true
	}
	return l.untilDelimiter(), false
}

// endsOperand reports whether an operand of a list or logic tree may end at i.
func endsOperand(s []byte, i int) bool {
	return i >= len(s) || s[i] == ',' || s[i] == ')'
}

// untilDelimiter consumes the text up to the next comma or closing parenthesis.
func (l *lexer) untilDelimiter() []byte {
	start := l.i
	for !endsOperand(l.s, l.i) {
		l.i++
	}
	return l.s[start:l.i:l.i]
}

// appendElement appends an element, quoted for an array literal. It cuts the
// element at the first NUL, which PostgreSQL cannot store.
func appendElement(dst, elem []byte, quoted bool) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(elem); i++ {
		c := elem[i]
		if quoted && c == '\\' {
			i++
			c = elem[i]
		}
		switch c {
		case 0:
			return append(dst, '"')
		case '"', '\\':
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
