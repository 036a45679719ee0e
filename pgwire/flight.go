package pgwire

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Flight is one round trip: steps in order, then one Sync. The server runs it as one
// transaction, unless it has steps for transactions (see tx.go).
//
// A Flight is built, run by Conn.Run, reset and built again. After the first few times
// that allocates nothing. Argument bytes, result formats and sinks are not copied: they
// must not change until Run returns.
type Flight struct {
	steps []step
	args  []arg
	// simple is SQL for the simple query protocol, instead of steps.
	simple  string
	known   bool   // see KnownOnly
	writes  bool   // see ForWriting
	streams bool   // see Stream
	merge   *Merge // see MayMerge

	// Reused and Parsed count the executed statements that the connection had parsed
	// before, and those it had not. Reset does not change them.
	Reused, Parsed int

	leaves SessionState  // see LeavesState
	limit  time.Duration // see Limit

	// The connection uses these while it runs the flight.
	resets     bool   // begins with a session reset, see reset.go
	number     uint64 // among the flights of the connection
	closes     int    // CloseCompletes to come before the first step
	size       int    // of its messages in bytes, in a batch
	err        error  // the first error
	failed     int    // see FailedStep
	unexecuted bool   // see Unexecuted

	interruption
}

type step struct {
	stmt    *Stmt
	sink    Sink
	desc    *Description
	formats []int16
	arg0    int // first of its arguments in Flight.args
	args    int
	binary  bool // an argument is in binary format
	commit  bool // the step is a COMMIT
	unnamed bool // an unnamed statement, which is not kept

	entry *cached // nil: unnamed statement
	parse bool    // parsed in this flight
}

type arg struct {
	bytes  []byte
	binary bool
}

// Sink takes the rows of one step. Its arguments are borrowed: valid during the call,
// overwritten afterwards.
//
// After an error of a Sink no more rows are delivered. The rest of the flight is still
// executed, read and discarded, and Run returns the error. The transaction is not
// rolled back.
type Sink interface {
	// Fields describes the rows to come. It is called only in a flight that parses the
	// statement on this connection.
	Fields(fields []pgproto3.FieldDescription) error
	// Row is one row, nil for NULL.
	Row(values [][]byte) error
	// Complete ends the rows of the step, with a tag such as "SELECT 3". The
	// transaction is still open; Run returns how it ended.
	Complete(tag []byte)
}

// Description has the types of a statement's parameters (OIDs) and its columns. Fields
// is empty for a statement that returns no rows.
type Description struct {
	Params []uint32
	Fields []Field
}

// Field is one column of a Description.
type Field struct {
	Name   string
	Type   uint32 // OID
	TypMod int32
	Table  uint32 // OID of the table, 0 if the field is not a column of a table
	Attr   uint16 // number of the column in Table, or 0
}

// Reset empties the flight for the next use.
func (f *Flight) Reset() {
	clear(f.steps) // do not keep borrowed memory alive
	clear(f.args)
	f.steps, f.args = f.steps[:0], f.args[:0]
	f.simple, f.known, f.writes, f.streams, f.merge = "", false, false, false, nil
	f.leaves, f.resets, f.limit = Clean, false, 0
	f.closes, f.err, f.failed = 0, nil, -1
}

// SameStatements reports whether both flights run the same statements. Arguments may
// differ.
func (f *Flight) SameStatements(g *Flight) bool {
	return slices.EqualFunc(f.steps, g.steps, func(a, b step) bool { return a.stmt == b.stmt })
}

// Len is the number of steps.
func (f *Flight) Len() int { return len(f.steps) }

// SQL is the text of a step.
func (f *Flight) SQL(step int) string { return f.steps[step].stmt.sql }

// Add adds a step that executes a statement. A nil sink discards the rows.
func (f *Flight) Add(s *Stmt, sink Sink) {
	f.steps = append(f.steps, step{stmt: s, sink: sink, arg0: len(f.args)})
}

// Describe adds a step that describes a statement without executing it.
func (f *Flight) Describe(s *Stmt, d *Description) {
	f.steps = append(f.steps, step{stmt: s, desc: d, arg0: len(f.args)})
}

// Arg adds an argument of the last step, in text format. nil is the empty text.
func (f *Flight) Arg(b []byte) { f.arg(b, false) }

// ArgBinary adds an argument of the last step, in binary format.
func (f *Flight) ArgBinary(b []byte) {
	f.arg(b, true)
	f.steps[len(f.steps)-1].binary = true
}

func (f *Flight) arg(b []byte, binary bool) {
	f.args = append(f.args, arg{b, binary})
	f.steps[len(f.steps)-1].args++
}

// ResultFormats sets the formats of the last step's columns: 0 text, 1 binary. One
// element applies to all columns; an empty slice means text.
func (f *Flight) ResultFormats(formats []int16) {
	f.steps[len(f.steps)-1].formats = formats
}

// KnownOnly makes Run fail with kind Unparsed, before anything is sent, on a connection
// that has not parsed all statements. The server refuses to run a parsed statement
// whose columns have changed.
func (f *Flight) KnownOnly() { f.known = true }

// FailedStep is the index of the step that caused the error of Run: Len() for the end
// of the transaction, -1 if no step caused it.
func (f *Flight) FailedStep() int { return f.failed }

// Unexecuted reports, after an error of Run, whether the server refused the failed step
// when it parsed, described or bound the statement. The step was not executed then.
func (f *Flight) Unexecuted() bool { return f.err != nil && f.unexecuted }
