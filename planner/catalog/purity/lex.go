package purity

import (
	"strings"
	"unicode/utf8"
)

// kind of a token.
type kind uint8

const (
	end        kind = iota
	word            // identifier or keyword without quotes; text is in lower case
	quoted          // identifier in quotes; text is the name in lower case
	constant        // string or bit string of any form
	numeral         //
	parameter       // $1
	operator        // also := => :: ..
	punctuator      // one of ( ) [ ] , ; . :
	opaque          // what has no certain meaning: U& names, bytes that begin no token
)

// token is one token of a source. Its text is never longer than maxName, except
// for constants.
type token struct {
	kind kind
	text string
	// literal: a constant in plain quotes whose text is its value.
	literal bool
}

func (t token) is(text string) bool {
	return t.text == text && (t.kind == word || t.kind == punctuator || t.kind == operator)
}

func (t token) named() bool { return t.kind == word || t.kind == quoted }

// maxName is NAMEDATALEN-1. PostgreSQL cuts longer names.
const maxName = 63

// lexer splits a source into tokens by the rules of PostgreSQL's scanner
// (src/backend/parser/scan.l), which are also PL/pgSQL's. Where versions differ
// what it takes for code is what any of them takes for code.
type lexer struct {
	src string
	pos int
	// strict: standard_conforming_strings may be off. A backslash in a plain
	// constant then makes the end of the constant uncertain.
	strict bool
}

// next returns the next token; kind end at the end. After an unterminated
// constant, name or comment the rest of the source is one opaque token.
func (l *lexer) next() token {
	if !l.skipSpace() {
		return l.rest()
	}
	if l.pos >= len(l.src) {
		return token{}
	}
	switch c := l.src[l.pos]; {
	case c == '\'':
		return l.quotes(false)
	case c == '"':
		return l.name()
	case c == '$':
		return l.dollar()
	case isNameStart(c):
		return l.word()
	case isDigit(c), c == '.' && isDigit(l.at(1)):
		return l.number()
	case isOperator(c):
		return l.operator()
	case c == ':' && (l.at(1) == ':' || l.at(1) == '='), c == '.' && l.at(1) == '.':
		return l.take(operator, 2)
	case strings.IndexByte("()[],;.:", c) >= 0:
		return l.take(punctuator, 1)
	}
	return l.take(opaque, 1)
}

func (l *lexer) at(i int) byte {
	if l.pos+i < len(l.src) {
		return l.src[l.pos+i]
	}
	return 0
}

func (l *lexer) take(k kind, n int) token {
	start := l.pos
	l.pos += n
	return token{kind: k, text: l.src[start:l.pos]}
}

func (l *lexer) rest() token {
	l.pos = len(l.src)
	return token{kind: opaque}
}

// skipSpace steps over white space and comments. It reports whether all
// comments end.
func (l *lexer) skipSpace() bool {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '-' && l.at(1) == '-':
			l.skipLine()
		case c == '/' && l.at(1) == '*':
			if !l.skipComment() {
				return false
			}
		default:
			return true
		}
	}
	return true
}

// skipLine steps to the end of a line. A carriage return is one, too.
func (l *lexer) skipLine() {
	for l.pos < len(l.src) && l.src[l.pos] != '\n' && l.src[l.pos] != '\r' {
		l.pos++
	}
}

// skipComment steps over a comment and the comments in it.
func (l *lexer) skipComment() bool {
	depth := 0
	for l.pos < len(l.src) {
		switch {
		case l.src[l.pos] == '/' && l.at(1) == '*':
			depth++
			l.pos += 2
		case l.src[l.pos] == '*' && l.at(1) == '/':
			depth--
			l.pos += 2
			if depth == 0 {
				return true
			}
		default:
			l.pos++
		}
	}
	return false
}

// quotes reads a constant in single quotes, at the quote. In one with escapes a
// backslash takes away the meaning of the next byte, also in its continuations
// on further lines.
func (l *lexer) quotes(escapes bool) token {
	start, plain := l.pos+1, true
	for {
		l.pos++ // the opening quote
		for {
			if l.pos >= len(l.src) {
				return l.rest()
			}
			c := l.src[l.pos]
			if c == '\'' {
				l.pos++
				if l.at(0) != '\'' {
					break
				}
				plain = false
			}
			if c == '\\' {
				if !escapes && l.strict {
					return l.rest()
				}
				plain = false
				if escapes {
					l.pos++
				}
			}
			l.pos++
		}
		stop := l.pos - 1
		if !l.continued() {
			return token{kind: constant, text: l.src[start:stop], literal: plain && !escapes}
		}
		plain = false
	}
}

