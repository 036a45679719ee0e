package batch

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/parser/percent"
)

// MaxReferences bounds the references of a batch.
const MaxReferences = 1000

const (
	refKey  = "$ref"
	refCall = "$ref("
)

// Lookup returns the value of a reference as JSON, or an error that says why it has no
// value.
type Lookup func(id, pointer string) ([]byte, error)

// edit is a change of a body: a reference, or an escaped key.
type edit struct {
	start, end int
	key        string // the key without one $; "" for a reference
	reference  string
}

// split splits a reference into the id and the pointer.
func split(reference string) (id, pointer string, err error) {
	id, pointer, ok := strings.Cut(reference, "#")
	if !ok || pointer != "" && pointer[0] != '/' {
		return "", "", fmt.Errorf("%.100q is not a reference: it has the form id#/json/pointer", reference)
	}
	return id, pointer, nil
}

// known checks that a reference is to one of the parts before.
func known(reference string, before map[string]bool) error {
	id, _, err := split(reference)
	if err == nil && !before[id] {
		err = fmt.Errorf("the reference %.100q is to no earlier part", reference)
	}
	return err
}

// findReferences finds the references of a part, and counts them.
func (p *Part) findReferences(before map[string]bool) (n int, err error) {
	_, query, _ := strings.Cut(p.URL, "?")
	texts := []string{query}
	switch {
	case p.Method == "QUERY":
		texts = append(texts, string(p.Body))
	case p.isJSON() && mayRefer(p.Body):
		if p.edits, err = findEdits(p.Body); err != nil {
			return 0, err
		}
	}
	for _, e := range p.edits {
		if e.key == "" {
			n++
			if err := known(e.reference, before); err != nil {
				return 0, err
			}
		}
	}
	inQuery := false
	for _, text := range texts {
		found, seen, err := queryReferences(text, before)
		if err != nil {
			return 0, err
		}
		n += found
		inQuery = inQuery || seen
	}
	p.References = inQuery || len(p.edits) > 0
	return n, nil
}

// mayRefer is a quick look for a dollar sign, which JSON may escape.
func mayRefer(body []byte) bool {
	return bytes.Contains(body, []byte("$")) || bytes.Contains(body, []byte(`\u0024`))
}

// queryReferences checks the references of a query string. seen: it has some, or
// something that is escaped as one.
func queryReferences(query string, before map[string]bool) (n int, seen bool, err error) {
	if !strings.ContainsAny(query, "$%") {
		return 0, false, nil // fast path
	}
	text := percent.AppendDecoded(nil, []byte(query), true)
	for i := 0; ; {
		at := bytes.Index(text[i:], []byte(refCall))
		if at < 0 {
			return n, seen, nil
		}
		at += i
		i = at + len(refCall)
		seen = true
		if at > 0 && text[at-1] == '$' {
			continue
		}
		n++
		if err := known(string(text[i:i+max(0, bytes.IndexByte(text[i:], ')'))]), before); err != nil {
			return n, seen, err
		}
	}
}

// frame is an object or a list that findEdits is inside of.
type frame struct {
	object, key      bool // key: the next token is a key
	start            int
	keys             int
	first            string // key
	keyStart, keyEnd int
	text             string // the value, if it is a string
	isText           bool
}

// findEdits finds the references and the escaped keys of a body. It is not recursive.
func findEdits(body []byte) (edits []edit, err error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var stack []frame
	for {
		before := int(dec.InputOffset())
		token, err := dec.Token()
		if err != nil {
			// The decoder of the envelope has accepted it, so this is its end.
			slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
			return edits, nil
		}
		after := int(dec.InputOffset())
		var top *frame
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		if text, ok := token.(string); ok && top != nil && top.object && top.key {
			top.key = false
			if top.keys++; top.keys == 1 {
				top.first, top.keyEnd = text, after
				top.keyStart = before + bytes.IndexByte(body[before:], '"')
			}
			continue
		}
		switch token {
		case json.Delim('}'), json.Delim(']'):
			e, err := top.edit(after)
			if err != nil {
				return nil, err
			}
			if e != nil {
				edits = append(edits, *e)
			}
			stack = stack[:len(stack)-1]
			continue
		}
		if top != nil {
			top.key = top.object // behind this value
			top.text, top.isText = token.(string)
		}
		if d, ok := token.(json.Delim); ok {
			stack = append(stack, frame{object: d == '{', key: d == '{', start: after - 1})
		}
	}
}

// edit returns the edit of an object that ends at end, or nil.
func (f *frame) edit(end int) (*edit, error) {
	if !f.object || f.keys != 1 || !strings.HasSuffix(f.first, refKey) || strings.Trim(f.first, "$") != "ref" {
		return nil, nil
	}
	if f.first != refKey {
		return &edit{start: f.keyStart, end: f.keyEnd, key: f.first[1:]}, nil
	}
	if !f.isText {
		return nil, errors.New(`the value of "$ref" must be a string; "$$ref" is an ordinary key`)
	}
	return &edit{start: f.start, end: end, reference: f.text}, nil
}

