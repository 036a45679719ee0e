package pgwire

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Flight is one round trip: steps in order, then one Sync. The server runs it
// as one transaction unless a step says otherwise (see tx.go).
//
// A Flight is built, run by Conn.Run, reset and built again; after the first
// few times that allocates nothing. Nothing handed to it is copied: argument
// bytes, result formats and sinks must stay as they are until Run returns.
type Flight struct {
	steps []step
	args  []arg
	// simple is SQL for the simple query protocol, instead of steps.
	simple string
	known  bool // see KnownOnly
	writes bool // see ForWriting

	// Reused and Parsed count the executed statements that the connection had parsed
	// before, and those it had not. Reset does not change them.
	Reused, Parsed int

	leaves SessionState  // see LeavesState
	limit  time.Duration // see Limit

	// What follows belongs to the connection while it runs the flight.
	resets bool   // begins with a session reset, see reset.go
	number uint64 // among the flights of the connection
	closes int    // statements closed at the head of the flight, to be acknowledged
	err    error  // the first one
	failed int    // the step it belongs to
	// unexecuted: see Unexecuted.
	unexecuted bool

	interruption
}

type step struct {
	stmt    *Stmt
	sink    Sink
	desc    *Description
	formats []int16
	arg0    int // first of its arguments in Flight.args
	args    int
	binary  bool // some argument is in binary format
	commit  bool // this step is a COMMIT
	unnamed bool // to be forgotten, whatever the connection does with others

	entry *cached // nil: unnamed statement
	parse bool    // parsed in this flight
}

type arg struct {
	bytes  []byte // nil: NULL
	binary bool
}

// Sink takes the rows of one step. All that it is given is borrowed: valid
// during the call, overwritten after it.
//
// An error returned by a Sink ends the delivery of rows; the rest of the
// flight is still executed, read and discarded, and Run returns the error.
// The transaction is not rolled back by it.
type Sink interface {
	// Fields describes the rows to come. It is called only in flights in
	// which the statement had to be parsed on this connection.
	Fields(fields []pgproto3.FieldDescription) error
	// Row is one row, nil for NULL.
	Row(values [][]byte) error
	// Complete ends the rows of the step, with a tag such as "SELECT 3". The
	// transaction is still open: only Run's return tells how it ended.
	Complete(tag []byte)
}

// Description says what parameters a statement takes and what rows it
// returns. Fields is empty for a statement that returns none.
type Description struct {
	Params []uint32
	Fields []Field
}

// Field is one column of a Description.
type Field struct {
	Name   string
	Type   uint32 // OID
	TypMod int32
	Table  uint32 // OID, 0 if the column is not simply a table's
	Attr   uint16 // number of the column in Table, 0 likewise
}

// Reset empties the flight for the next use.
func (f *Flight) Reset() {
	clear(f.steps) // let go of what was borrowed
	clear(f.args)
	f.steps, f.args = f.steps[:0], f.args[:0]
	f.simple, f.known, f.writes = "", false, false
	f.leaves, f.resets, f.limit = Clean, false, 0
	f.closes, f.err, f.failed = 0, nil, -1
}

// SameStatements reports whether both flights run the same statements, with
// whatever arguments.
func (f *Flight) SameStatements(g *Flight) bool {
	return slices.EqualFunc(f.steps, g.steps, func(a, b step) bool { return a.stmt == b.stmt })
}

// Len is the number of steps.
func (f *Flight) Len() int { return len(f.steps) }

// SQL is the text of a step.
func (f *Flight) SQL(step int) string { return f.steps[step].stmt.sql }

// Add begins a step: the execution of a statement. A nil sink discards rows.
func (f *Flight) Add(s *Stmt, sink Sink) {
	f.steps = append(f.steps, step{stmt: s, sink: sink, arg0: len(f.args)})
}

// Describe adds a step that parses a statement, if need be, and describes it
// without executing it.
func (f *Flight) Describe(s *Stmt, d *Description) {
	f.steps = append(f.steps, step{stmt: s, desc: d, arg0: len(f.args)})
}

// Arg gives the last step its next argument, in text format.
func (f *Flight) Arg(b []byte) { f.arg(b, false) }

// ArgBinary gives the last step its next argument, in binary format.
func (f *Flight) ArgBinary(b []byte) {
	f.arg(b, true)
	f.steps[len(f.steps)-1].binary = true
}

// ArgNull gives the last step NULL as its next argument.
func (f *Flight) ArgNull() {
	f.args = append(f.args, arg{})
	f.steps[len(f.steps)-1].args++
}

func (f *Flight) arg(b []byte, binary bool) {
	if b == nil {
		b = noBytes
	}
	f.args = append(f.args, arg{b, binary})
	f.steps[len(f.steps)-1].args++
}

var noBytes = []byte{}

// ResultFormats sets the formats of the last step's columns: 0 text, 1
// binary. One format for all columns may be given as one element; none means
// text.
func (f *Flight) ResultFormats(formats []int16) {
	f.steps[len(f.steps)-1].formats = formats
}

// KnownOnly has the flight refused, before anything is sent, by a connection
// that would have to parse one of its statements. Where the connection knows a
// statement, the server refuses to run it with other columns than it had.
func (f *Flight) KnownOnly() { f.known = true }

// FailedStep is, after Run returned an error, the index of the step that
// caused it; Len() if it was the end of the transaction, -1 if no step was to
// blame.
func (f *Flight) FailedStep() int { return f.failed }

// Unexecuted reports, after Run returned an error, whether the server refused
// the failed step when it parsed, described or bound the statement, so that
// nothing of it was executed.
func (f *Flight) Unexecuted() bool { return f.err != nil && f.unexecuted }
