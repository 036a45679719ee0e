package tree

import (
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// WriteKind tells what a Write does.
type WriteKind uint8

const (
	WriteInsert WriteKind = iota
	WriteUpdate
	WriteDelete
)

// WriteColumn is a column set from the payload, or an argument taken from it.
type WriteColumn struct {
	Name      string
	Key       string // its name in the payload
	Type      string // the payload's value is read as this type
	Transform string // representation function from that type to the column's
	Default   Opt    // expression for objects that lack the key, under missing=default
}

// Write is an insert, update or delete.
type Write struct {
	Kind      WriteKind
	Table     catalog.QI
	Columns   []WriteColumn
	Object    bool // the payload is one object, not an array
	Defaults  bool // missing=default
	Where     []Cond
	Returning []string // columns the answer needs; {"*"} for all, none for none

	// Of an insert.
	Resolution header.Resolution
	Conflict   []string // columns of ON CONFLICT
	Put        []Cond   // PUT: conditions the payload has to meet
	IsPut      bool
	Count      bool // count inserted rows: some may only update
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
	Params    []catalog.Param // those given
	Columns   []WriteColumn   // ArgsJSON: the same, as members of the payload
	Object    bool            // ArgsJSON: the payload is one object, not an array
	Returning []string        // columns the answer needs; {"*"} or none for all
	RowType   uint32          // see Node.RowType
}
