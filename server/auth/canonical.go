package auth

import (
	"strings"
)

// canonicalPath prints a valid RFC 9535 path as PostgREST dumps it: without
// insignificant space, names and strings in single quotes, slices with their
// step, and spaces around comparisons. A name after a descendant segment gets
// one dot more than the RFC allows.
func canonicalPath(path string) string {
	var c canonicalizer
	for c.text = path; c.pos < len(path); {
		c.step()
	}
	return string(c.out)
}

type canonicalizer struct {
	text     string
	pos      int
	out      []byte
	open     []byte // brackets and parentheses around pos
	selector int    // the index in out where the current selector of a bracket begins
}

func (c *canonicalizer) step() {
	rest := c.text[c.pos:]
	switch b := rest[0]; b {
	case '\'', '"':
		end := quotedEnd(rest)
		c.emit("'"+unquote(rest[:end])+"'", end)
	case ' ', '\t', '\n', '\r':
		c.pos++
	case '.':
		if len(rest) > 2 && rest[1] == '.' && isNameByte(rest[2]) {
			c.emit("...", 2)
			return
		}
		c.emit(".", 1)
	case '[', '(':
		c.open = append(c.open, b)
		c.emit(rest[:1], 1)
		c.selector = len(c.out)
	case ']', ')':
		c.endSelector()
		c.open = c.open[:max(len(c.open)-1, 0)]
		c.emit(rest[:1], 1)
	case ',':
		if c.inside('(') {
			c.emit(", ", 1)
			return
		}
		c.endSelector()
		c.emit(",", 1)
		c.selector = len(c.out)
	case '=', '!', '<', '>', '&', '|':
		end := 1
		for end < len(rest) && strings.IndexByte("=&|", rest[end]) >= 0 {
			end++
		}
		if rest[:end] == "!" {
			c.emit("!", 1)
			return
		}
		c.emit(" "+rest[:end]+" ", end)
	default:
		c.emit(rest[:1], 1)
	}
}

func (c *canonicalizer) emit(s string, consumed int) {
	c.out = append(c.out, s...)
	c.pos += consumed
}

func (c *canonicalizer) inside(bracket byte) bool {
	return len(c.open) > 0 && c.open[len(c.open)-1] == bracket
}

// endSelector completes a slice: it prints all three parts, with the default
// step if the path has none.
func (c *canonicalizer) endSelector() {
	if !c.inside('[') {
		return
	}
	selector := string(c.out[c.selector:])
	if !strings.Contains(selector, ":") || strings.Trim(selector, "-0123456789:") != "" {
		return
	}
	places := append(strings.Split(selector, ":"), "")[:3]
	if places[2] == "" {
		places[2] = "1"
	}
	c.out = append(c.out[:c.selector], strings.Join(places, ":")...)
}

// quotedEnd returns the length of the quoted string at the beginning of s.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return len(s)
}

// unquote returns the content of a string in single or double quotes.
func unquote(s string) string {
	body := s[1 : len(s)-1]
	if !strings.Contains(body, `\`) {
		return body
	}
	// JSON has all these escapes except \'.
	body = strings.ReplaceAll(body, `\'`, `'`)
	if s[0] == '\'' {
		body = strings.ReplaceAll(body, `"`, `\"`)
	}
	p := jsonParser{text: []byte(`"` + body + `"`)}
	text, ok := p.string()
	if !ok {
		return s[1 : len(s)-1]
	}
	return text
}

func isNameByte(b byte) bool {
	return b == '_' || b >= 0x80 || b|0x20 >= 'a' && b|0x20 <= 'z'
}
