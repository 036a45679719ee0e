package tree

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// WriteKind is the kind of a Write.
type WriteKind uint8

const (
	WriteInsert WriteKind = iota
	WriteUpdate
	WriteDelete
)

// WriteColumn is a column set from the payload, or an argument taken from it.
type WriteColumn struct {
	Name      string
	Key       string // name in the payload
	Type      string // type as which the payload's value is read
	Transform string // representation function from Type to the column's type
	Default   Opt    // expression for objects without the key, under missing=default
}

// Write is an insert, update or delete.
type Write struct {
	Kind      WriteKind
	Table     catalog.QI
	Columns   []WriteColumn
	Object    bool // the payload is one object, not an array
	Defaults  bool // missing=default
	Where     []Cond
	Returning []string // columns that the response needs; {"*"} for all

	// Inserts.
	Resolution header.Resolution
	Conflict   []string // columns of ON CONFLICT
	Put        []Cond   // PUT: conditions that the payload has to meet
	IsPut      bool
	Count      bool // count the inserted rows, because some rows may be updates
	Key        []string
}

// CallArgs says how a routine gets its arguments.
type CallArgs uint8

const (
	ArgsNone    CallArgs = iota
	ArgsNamed            // each by its name: query string or form
	ArgsJSON             // members of the JSON payload
	ArgsUnnamed          // the payload is the single unnamed argument
)

// Call is the call of a routine.
type Call struct {
	Routine   *catalog.Routine
	Args      CallArgs
	Params    []catalog.Param // the given ones
	Columns   []WriteColumn   // ArgsJSON: Params as members of the payload
	Object    bool            // ArgsJSON: the payload is one object, not an array
	Returning []string        // columns that the response needs; {"*"} or none for all
	RowType   uint32          // see Node.RowType
}
