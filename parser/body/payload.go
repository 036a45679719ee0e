package body

import (
	"bytes"
	"slices"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

const (
	// MaxDepth is how deep JSON may be nested. (PostgreSQL's own reader gives up
	// somewhere below that, depending on max_stack_depth.)
	MaxDepth = 10000

	// MaxKeys is how many keys are kept, repetitions included. PostgreSQL has
	// tables of 1600 columns and functions of 100 arguments. But one object may
	// also be the only argument of a function that takes json, and have any
	// number of keys: see Payload.Truncated.
	MaxKeys = 1 << 16

	// keep is how many keys, and 16 times as many bytes of text, a Payload holds
	// on to when it is reset.
	keep = 1024
)

// Kind is what a payload consists of.
type Kind uint8

const (
	// Raw is bytes nobody has looked into.
	Raw Kind = iota
	// Object is one row, or the arguments of a call.
	Object
	// Array is one or more rows with the same keys.
	Array
	// Empty is no rows: an empty array, or JSON that is neither array nor
	// object, which PostgREST treats the same.
	Empty
	// Args are the arguments of a call by form; they are in Pairs.
	Args
)

// Pair is a name and a value of a form.
type Pair struct{ Key, Value []byte }

// Payload is what is known of a body. The zero value is ready to be used.
type Payload struct {
	Kind Kind

	// IsObject says that Raw, if it is JSON, is an object. For Kind Raw it is a
	// look at the first character.
	IsObject bool

	// Keys are the decoded names of an object or of all objects, sorted by code
	// point, each once.
	Keys [][]byte

	// Truncated says that Keys has only some of the names of an object, yet more
	// than any table or list of arguments has.
	Truncated bool

	// Raw is the payload as PostgreSQL gets it. For Args it is empty. The objects
	// of a CSV body have positions in Keys for names.
	Raw []byte

	// Pairs are the arguments of a call by form, in order, repetitions included.
	Pairs []Pair

	order  []keySpan // keys of the first object as they stand in the text
	folded bool      // order lacks keys that are in Keys already
	seen   []uint32  // for each key, the object it was last seen in
	object uint32    // number of the object being compared
	stack  [MaxDepth/64 + 1]uint64
	arena  []byte
	csv    csvState
}

var emptyArray = []byte("[]")

// Reset forgets the payload and lets go of memory beyond its usual size.
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

// SetRaw takes a body nobody looks into: columns= says which keys count, or a
// function takes the bytes as they are.
func (p *Payload) SetRaw(raw []byte) {
	p.Reset()
	p.Raw = raw
	i := jsontext.SkipSpace(raw, 0)
	p.IsObject = i < len(raw) && raw[i] == '{'
}

// sortKeys orders Keys and drops repetitions.
func (p *Payload) sortKeys() {
	if !slices.IsSortedFunc(p.Keys, bytes.Compare) {
		slices.SortFunc(p.Keys, bytes.Compare)
	}
	p.Keys = slices.CompactFunc(p.Keys, bytes.Equal)
}

// setEmpty is the payload that stands for no rows.
func (p *Payload) setEmpty() {
	p.Kind, p.Raw, p.IsObject = Empty, emptyArray, false
	p.Keys = p.Keys[:0]
}