// ResolveBody returns the body with values in place of references. A result of more than
// limit bytes is an error.
func (p *Part) ResolveBody(lookup Lookup, limit int) ([]byte, error) {
	if len(p.edits) == 0 {
		return p.Body, nil
	}
	var dst []byte
	done := 0
	for _, e := range p.edits {
		dst = append(dst, p.Body[done:e.start]...)
		done = e.end
		if e.key != "" {
			dst = jsontext.AppendString(dst, e.key)
			continue
		}
		value, err := resolve(e.reference, lookup)
		if err != nil {
			return nil, &Error{Part: p.ID, Message: err.Error()}
		}
		if len(dst)+len(value)+len(p.Body)-done > limit {
			return nil, &Error{Part: p.ID, Message: "the body with its references is too large"}
		}
		dst = append(dst, value...)
	}
	return append(dst, p.Body[done:]...), nil
}

func resolve(reference string, lookup Lookup) ([]byte, error) {
	id, pointer, err := split(reference)
	if err != nil {
		return nil, err
	}
	value, err := lookup(id, pointer)
	if err != nil {
		return nil, fmt.Errorf("the reference %.100q has no value: %w", reference, err)
	}
	return value, nil
}

// Resolve returns the text of an operand, or of an argument, with the value in place of
// a reference. list: the operand is an array literal, as package parser makes it.
func Resolve(operand []byte, list bool, lookup Lookup) ([]byte, error) {
	if !bytes.Contains(operand, []byte(refCall)) {
		return operand, nil // fast path
	}
	if !list {
		return resolveText(operand, lookup)
	}
	dst := []byte{'{'}
	for i := 1; i < len(operand) && operand[i] != '}'; i++ {
		if operand[i] == ',' {
			dst = append(dst, ',')
			continue
		}
		var element []byte
		for i++; i < len(operand) && operand[i] != '"'; i++ {
			if operand[i] == '\\' {
				i++
			}
			element = append(element, operand[i])
		}
		element, err := resolveText(element, lookup)
		if err != nil {
			return nil, err
		}
		dst = append(dst, '"')
		for _, c := range element {
			if c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		}
		dst = append(dst, '"')
	}
	return append(dst, '}'), nil
}

func resolveText(text []byte, lookup Lookup) ([]byte, error) {
	rest := bytes.TrimLeft(text, "$")
	dollars := len(text) - len(rest)
	switch {
	case dollars == 0 || !bytes.HasPrefix(rest, []byte("ref(")):
		if bytes.Contains(text, []byte(refCall)) {
			return nil, errors.New("a reference must be a whole value")
		}
		return text, nil
	case dollars > 1:
		return text[1:], nil
	case !bytes.HasSuffix(rest, []byte(")")):
		return nil, errors.New("a reference must be a whole value; in a list or a logic tree it needs double quotes")
	}
	value, err := resolve(string(rest[len("ref("):len(rest)-1]), lookup)
	switch {
	case err != nil:
		return nil, err
	case string(value) == "null":
		return nil, fmt.Errorf("the reference %.100q has the value null", rest)
	case value[0] == '"':
		var s string
		if err := json.Unmarshal(value, &s); err != nil {
			return nil, err
		}
		return []byte(s), nil
	}
	return value, nil
}

// At returns the value at a JSON Pointer. It reads the document once to check it, and
// once up to the value. Of several members with one name it takes the first.
func At(document []byte, pointer string) ([]byte, error) {
	if !json.Valid(document) {
		return nil, errors.New("the response is not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(document))
	for pointer != "" {
		pointer = pointer[1:]
		end := strings.IndexByte(pointer, '/')
		if end < 0 {
			end = len(pointer)
		}
		token := strings.ReplaceAll(strings.ReplaceAll(pointer[:end], "~1", "/"), "~0", "~")
		pointer = pointer[end:]
		if !enter(dec, token) {
			return nil, fmt.Errorf("the response has nothing at %.100q", token)
		}
	}
	var value json.RawMessage
	err := dec.Decode(&value)
	return value, err
}

// enter moves the decoder from the beginning of a value to its member or element. It
// reports whether there is one.
func enter(dec *json.Decoder, token string) bool {
	open, err := dec.Token()
	if err != nil {
		return false
	}
	object, index := open == json.Delim('{'), -1
	if open == json.Delim('[') {
		if n, err := strconv.ParseUint(token, 10, 31); err == nil && strconv.Itoa(int(n)) == token {
			index = int(n)
		}
	}
	if !object && index < 0 {
		return false
	}
	for i := 0; dec.More(); i++ {
		found := i == index
		if object {
			key, err := dec.Token()
			if err != nil {
				return false
			}
			found = key == token
		}
		if found {
			return true
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return false
		}
	}
	return false
}
