package parser

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// lexer reads the key or the value of one parameter from left to right. The
// parsers of the grammars call its methods. A method consumes the element it is
// named for and returns true, or returns false.
//
// After false the parameter is invalid, unless the comment of the method says
// that nothing was consumed. A parser tries an alternative only where PostgREST
// does.
type lexer struct {
	q     *Query
	s     []byte
	i     int
	depth int // open parentheses of embeds or logic trees
	mark  int // where the element before the one being read begins, in the innermost list
}

// stop is the state of a lexer when it refused its text. Package explain starts
// there: the complete elements of a list do not change the error of a later one.
type stop struct {
	mark, depth int
	extensions  Extensions
}

// refuse saves the stop for explain.
func (l *lexer) refuse() bool {
	l.q.stop = stop{l.mark, l.depth, l.q.Extensions}
	return false
}

// extended reports whether the grammar has an extension.
func (l *lexer) extended(e Extensions) bool { return l.q.Extensions&e != 0 }

// outcome distinguishes two failures. In PostgREST a list ends without an error
// where an element is missing, but not within an incomplete element: select=:x is
// an empty select, and select=x: is an error.
type outcome uint8

const (
	parsed outcome = iota
	missing
	broken
)

const (
	inName = 1 << iota // part of a plain name, if ASCII
	inKey              // part of a plain key in a JSON path
)

var charClass = func() (t [256]uint8) {
	for c := range t {
		t[c] = inKey
	}
	for _, c := range []byte("(-:.,>)") {
		t[c] = 0
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= inName
		t[c-'a'+'A'] |= inName
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= inName
	}
	for _, c := range []byte("_ $") {
		t[c] |= inName
	}
	return t
}()

func (l *lexer) done() bool { return l.i >= len(l.s) }

func (l *lexer) at(c byte) bool { return l.i < len(l.s) && l.s[l.i] == c }

// take consumes c if it is next.
func (l *lexer) take(c byte) bool {
	if l.i < len(l.s) && l.s[l.i] == c {
		l.i++
		return true
	}
	return false
}

// takeText consumes text if it is next.
func (l *lexer) takeText(text string) bool {
	if l.hasText(text) {
		l.i += len(text)
		return true
	}
	return false
}

func (l *lexer) hasText(text string) bool {
	return len(l.s)-l.i >= len(text) && string(l.s[l.i:l.i+len(text)]) == text
}

// space skips spaces and tabs, the only white space between elements.
func (l *lexer) space() {
	for l.i < len(l.s) && (l.s[l.i] == ' ' || l.s[l.i] == '\t') {
		l.i++
	}
}

// lexeme consumes c and the space around it. It consumes the space in front also
// if c does not follow.
func (l *lexer) lexeme(c byte) bool {
	l.space()
	if !l.take(c) {
		return false
	}
	l.space()
	return true
}

// separator consumes a comma and the space around it. The outcome without a comma
// is missing, or broken after space, where PostgREST does not backtrack.
func (l *lexer) separator() outcome {
	start := l.i
	if l.lexeme(',') {
		return parsed
	}
	if l.i != start {
		return broken
	}
	return missing
}

// span is a piece of lexer.s.
type span struct{ lo, hi int }

// identifier consumes letters of any script, ASCII digits, "_", "$" and spaces,
// and returns them without the spaces at both ends. It consumes nothing if there
// is no such character.
func (l *lexer) identifier() (span, bool) {
	s, i := l.s, l.i
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if charClass[c]&inName == 0 {
				break
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if !unicode.IsLetter(r) {
			break
		}
		i += n
	}
	lo, hi := l.i, i
	l.i = i
	if lo == hi {
		return span{}, false
	}
	for lo < hi && s[lo] == ' ' {
		lo++
	}
	for lo < hi && s[hi-1] == ' ' {
		hi--
	}
	return span{lo, hi}, true
}

// key consumes a plain key of a JSON path: all characters but ( - : . , > and ).
// It returns the key without the white space at both ends.
func (l *lexer) key() (span, bool) {
	s, i := l.s, l.i
	for i < len(s) && charClass[s[i]]&inKey != 0 {
		i++
	}
	lo, hi := l.i, i
	l.i = i
	if lo == hi {
		return span{}, false
	}
	if edge(s[lo]) || edge(s[hi-1]) {
		trimmed := bytes.TrimRightFunc(s[lo:hi], isSpace)
		hi = lo + len(trimmed)
		lo = hi - len(bytes.TrimLeftFunc(trimmed, isSpace))
	}
	return span{lo, hi}, true
}

// edge reports whether a byte may begin or end white space.
func edge(c byte) bool { return c <= ' ' || c >= utf8.RuneSelf }

// isSpace is Haskell's definition of white space. Go's also has U+0085 and the
// line and paragraph separators.
func isSpace(r rune) bool {
	switch {
	case r == ' ', r >= '\t' && r <= '\r', r == 0xA0:
		return true
	case r < 0x1680:
		return false
	}
	return unicode.Is(unicode.Zs, r)
}

