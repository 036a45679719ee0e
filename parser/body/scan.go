package body

import "github.com/fastgrest/fastgrest/parser/jsontext"

const (
	bad     = jsontext.Bad
	tooDeep = -2
)

// value skips one value and returns the offset after it, or bad or tooDeep. It
// keeps one bit for each open container, set for objects, in an array of fixed
// size: nesting costs no allocation.
func (p *Payload) value(b []byte, i, depth int) int {
	base := depth
	for {
		// A value begins at i.
		if i = jsontext.SkipSpace(b, i); i >= len(b) {
			return bad
		}
		switch c := b[i]; {
		case c == '"':
			i, _ = jsontext.SkipString(b, i+1)
		case c == '{' || c == '[':
			if depth >= MaxDepth {
				return tooDeep
			}
			p.push(depth, c == '{')
			depth++
			if i = jsontext.SkipSpace(b, i+1); i >= len(b) {
				return bad
			}
			switch {
			case b[i] == c+2: // } and ] are two after { and [
				depth--
				i++
			case c == '{':
				if i = skipKey(b, i); i < 0 {
					return bad
				}
				continue
			default:
				continue
			}
		case c == '-' || c-'0' < 10:
			i = jsontext.SkipNumber(b, i)
		default:
			i = jsontext.SkipLiteral(b, i)
		}
		if i < 0 {
			return bad
		}
		// The value has ended. Close containers up to a comma.
		for another := false; !another; {
			if depth == base {
				return i
			}
			if i = jsontext.SkipSpace(b, i); i >= len(b) {
				return bad
			}
			isObject := p.stack[(depth-1)/64]&(1<<((depth-1)%64)) != 0
			switch {
			case b[i] == ',' && isObject:
				if i = skipKey(b, jsontext.SkipSpace(b, i+1)); i < 0 {
					return bad
				}
				another = true
			case b[i] == ',':
				i++
				another = true
			case b[i] == '}' && isObject, b[i] == ']' && !isObject:
				depth--
				i++
			default:
				return bad
			}
		}
	}
}

func (p *Payload) push(depth int, isObject bool) {
	word, bit := &p.stack[depth/64], uint64(1)<<(depth%64)
	if isObject {
		*word |= bit
	} else {
		*word &^= bit
	}
}

// skipKey skips a key and its colon.
func skipKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return bad
	}
	i, _ = jsontext.SkipString(b, i+1)
	if i < 0 {
		return bad
	}
	return skipColon(b, i)
}

func skipColon(b []byte, i int) int {
	if i = jsontext.SkipSpace(b, i); i >= len(b) || b[i] != ':' {
		return bad
	}
	return i + 1
}
