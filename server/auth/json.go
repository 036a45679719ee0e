package auth

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// JSON is read here and not with encoding/json because tokens are where two
// readings of one text become a hole: of repeated keys the first counts, keys
// are compared exactly, and nothing is passed over. The values are the shapes
// that jsonpath evaluates: map[string]any, []any, string, json.Number, bool
// and nil.

// maxDepth bounds nesting in heads and claims; real tokens stay under ten.
const maxDepth = 128

// parseObject reads a text that is one JSON object.
func parseObject(text []byte) (map[string]any, bool) {
	object, _, ok := scanObject(text)
	return object, ok
}

// scanObject also tells whether a key is repeated anywhere in the text.
func scanObject(text []byte) (object map[string]any, repeated, ok bool) {
	if !utf8.Valid(text) {
		return nil, false, false
	}
	p := jsonParser{text: text}
	v, ok := p.value(0)
	p.space()
	object, isObject := v.(map[string]any)
	return object, p.repeated, ok && isObject && p.pos == len(p.text)
}

type jsonParser struct {
	text     []byte
	pos      int
	repeated bool
}

func (p *jsonParser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// next skips space and gives the next byte, 0 at the end.
func (p *jsonParser) next() byte {
	p.space()
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
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
	case c == 't':
		return true, p.word("true")
	case c == 'f':
		return false, p.word("false")
	case c == 'n':
		return nil, p.word("null")
	default:
		return p.number()
	}
}

func (p *jsonParser) word(w string) bool {
	if !strings.HasPrefix(string(p.text[p.pos:min(len(p.text), p.pos+len(w))]), w) {
		return false
	}
	p.pos += len(w)
	return true
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

func (p *jsonParser) string() (string, bool) {
	p.pos++
	start := p.pos
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			s := string(p.text[start:p.pos])
			p.pos++
			return s, true
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", false
		default:
			p.pos++
		}
	}
	return "", false
}

// escaped reads the rest of a string from its first escape on.
func (p *jsonParser) escaped(start int) (string, bool) {
	out := slices.Clone(p.text[start:p.pos])
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		p.pos++
		switch {
		case c == '"':
			return string(out), true
		case c < 0x20:
			return "", false
		case c != '\\':
			out = append(out, c)
			continue
		}
		if p.pos == len(p.text) {
			return "", false
		}
		c = p.text[p.pos]
		p.pos++
		if c == 'u' {
			r, ok := p.codePoint()
			if !ok {
				return "", false
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return "", false
		}
		out = append(out, "\"\\/\b\f\n\r\t"[i])
	}
	return "", false
}

// codePoint reads what follows \u, a pair of surrogates included. Half a pair
// is refused: it has no UTF-8.
func (p *jsonParser) codePoint() (rune, bool) {
	r, ok := p.hexQuad()
	if !ok || r >= 0xDC00 && r <= 0xDFFF {
		return 0, false
	}
	if r < 0xD800 || r > 0xDFFF {
		return r, true
	}
	if !p.word(`\u`) {
		return 0, false
	}
	low, ok := p.hexQuad()
	if !ok || low < 0xDC00 || low > 0xDFFF {
		return 0, false
	}
	return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000, true
}

func (p *jsonParser) hexQuad() (rune, bool) {
	if p.pos+4 > len(p.text) {
		return 0, false
	}
	quad := string(p.text[p.pos : p.pos+4])
	for i := range quad {
		if !strings.Contains("0123456789abcdefABCDEF", quad[i:i+1]) {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(quad, 16, 32)
	p.pos += 4
	return rune(n), err == nil
}

func (p *jsonParser) number() (any, bool) {
	start := p.pos
	p.accept('-')
	whole := p.digits()
	if whole == 0 || whole > 1 && p.text[p.pos-whole] == '0' {
		return nil, false
	}
	if p.accept('.') && p.digits() == 0 {
		return nil, false
	}
	if p.accept('e') || p.accept('E') {
		if !p.accept('+') {
			p.accept('-')
		}
		if p.digits() == 0 {
			return nil, false
		}
	}
	return json.Number(p.text[start:p.pos]), true
}

func (p *jsonParser) accept(c byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *jsonParser) digits() int {
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

// appendJSON prints a value as PostgREST hands claims to the database: keys
// sorted, no white space, numbers in its own notation.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		dst = append(dst, '{')
		for i, key := range sortedKeys(v) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(jsontext.AppendString(dst, key), ':')
			dst = appendJSON(dst, v[key])
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	case string:
		return jsontext.AppendString(dst, v)
	case json.Number:
		return appendNumber(dst, string(v))
	case bool:
		return strconv.AppendBool(dst, v)
	default:
		return append(dst, "null"...)
	}
}

func sortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
