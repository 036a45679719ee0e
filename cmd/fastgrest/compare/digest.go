package compare

import "hash/maphash"

// keptBytes is how much of a body stays in memory.
const keptBytes = 1 << 20

var seed = maphash.MakeSeed() // of all digests of the process, which are compared with each other

// digest takes a body of any length. It tells equal bodies, JSON that is equal but for white space,
// and JSON arrays with the same elements in another order, without keeping them.
type digest struct {
	kept    []byte
	size    int64
	raw     maphash.Hash
	compact maphash.Hash // without white space outside of strings
	element maphash.Hash // the present element of the outermost array, without white space

	elements  int
	sum       uint64 // of the hashes of all elements
	array     bool
	inElement bool
	depth     int
	quotes    quotes
}

// quotes follows the strings in JSON text.
type quotes struct{ inString, escaped bool }

// inside takes the next byte, and reports whether it belongs to a string. The quotes do.
func (q *quotes) inside(c byte) bool {
	before := q.inString
	switch {
	case q.escaped:
		q.escaped = false
	case c == '"':
		q.inString = !before
	case before && c == '\\':
		q.escaped = true
	}
	return before || q.inString
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func newDigest() *digest {
	d := &digest{}
	d.raw.SetSeed(seed)
	d.compact.SetSeed(seed)
	d.element.SetSeed(seed)
	return d
}

// Write takes the next bytes and keeps no reference to p.
func (d *digest) Write(p []byte) (int, error) {
	d.raw.Write(p)
	d.size += int64(len(p))
	if room := keptBytes - len(d.kept); room > 0 {
		d.kept = append(d.kept, p[:min(room, len(p))]...)
	}
	for _, c := range p {
		d.step(c)
	}
	return len(p), nil
}

func (d *digest) step(c byte) {
	if d.quotes.inside(c) {
		d.add(c)
		return
	}
	if isSpace(c) {
		return
	}
	switch c {
	case '[', '{':
		if d.depth++; d.depth == 1 && c == '[' {
			d.array = true
			d.compact.WriteByte(c)
			return
		}
	case ']', '}':
		if d.depth--; d.depth == 0 && d.array {
			d.endElement()
			d.compact.WriteByte(c)
			return
		}
	case ',':
		if d.depth == 1 && d.array {
			d.endElement()
			d.compact.WriteByte(c)
			return
		}
	}
	d.add(c)
}

func (d *digest) add(c byte) {
	d.compact.WriteByte(c)
	if d.array {
		d.element.WriteByte(c)
		d.inElement = true
	}
}

func (d *digest) endElement() {
	if d.inElement {
		d.elements++
		d.sum += d.element.Sum64()
		d.element.Reset()
		d.inElement = false
	}
}

// whole reports whether all of the body was kept.
func (d *digest) whole() bool { return d.size == int64(len(d.kept)) }

// same reports whether the bodies are equal.
func (d *digest) same(e *digest) bool { return d.size == e.size && d.raw.Sum64() == e.raw.Sum64() }

// sameJSON reports whether the bodies, which are JSON, are equal but for white space.
func (d *digest) sameJSON(e *digest) bool { return d.compact.Sum64() == e.compact.Sum64() }

// sameElements reports whether the bodies are arrays with the same elements in any order.
func (d *digest) sameElements(e *digest) bool {
	return d.array && e.array && d.elements == e.elements && d.sum == e.sum
}
