package auth

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// Tokens are not parsed with encoding/json, because two readings of one token are a
// security hole. Here the first of repeated keys counts, keys are compared exactly,
// and no text is ignored. Values have the types that jsonpath evaluates:
// map[string]any, []any, string, json.Number, bool and nil.

// maxDepth is the maximum depth of heads and claims. Real tokens have less than 10.
const maxDepth = 128

// parseObject parses a text that is one JSON object.
func parseObject(text []byte) (map[string]any, bool) {
	object, _, ok := scanObject(text)
	return object, ok
}

// scanObject also reports whether an object in the text repeats a key.
func scanObject(text []byte) (object map[string]any, repeated, ok bool) {
	if !utf8.Valid(text) {
		return nil, false, false
	}
	p := jsonParser{text: text}
	v, ok := p.value(0)
	p.next()
	object, isObject := v.(map[string]any)
	return object, p.repeated, ok && isObject && p.pos == len(p.text)
}

type jsonParser struct {
	text     []byte
	pos      int
	repeated bool
}

// next skips space and returns the next byte, 0 at the end.
func (p *jsonParser) next() byte {
	p.pos = jsontext.SkipSpace(p.text, p.pos)
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// skip moves to end, the end of an element, and returns the element. ok is false
// if end is jsontext.Bad.
func (p *jsonParser) skip(end int) (element []byte, ok bool) {
	if end < 0 {
		return nil, false
	}
	element, p.pos = p.text[p.pos:end], end
	return element, true
}

func (p *jsonParser) value(depth int) (any, bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.string()
	case c == '-' || c-'0' < 10:
		number, ok := p.skip(jsontext.SkipNumber(p.text, p.pos))
		return json.Number(number), ok
	default:
		word, ok := p.skip(jsontext.SkipLiteral(p.text, p.pos))
		if string(word) == "null" {
			return nil, ok
		}
		return string(word) == "true", ok
	}
}

func (p *jsonParser) object(depth int) (any, bool) {
	object := map[string]any{}
	p.pos++
	if p.next() == '}' {
		p.pos++
		return object, true
	}
	for {
		if p.next() != '"' {
			return nil, false
		}
		key, ok := p.string()
		if !ok || p.next() != ':' {
			return nil, false
		}
		p.pos++
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		if _, repeated := object[key]; repeated {
			p.repeated = true
		} else {
			object[key] = v
		}
		switch p.next() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return object, true
		default:
			return nil, false
		}
	}
}

func (p *jsonParser) array(depth int) (any, bool) {
	list := []any{}
	p.pos++
	if p.next() == ']' {
		p.pos++
		return list, true
	}
	for {
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		list = append(list, v)
		switch p.next() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return list, true
		default:
			return nil, false
		}
	}
}

// string reads a string. It refuses the control characters that SkipString
// accepts.
func (p *jsonParser) string() (string, bool) {
	end, escaped := jsontext.SkipString(p.text, p.pos+1)
	quoted, ok := p.skip(end)
	if !ok || slices.ContainsFunc(quoted, func(c byte) bool { return c < ' ' }) {
		return "", false
	}
	s := quoted[1 : len(quoted)-1]
	if escaped {
		s = jsontext.AppendUnescaped(nil, s)
	}
	return string(s), true
}
