package config

import (
	"fmt"
	"strconv"
	"strings"
)

// The values of directives: texts, numbers, switches and lists, and the variables
// in texts.

func (p *fileParser) value() (value, error) {
	for _, w := range []struct {
		word string
		on   bool
	}{{"on", true}, {"off", false}, {"true", true}, {"false", false}} {
		if p.accept(w.word) {
			return value{kind: boolValue, on: w.on}, nil
		}
	}
	if p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			text, err := p.textLiteral()
			return textOf(text), err
		case isDigit(c):
			return p.number(), nil
		case c == '[':
			return p.list()
		}
	}
	return value{}, p.unexpected(`"false", "off", "on", "true", '"', '[' or a digit`)
}

func (p *fileParser) number() value {
	start := p.pos
	p.skipDigits()
	if p.digitAt(1) && p.text[p.pos] == '.' {
		p.pos++
		p.skipDigits()
	}
	if p.pos < len(p.text) && (p.text[p.pos] == 'e' || p.text[p.pos] == 'E') {
		switch {
		case p.digitAt(1):
			p.pos++
			p.skipDigits()
		case p.digitAt(2) && (p.text[p.pos+1] == '+' || p.text[p.pos+1] == '-'):
			p.pos += 2
			p.skipDigits()
		}
	}
	return value{kind: numberValue, text: p.text[start:p.pos]}
}

func (p *fileParser) list() (value, error) {
	if p.nested++; p.nested > maxNesting {
		return value{}, p.unexpected("fewer lists inside each other")
	}
	defer func() { p.nested-- }()
	p.accept("[")
	v := value{kind: listValue}
	p.skipLines()
	if p.accept("]") {
		return v, nil
	}
	for {
		item, err := p.value()
		if err != nil {
			return v, err
		}
		v.list = append(v.list, item)
		p.skipLines()
		switch {
		case p.accept(","):
			p.skipLines()
		case p.accept("]"):
			return v, nil
		default:
			return v, p.unexpected("',' or ']'")
		}
	}
}

func (p *fileParser) textLiteral() (string, error) {
	if !p.accept(`"`) {
		return "", p.unexpected(`'"'`)
	}
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '"':
			p.pos++
			return b.String(), nil
		case c != '\\':
			b.WriteByte(c)
			p.pos++
		default:
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
		}
	}
	return "", p.unexpected(`'"' or a character`)
}

var escapes = map[byte]rune{'n': '\n', 't': '\t', 'r': '\r', '"': '"', '\\': '\\'}

func (p *fileParser) escape() (rune, error) {
	p.pos++ // the backslash
	if p.pos == len(p.text) {
		return 0, p.unexpected(`'"', '\', 'n', 'r', 't' or 'u'`)
	}
	c := p.text[p.pos]
	if r, ok := escapes[c]; ok {
		p.pos++
		return r, nil
	}
	if c != 'u' {
		return 0, p.unexpected(`'"', '\', 'n', 'r', 't' or 'u'`)
	}
	p.pos++
	r, err := p.hexQuad()
	if err != nil || r < 0xD800 || r > 0xDFFF {
		return r, err
	}
	if !p.accept(`\u`) {
		return 0, p.unexpected(`"\u"`)
	}
	low, err := p.hexQuad()
	if err != nil {
		return 0, err
	}
	if r > 0xDBFF || low < 0xDC00 || low > 0xDFFF {
		return 0, p.failure("invalid UTF-16 surrogates")
	}
	return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000, nil
}

func (p *fileParser) hexQuad() (rune, error) {
	end := p.pos
	for end < len(p.text) && end < p.pos+4 && isHex(p.text[end]) {
		end++
	}
	if end < p.pos+4 {
		p.pos = end
		return 0, p.unexpected("hexadecimal digit")
	}
	n, _ := strconv.ParseUint(p.text[p.pos:end], 16, 32)
	p.pos = end
	return rune(n), nil
}

// interpolate replaces the variables of a string. The positions of its errors are
// in the string, not in the file.
func (p *fileParser) interpolate(prefix, key, text string) (string, error) {
	q := &fileParser{name: "<" + key + ">", text: text}
	var b strings.Builder
	for {
		i := strings.IndexByte(q.text[q.pos:], '$')
		if i < 0 {
			b.WriteString(q.text[q.pos:])
			return b.String(), nil
		}
		b.WriteString(q.text[q.pos : q.pos+i])
		q.pos += i + 1
		switch {
		case q.accept("$"):
			b.WriteByte('$')
		case q.accept("("):
			end := strings.IndexByte(q.text[q.pos:], ')')
			if end == 0 {
				return "", q.unexpected("a name")
			}
			if end < 0 {
				q.pos = len(q.text)
				return "", q.unexpected("')'")
			}
			resolved, err := p.variable(prefix, key, q.text[q.pos:q.pos+end])
			if err != nil {
				return "", err
			}
			if b.WriteString(resolved); b.Len() > maxFileSize {
				return "", q.failure(fmt.Sprintf("longer than %d bytes", maxFileSize))
			}
			q.pos += end + 1
		default:
			return "", q.unexpected("'$' or '('")
		}
	}
}

func (p *fileParser) variable(prefix, key, name string) (string, error) {
	for scope := prefix; ; {
		if v, ok := p.reader.values[scope+name]; ok {
			switch v.kind {
			case textValue:
				return v.text, nil
			case numberValue:
				if n, ok := v.asInt(); ok {
					return strconv.FormatInt(n, 10), nil
				}
				return notation(v.text), nil
			}
			return "", &Error{Kind: SyntaxError, Key: key, Text: "<" + key + ">:\nvariable '" + name + "' is not a string or number"}
		}
		if scope == "" {
			break
		}
		scope = scope[:strings.LastIndexByte(scope[:len(scope)-1], '.')+1]
	}
	if v, ok := p.reader.getenv(name); ok {
		return v, nil
	}
	return "", &Error{Kind: SyntaxError, Key: key, Text: "<" + key + ">:\nno such variable: '" + name + "'"}
}
