package pgwire

import "context"

// The three forms of a transaction:
//
// Implicit: a flight without any of the steps below. Everything up to its
// Sync is one transaction, committed by the Sync, rolled back by any error,
// and the connection is clean afterwards in both cases.
//
// Explicit in one flight: Begin, the statements, Commit (or Rollback). Needed
// for an isolation level, which cannot be set after a query. If a statement
// fails, the rest of the flight is skipped, and the connection is left in a
// failed transaction (InTransaction 'E'): call Conn.Rollback.
//
// Held commit: a flight of Begin and the statements; a look at the rows; and a
// second flight of Commit or Rollback.

// Isolation is a transaction's isolation level.
type Isolation uint8

const (
	DefaultIsolation Isolation = iota // of the session
	ReadCommitted
	RepeatableRead
	Serializable
)

var isolationSQL = [...]string{
	DefaultIsolation: "",
	ReadCommitted:    " isolation level read committed",
	RepeatableRead:   " isolation level repeatable read",
	Serializable:     " isolation level serializable",
}

var (
	beginStmts      = beginStatements()
	commitStmt      = NewStmt("commit")
	rollbackStmt    = NewStmt("rollback")
	constraintsStmt = NewStmt("set constraints all immediate")
)

// beginStatements are indexed by isolation level, and read only or not.
func beginStatements() (stmts [len(isolationSQL)][2]*Stmt) {
	for i, level := range isolationSQL {
		write := level
		if Isolation(i) != DefaultIsolation {
			write += " read write" // the session's default may be otherwise, too
		}
		stmts[i] = [2]*Stmt{NewStmt("begin" + write), NewStmt("begin" + level + " read only")}
	}
	return stmts
}

// Begin adds a step that opens a transaction block.
func (f *Flight) Begin(level Isolation, readOnly bool) {
	i := 0
	if readOnly {
		i = 1
	}
	f.Add(beginStmts[level][i], nil)
}

// Commit adds a step that commits the transaction block. A block that has
// failed cannot commit; Run then returns an error of kind RolledBack.
func (f *Flight) Commit() {
	f.Add(commitStmt, nil)
	f.steps[len(f.steps)-1].commit = true
}

// Rollback adds a step that rolls the transaction block back.
func (f *Flight) Rollback() { f.Add(rollbackStmt, nil) }

// SetConstraintsImmediate adds a step that checks deferred constraints, which
// a transaction that is going to be rolled back would never check.
func (f *Flight) SetConstraintsImmediate() { f.Add(constraintsStmt, nil) }

// Rollback ends the transaction block that the connection is in, if it is in
// one.
func (c *Conn) Rollback(ctx context.Context) error {
	if c.status == 'I' && !c.IsBroken() {
		return nil
	}
	c.own.Reset()
	c.own.Rollback()
	err := c.Run(ctx, &c.own)
	c.own.Reset()
	return err
}
