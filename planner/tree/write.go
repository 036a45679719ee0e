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
	JSON      bool   // of the Keys of NestedRows: values are json or jsonb
}

// Write is an insert, update or delete.
type Write struct {
	Kind      WriteKind
	Table     catalog.QI
	Columns   []WriteColumn // that are set
	Object    bool          // the payload is one object, not an array
	Defaults  bool          // missing=default
	Where     []Cond
	Returning []string // columns that the response needs; {"*"} for all

	// Bulk updates: each object of the payload updates the rows with its key.
	Join []WriteColumn // the key; none: not a bulk update
	Keep bool          // columns that an object lacks keep their values

	// Inserts.
	Resolution header.Resolution
	Conflict   Conflict
	Put        []Cond // PUT: conditions that the payload has to meet
	IsPut      bool
	Nested     *NestedRows // the rows, if they are a part of a nested insert
	Count      bool        // count the inserted rows, because some rows may be updates
	Key        []string
}

// Conflict says what decides whether a row of an insert is there already: unique
// columns, or what a catalog.Unique has.
type Conflict struct {
	Columns    []string
	Elements   string // SQL; takes the place of Columns
	Predicate  string // SQL; "" for all rows
	Constraint string // takes the place of all others
}

// IsZero reports whether nothing decides.
func (c *Conflict) IsZero() bool {
	return len(c.Columns) == 0 && c.Elements == "" && c.Constraint == ""
}

// HasSQL reports whether it has SQL, which may name functions and types in any schema.
func (c *Conflict) HasSQL() bool { return c.Elements != "" || c.Predicate != "" }

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
