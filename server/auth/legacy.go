package auth

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The syntax of role paths before RFC 9535:
//
//	path    = step+
//	step    = "." name | "." quoted | "[" digits "]" | "[?(@" op quoted ")]"   the last only at the end
//	name    = letters, digits, _ $ @
//	op      = "==" | "!=" | "^==" (begins with) | "==^" (ends with) | "*==" (contains)
//	quoted  = a text in double quotes, without escapes
type legacyPath []legacyStep

// legacyStep is a name, an index or, when matches is set, a filter.
type legacyStep struct {
	name    string
	index   int // -1 for the others
	op      string
	operand string
}

var legacyOps = []struct {
	token   string
	matches func(s, operand string) bool
}{
	{"==^", strings.HasSuffix}, // before ==, its prefix
	{"==", func(s, operand string) bool { return s == operand }},
	{"!=", func(s, operand string) bool { return s != operand }},
	{"^==", strings.HasPrefix},
	{"*==", strings.Contains},
}

func (path legacyPath) find(claims map[string]any) (any, bool) {
	var node any = claims
	for _, step := range path {
		switch {
		case step.op != "":
			return step.firstMatch(node)
		case step.index >= 0:
			list, _ := node.([]any)
			if step.index >= len(list) {
				return nil, false
			}
			node = list[step.index]
		default:
			object, _ := node.(map[string]any)
			v, ok := object[step.name]
			if !ok {
				return nil, false
			}
			node = v
		}
	}
	return node, true
}

func (step legacyStep) firstMatch(node any) (any, bool) {
	list, _ := node.([]any)
	for _, op := range legacyOps {
		if op.token != step.op {
			continue
		}
		for _, v := range list {
			if s, ok := v.(string); ok && op.matches(s, step.operand) {
				return v, true
			}
		}
	}
	return nil, false
}

// String returns the path as PostgREST dumps it, with all names quoted.
func (path legacyPath) String() string {
	var b strings.Builder
	for _, step := range path {
		switch {
		case step.op != "":
			fmt.Fprintf(&b, `[?(@ %s "%s")]`, step.op, step.operand)
		case step.index >= 0:
			fmt.Fprintf(&b, "[%d]", step.index)
		default:
			fmt.Fprintf(&b, `."%s"`, step.name)
		}
	}
	return b.String()
}

func parseLegacyPath(text string) (legacyPath, error) {
	p := legacyParser{text: text}
	var path legacyPath
	for len(path) == 0 || p.pos < len(text) {
		step, err := p.step()
		if err != nil {
			return nil, fmt.Errorf("%w at position %d", err, utf8.RuneCountInString(text[:p.pos])+1)
		}
		path = append(path, step)
	}
	return path, nil
}

type legacyParser struct {
	text string
	pos  int
}

var (
	errPathStep   = errors.New("expecting '.' or '['")
	errPathName   = errors.New("expecting a name or '\"'")
	errPathIndex  = errors.New("expecting digits and ']'")
	errPathFilter = errors.New("expecting '@', a comparison, a text in quotes and \")]\"")
	errPathEnd    = errors.New("expecting the end after a filter")
)

func (p *legacyParser) step() (legacyStep, error) {
	step := legacyStep{index: -1}
	switch {
	case p.accept("."):
		name, ok := p.name()
		if !ok {
			return step, errPathName
		}
		step.name = name
		return step, nil
	case p.accept("[?("):
		return p.filter()
	case p.accept("["):
		end := p.pos
		for end < len(p.text) && p.text[end] >= '0' && p.text[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(p.text[p.pos:end])
		if err != nil {
			return step, errPathIndex
		}
		p.pos = end
		if !p.accept("]") {
			return step, errPathIndex
		}
		step.index = n
		return step, nil
	default:
		return step, errPathStep
	}
}

func (p *legacyParser) filter() (legacyStep, error) {
	step := legacyStep{index: -1}
	if !p.accept("@") {
		return step, errPathFilter
	}
	p.space()
	for _, op := range legacyOps {
		if p.accept(op.token) {
			step.op = op.token
			break
		}
	}
	p.space()
	operand, ok := p.quoted()
	if step.op == "" || !ok || !p.accept(")]") {
		return step, errPathFilter
	}
	if p.pos < len(p.text) {
		return step, errPathEnd
	}
	step.operand = operand
	return step, nil
}

func (p *legacyParser) name() (string, bool) {
	end := p.pos
	for end < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[end:])
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("_$@", r) {
			break
		}
		end += size
	}
	if end == p.pos {
		return p.quoted()
	}
	name := p.text[p.pos:end]
	p.pos = end
	return name, true
}

func (p *legacyParser) quoted() (string, bool) {
	if !p.accept(`"`) {
		return "", false
	}
	end := strings.IndexByte(p.text[p.pos:], '"')
	if end < 0 {
		return "", false
	}
	s := p.text[p.pos : p.pos+end]
	p.pos += end + 1
	return s, true
}

func (p *legacyParser) accept(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *legacyParser) space() {
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if !unicode.IsSpace(r) {
			return
		}
		p.pos += size
	}
}
