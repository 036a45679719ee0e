package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The scanner of a configuration file, and errors with a position in it.

// identifier scans a name, which may be empty.
func (p *fileParser) identifier() string {
	start, end := p.pos, p.pos
	for {
		r, size := utf8.DecodeRuneInString(p.text[end:])
		if size == 0 || !unicode.IsLetter(r) {
			return p.text[start:p.pos]
		}
		for size > 0 && (unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' || r == '-') {
			end += size
			r, size = utf8.DecodeRuneInString(p.text[end:])
		}
		p.pos = end
		if r != '.' || size == 0 {
			return p.text[start:p.pos]
		}
		end++
	}
}

// skipLines skips white space, line ends and comments.
func (p *fileParser) skipLines() {
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		switch {
		case unicode.IsSpace(r):
			p.pos += size
		case r == '#' && !strings.HasPrefix(p.text[p.pos:], "#;"):
			p.skipComment()
		default:
			return
		}
	}
}

// skipBlanks skips spaces, tabs and a comment, and stops at a line end.
func (p *fileParser) skipBlanks() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
	if p.pos < len(p.text) && p.text[p.pos] == '#' {
		p.skipComment()
	}
}

func (p *fileParser) skipComment() {
	for p.pos < len(p.text) && p.text[p.pos] != '\n' && p.text[p.pos] != '\r' {
		p.pos++
	}
}

func (p *fileParser) accept(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *fileParser) skipDigits() {
	for p.digitAt(0) {
		p.pos++
	}
}

func (p *fileParser) digitAt(ahead int) bool {
	return p.pos+ahead < len(p.text) && isDigit(p.text[p.pos+ahead])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (p *fileParser) unexpected(want string) error {
	got := "end of input"
	if p.pos < len(p.text) {
		r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
		got = "'" + string(r) + "'"
		if r == '\n' || r == '\r' {
			got = "end of line"
		}
	}
	return p.failure("unexpected " + got + "\nexpecting " + want)
}

// failure reports a problem with the line of the current position.
func (p *fileParser) failure(text string) error {
	before := p.text[:p.pos]
	line := strings.Count(before, "\n") + 1
	start := strings.LastIndexByte(before, '\n') + 1
	end := len(p.text)
	if i := strings.IndexAny(p.text[p.pos:], "\r\n"); i >= 0 {
		end = p.pos + i
	}
	column := utf8.RuneCountInString(p.text[start:p.pos]) + 1
	number := strconv.Itoa(line)
	margin := strings.Repeat(" ", len(number))
	return &Error{Kind: SyntaxError, Text: fmt.Sprintf("%s:%d:%d:\n%s |\n%s | %s\n%s | %s^\n%s",
		p.name, line, column, margin, number, p.text[start:end], margin, strings.Repeat(" ", column-1), text)}
}