// name consumes a quoted name or identifiers joined by dashes. Spaces around
// the parts of a dashed name are dropped: "a - b" is a-b.
func (l *lexer) name() ([]byte, bool) {
	if !l.q.takePart() {
		return nil, false
	}
	if l.at('"') {
		return l.quoted()
	}
	part, ok := l.identifier()
	if !ok {
		return nil, false
	}
	if !l.atDash() {
		return l.s[part.lo:part.hi:part.hi], true
	}
	return l.dashed(part, false)
}

// jsonKey is name for the keys of a JSON path.
func (l *lexer) jsonKey() ([]byte, bool) {
	if l.at('"') {
		return l.quoted()
	}
	part, ok := l.key()
	if !ok {
		return nil, false
	}
	if !l.atDash() {
		return l.s[part.lo:part.hi:part.hi], true
	}
	return l.dashed(part, true)
}

// atDash reports whether a dash follows that does not begin an arrow.
func (l *lexer) atDash() bool {
	return l.at('-') && (l.i+1 >= len(l.s) || l.s[l.i+1] != '>')
}

// dashed joins the parts of a dashed name. Without spaces around the dashes the
// name is a part of the input. Otherwise it is built in the arena.
func (l *lexer) dashed(first span, keys bool) ([]byte, bool) {
	whole, start := first, none
	for l.atDash() {
		l.i++
		part, ok := l.part(keys)
		if !ok {
			return nil, false
		}
		if start < 0 && part.lo == whole.hi+1 {
			whole.hi = part.hi
			continue
		}
		if start < 0 {
			start = len(l.q.arena)
			l.q.arena = append(l.q.arena, l.s[whole.lo:whole.hi]...)
		}
		l.q.arena = append(l.q.arena, '-')
		l.q.arena = append(l.q.arena, l.s[part.lo:part.hi]...)
	}
	if start < 0 {
		return l.s[whole.lo:whole.hi:whole.hi], true
	}
	a := l.q.arena
	return a[start:len(a):len(a)], true
}

// part is a branch because a function value would move the lexer to the heap.
func (l *lexer) part(key bool) (span, bool) {
	if key {
		return l.key()
	}
	return l.identifier()
}

// quoted consumes a text in double quotes, in which a backslash escapes the next
// character.
func (l *lexer) quoted() ([]byte, bool) {
	end, escaped, ok := scanQuoted(l.s, l.i)
	if !ok {
		return nil, false
	}
	inner := l.s[l.i+1 : end-1 : end-1]
	l.i = end
	if !escaped {
		return inner, true
	}
	return l.unquote(inner), true
}

// scanQuoted finds the end of a quoted text at i, if there is one.
func scanQuoted(s []byte, i int) (end int, escaped, ok bool) {
	if i >= len(s) || s[i] != '"' {
		return i, false, false
	}
	for i++; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1, escaped, true
		case '\\':
			escaped = true
			i++
		}
	}
	return i, escaped, false
}

// unquote removes the backslashes of a quoted text.
func (l *lexer) unquote(inner []byte) []byte {
	a := l.q.arena
	start := len(a)
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' {
			i++
		}
		a = append(a, inner[i])
	}
	l.q.arena = a
	return a[start:len(a):len(a)]
}

// field consumes a name and the JSON path below it, with space around them.
func (l *lexer) field() (Field, bool) {
	l.space()
	name, ok := l.name()
	if !ok {
		return Field{}, false
	}
	path, ok := l.jsonPath()
	if !ok {
		return Field{}, false
	}
	l.space()
	return Field{Name: name, Path: path}, true
}

// jsonPath consumes any number of -> and ->> with their operands.
func (l *lexer) jsonPath() (JSONPath, bool) {
	if !l.at('-') {
		return JSONPath{}, true
	}
	off := len(l.q.Paths)
	for l.takeText("->") {
		if !l.q.takePart() {
			return JSONPath{}, false
		}
		op := JSONOp{Text: l.take('>')}
		var ok bool
		if op.Key, ok = l.jsonIndex(); ok {
			op.Index = true
		} else if op.Key, ok = l.jsonKey(); !ok {
			return JSONPath{}, false
		}
		l.q.Paths = append(l.q.Paths, op)
	}
	return JSONPath{int32(off), int32(len(l.q.Paths) - off)}, true
}

// jsonIndex consumes an array index. Digits are an index only if an operand of a
// path may end after them. Otherwise it consumes nothing, and they are a key.
func (l *lexer) jsonIndex() ([]byte, bool) {
	i := l.i
	if i < len(l.s) && l.s[i] == '-' {
		i++
	}
	digits := i
	for i < len(l.s) && l.s[i]-'0' < 10 {
		i++
	}
	if i == digits {
		return nil, false
	}
	if rest := l.s[i:]; len(rest) > 0 && rest[0] != '.' && rest[0] != ',' &&
		(len(rest) < 2 || (string(rest[:2]) != "->" && string(rest[:2]) != "::")) {
		return nil, false
	}
	index := l.s[l.i:i:i]
	l.i = i
	return index, true
}