// continued steps to the quote that continues a constant: between the two there
// is white space with a line feed, and perhaps comments that end with a line.
func (l *lexer) continued() bool {
	at, lines := l.pos, false
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case isSpace(c):
			lines = lines || c == '\n' || c == '\r'
			l.pos++
			continue
		case c == '-' && l.at(1) == '-':
			l.skipLine()
			continue
		case c == '\'' && lines:
			return true
		}
		break
	}
	l.pos = at
	return false
}

// name reads a name in double quotes.
func (l *lexer) name() token {
	var text []byte
	for l.pos++; l.pos < len(l.src); l.pos++ {
		if l.src[l.pos] == '"' {
			if l.at(1) != '"' {
				l.pos++
				return named(quoted, string(text))
			}
			l.pos++
		}
		text = append(text, l.src[l.pos])
	}
	return l.rest()
}

// named makes a token of a name. Case does not count when names are compared.
func named(k kind, text string) token {
	if len(text) == 0 || len(text) > maxName || !utf8.ValidString(text) {
		return token{kind: opaque}
	}
	return token{kind: k, text: fold(text)}
}

// word reads a word, or a constant with a prefix.
func (l *lexer) word() token {
	if next := l.at(1); next == '\'' {
		switch l.src[l.pos] {
		case 'e', 'E':
			l.pos++
			return l.quotes(true)
		case 'b', 'B', 'x', 'X', 'n', 'N':
			l.pos++
			t := l.quotes(false)
			t.literal = false
			return t
		}
	}
	if c := l.src[l.pos]; (c == 'u' || c == 'U') && l.at(1) == '&' && (l.at(2) == '"' || l.at(2) == '\'') {
		// Escapes, and the character that begins one, are further down: nothing
		// in it is certain.
		l.pos += 2
		if l.src[l.pos] == '"' {
			l.name()
		} else {
			l.quotes(false)
		}
		return token{kind: opaque}
	}
	start := l.pos
	for l.pos < len(l.src) && isName(l.src[l.pos]) {
		l.pos++
	}
	return named(word, l.src[start:l.pos])
}

// dollar reads a constant in dollar quotes, or a parameter.
func (l *lexer) dollar() token {
	if isDigit(l.at(1)) {
		n := 2
		for isDigit(l.at(n)) {
			n++
		}
		return l.take(parameter, n)
	}
	n := 1
	for c := l.at(n); isName(c) && c != '$' && (n > 1 || !isDigit(c)); c = l.at(n) {
		n++
	}
	if l.at(n) != '$' {
		return l.take(opaque, 1)
	}
	tag := l.src[l.pos : l.pos+n+1]
	body := l.src[l.pos+len(tag):]
	i := strings.Index(body, tag)
	if i < 0 {
		return l.rest()
	}
	l.pos += len(tag) + i + len(tag)
	return token{kind: constant, text: body[:i], literal: true}
}

// number reads the shortest number that any version reads: letters behind it
// are a word, which they may be up to PostgreSQL 14.
func (l *lexer) number() token {
	n := 0
	for isDigit(l.at(n)) {
		n++
	}
	if l.at(n) == '.' && l.at(n+1) != '.' {
		n++
		for isDigit(l.at(n)) {
			n++
		}
	}
	if c := l.at(n); c == 'e' || c == 'E' {
		m := n + 1
		if l.at(m) == '+' || l.at(m) == '-' {
			m++
		}
		for isDigit(l.at(m)) {
			m++
			n = m
		}
	}
	return l.take(numeral, n)
}

// operator reads an operator: up to a comment, and without a sign at its end
// unless it has one of the characters that SQL's own operators do not have.
func (l *lexer) operator() token {
	n, special := 0, false
	for c := l.at(n); isOperator(c); c = l.at(n) {
		if next := l.at(n + 1); c == '-' && next == '-' || c == '/' && next == '*' {
			break
		}
		special = special || strings.IndexByte("~!@#^&|`?%", c) >= 0
		n++
	}
	for !special && n > 1 && (l.at(n-1) == '+' || l.at(n-1) == '-') {
		n--
	}
	return l.take(operator, n)
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isNameStart(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
}
func isName(c byte) bool     { return isNameStart(c) || isDigit(c) || c == '$' }
func isOperator(c byte) bool { return c != 0 && strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }
