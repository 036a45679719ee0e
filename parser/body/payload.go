package body

import (
	"bytes"
	"slices"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

const (
	// MaxDepth is the maximum depth of JSON. PostgreSQL's limit is lower, and
	// depends on max_stack_depth.
	MaxDepth = 10000

	// MaxKeys is the maximum number of keys that are kept, repeated ones included.
	// Tables have at most 1600 columns and functions 100 arguments. An object that
	// is the only argument of a function can have more, see Payload.Truncated.
	MaxKeys = 1 << 16

	// keep is the maximum number of keys for which Reset keeps memory. It keeps 16
	// bytes of text for each.
	keep = 1024
)

// Kind is the kind of a payload.
type Kind uint8

const (
	// Raw is bytes that were not parsed.
	Raw Kind = iota
	// Object is one row, or the arguments of a call.
	Object
	// Array is one or more rows with the same keys.
	Array
	// Empty is no rows: an empty array, or JSON that is neither an array nor an
	// object, which PostgREST treats like one.
	Empty
	// Args is the arguments of a call as a form. They are in Pairs.
	Args
)

// Pair is a name and a value in a form.
type Pair struct{ Key, Value []byte }

// Payload is a parsed body. The zero value is ready to use.
type Payload struct {
	Kind Kind

	// IsObject reports whether Raw is a JSON object. For the Kind Raw it depends on
	// the first character only.
	IsObject bool

	// Keys are the decoded names of an object or of all objects, sorted by code
	// point, each once.
	Keys [][]byte

	// Truncated reports whether Keys lacks names of the object. Keys then has more
	// names than a table or a list of arguments can have.
	Truncated bool

	// Raw is the payload for PostgreSQL. It is empty for Args. The names in the
	// objects of a CSV body are positions in Keys.
	Raw []byte

	// Pairs is the arguments of a call as a form, in order, repeated ones included.
	Pairs []Pair

	// Lines is the number of lines that ParseLines has read. The caller sets it to 0.
	Lines int

	order  []keySpan // keys of the first object, in the order of the text
	folded bool      // order lacks keys, which are in Keys
	seen   []uint32  // for each key, the object it was last seen in
	object uint32    // number of the object being compared
	stack  [MaxDepth/64 + 1]uint64
	arena  []byte
	csv    csvState
}

var emptyArray = []byte("[]")

// Reset empties the Payload. It releases memory that a large body has used.
func (p *Payload) Reset() {
	p.Kind, p.IsObject, p.Truncated, p.folded, p.Raw = Raw, false, false, false, nil
	p.Keys = reuse(p.Keys)
	p.Pairs = reuse(p.Pairs)
	p.order = reuse(p.order)
	p.seen = reuse(p.seen)
	p.arena = reuseBytes(p.arena)
	p.csv.names = reuse(p.csv.names)
	p.csv.fields = reuse(p.csv.fields)
	p.csv.columns = reuse(p.csv.columns)
}

func reuseBytes(b []byte) []byte {
	if cap(b) > keep*16 {
		return nil
	}
	return b[:0]
}

func reuse[T any](s []T) []T {
	if cap(s) > keep {
		return nil
	}
	clear(s)
	return s[:0]
}

// SetRaw sets a body that is not parsed: columns= has the keys, or a function gets
// the bytes unchanged.
func (p *Payload) SetRaw(raw []byte) {
	p.Reset()
	p.Raw = raw
	i := jsontext.SkipSpace(raw, 0)
	p.IsObject = i < len(raw) && raw[i] == '{'
}

// sortKeys sorts Keys and removes duplicates.
func (p *Payload) sortKeys() {
	if !slices.IsSortedFunc(p.Keys, bytes.Compare) {
		slices.SortFunc(p.Keys, bytes.Compare)
	}
	p.Keys = slices.CompactFunc(p.Keys, bytes.Equal)
}

// setEmpty makes the Payload one without rows.
func (p *Payload) setEmpty() {
	p.Kind, p.Raw, p.IsObject = Empty, emptyArray, false
	p.Keys = p.Keys[:0]
}
