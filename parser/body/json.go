package body

import (
	"bytes"
	"slices"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// keySpan is the position of a key in the text, without its quotes.
type keySpan struct {
	start, end int
	escaped    bool
}

// ParseJSON parses a JSON body. It sets Raw to raw, or to an empty array if raw has
// no rows. The Payload refers to raw. With emptyIsObject an empty body is an object
// without keys, which is a call without arguments.
func (p *Payload) ParseJSON(raw []byte, emptyIsObject bool) error {
	p.Reset()
	p.Raw = raw
	if len(raw) == 0 && emptyIsObject {
		p.Kind, p.IsObject = Object, true
		return nil
	}
	i := jsontext.SkipSpace(raw, 0)
	if i >= len(raw) {
		return errInvalidJSON
	}
	err := error(nil)
	switch raw[i] {
	case '{':
		p.Kind, p.IsObject = Object, true
		if i = p.firstObject(raw, i+1, 1); i >= 0 {
			p.collectKeys(raw)
		}
	case '[':
		i, err = p.array(raw, i+1)
	default:
		p.setEmpty()
		i = p.value(raw, i, 0)
	}
	switch {
	case i == tooDeep:
		return errTooDeep
	case i < 0 || jsontext.SkipSpace(raw, i) != len(raw):
		return errInvalidJSON
	}
	return err
}

// array reads the rest of a top-level array. It reads to the end also if the keys
// of objects differ, because invalid JSON is reported first.
func (p *Payload) array(b []byte, i int) (end int, err error) {
	p.Kind = Array
	if i = jsontext.SkipSpace(b, i); i < len(b) && b[i] == ']' {
		p.setEmpty()
		return i + 1, nil
	}
	for first := true; ; first = false {
		if i = jsontext.SkipSpace(b, i); i >= len(b) {
			return bad, nil
		}
		switch {
		case err != nil || b[i] != '{':
			err = orElse(err, errKeysDiffer)
			i = p.value(b, i, 1)
		case first:
			if i = p.firstObject(b, i+1, 2); i >= 0 {
				p.collectKeys(b)
			}
			if p.folded { // others cannot be compared with it
				err = errTooManyKeys
			}
		default:
			same := false
			if i, same = p.nextObject(b, i+1); !same {
				err = errKeysDiffer
			}
		}
		if i < 0 {
			return i, nil
		}
		if i = jsontext.SkipSpace(b, i); i >= len(b) {
			return bad, nil
		}
		switch b[i] {
		case ']':
			return i + 1, err
		case ',':
			i++
		default:
			return bad, nil
		}
	}
}

// orElse returns the first error.
func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// key reads one key and its colon. i is the offset of the quote.
func key(b []byte, i int) (k keySpan, end int) {
	if i >= len(b) || b[i] != '"' {
		return k, bad
	}
	end, escaped := jsontext.SkipString(b, i+1)
	if end < 0 {
		return k, bad
	}
	return keySpan{start: i + 1, end: end - 1, escaped: escaped}, skipColon(b, end)
}

// firstObject reads the rest of an object and keeps its keys.
func (p *Payload) firstObject(b []byte, i, depth int) (end int) {
	if i = jsontext.SkipSpace(b, i); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		k, next := key(b, i)
		if next < 0 {
			return bad
		}
		if len(p.order) == MaxKeys {
			p.fold(b)
		}
		if !p.Truncated {
			p.order = append(p.order, k)
		}
		var more bool
		if i, more = p.member(b, next, depth); !more {
			return i
		}
	}
}

// member reads a value of an object, and the comma or the brace after it. After a
// comma next is the offset of the next key.
func (p *Payload) member(b []byte, i, depth int) (next int, more bool) {
	if i = p.value(b, i, depth); i < 0 {
		return i, false
	}
	if i = jsontext.SkipSpace(b, i); i >= len(b) {
		return bad, false
	}
	switch b[i] {
	case ',':
		return jsontext.SkipSpace(b, i+1), true
	case '}':
		return i + 1, false
	}
	return bad, false
}

// fold moves the keys from order to Keys, which has each name once. If these are
// still more than a table or a list of arguments can have, it sets Truncated.
func (p *Payload) fold(b []byte) {
	p.collectKeys(b)
	p.order, p.folded = p.order[:0], true
	p.Truncated = len(p.Keys) > MaxKeys/2
}

// collectKeys adds the keys of order to Keys.
func (p *Payload) collectKeys(b []byte) {
	for _, k := range p.order {
		p.Keys = append(p.Keys, p.decode(b, k))
	}
	p.sortKeys()
}

// decode returns the text of a key, in the arena if the key has escapes.
func (p *Payload) decode(b []byte, k keySpan) []byte {
	if !k.escaped {
		return b[k.start:k.end:k.end]
	}
	start := len(p.arena)
	p.arena = jsontext.AppendUnescaped(p.arena, b[k.start:k.end])
	return p.arena[start:len(p.arena):len(p.arena)]
}

// nextObject reads the rest of another object and reports whether it has the keys
// of the first one. Keys in the same order and spelling cost one comparison each.
func (p *Payload) nextObject(b []byte, i int) (end int, same bool) {
	c := comparison{inOrder: true, same: true}
	if i = jsontext.SkipSpace(b, i); i < len(b) && b[i] == '}' {
		return i + 1, p.allSeen(b, &c)
	}
	for {
		k, next := key(b, i)
		if next < 0 {
			return bad, false
		}
		p.compareKey(b, k, &c)
		var more bool
		if i, more = p.member(b, next, 2); !more {
			return i, p.allSeen(b, &c)
		}
	}
}

// comparison compares the keys of an object with those of the first one.
type comparison struct {
	inOrder  bool // all keys so far are those of the first object, in order
	same     bool // all keys so far are in Keys
	matched  int  // number of keys while inOrder
	distinct int  // number of different keys if not inOrder
}

func (p *Payload) compareKey(b []byte, k keySpan, c *comparison) {
	if c.inOrder && c.matched < len(p.order) {
		if o := p.order[c.matched]; bytes.Equal(b[k.start:k.end], b[o.start:o.end]) {
			c.matched++
			return
		}
	}
	p.leaveOrder(b, c)
	p.see(b, k, c)
}

// leaveOrder changes from comparison by position to search in Keys.
func (p *Payload) leaveOrder(b []byte, c *comparison) {
	if !c.inOrder {
		return
	}
	c.inOrder = false
	p.seen = slices.Grow(p.seen[:0], len(p.Keys))[:len(p.Keys)]
	if p.object++; p.object == 0 {
		p.object = 1
		clear(p.seen[:cap(p.seen)])
	}
	for _, o := range p.order[:c.matched] {
		p.see(b, o, c)
	}
}

// see marks a key as present in the object.
func (p *Payload) see(b []byte, k keySpan, c *comparison) {
	mark := len(p.arena)
	i, known := slices.BinarySearchFunc(p.Keys, p.decode(b, k), bytes.Compare)
	p.arena = p.arena[:mark]
	switch {
	case !known:
		c.same = false
	case p.seen[i] != p.object:
		p.seen[i] = p.object
		c.distinct++
	}
}

// allSeen reports at the end of an object whether it has all keys. It may have
// fewer keys than the text of the first object, which may repeat some.
func (p *Payload) allSeen(b []byte, c *comparison) bool {
	if c.inOrder && c.matched == len(p.order) {
		return true
	}
	p.leaveOrder(b, c)
	return c.same && c.distinct == len(p.Keys)
}
