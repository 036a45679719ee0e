package pgwire

import "context"

// A transaction has one of four forms:
//
// Implicit: a flight without any of the steps below is one transaction. Sync commits it,
// an error rolls it back. In both cases the connection is outside of a transaction
// afterwards.
//
// Explicit in one flight: Begin, the statements, Commit or Rollback. This form is needed
// for an isolation level, which cannot be set after a query. If a statement fails, the
// rest of the flight is skipped, and the connection is left in a failed transaction
// (InTransaction 'E'): call Conn.Rollback.
//
// Checked commit: the same, with Savepoint and a check in front of Commit. If the check
// fails, the caller decides: a second flight with RollbackToSavepoint and Commit commits
// nevertheless.
//
// Held commit: a flight with Begin and the statements, a check of the rows, and a second
// flight with Commit or Rollback.

// Isolation is a transaction's isolation level.
type Isolation uint8

const (
	DefaultIsolation Isolation = iota // the default of the session
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
	savepointStmt   = NewStmt("savepoint pgrst_check")
	toSavepointStmt = NewStmt("rollback to savepoint pgrst_check")
	constraintsStmt = NewStmt("set constraints all immediate")
)

// beginStatements are indexed by isolation level, and read only or not.
func beginStatements() (stmts [len(isolationSQL)][2]*Stmt) {
	for i, level := range isolationSQL {
		write := level
		if Isolation(i) != DefaultIsolation {
			write += " read write" // the session may default to read only
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

// Savepoint adds a step that marks the place to which RollbackToSavepoint returns.
func (f *Flight) Savepoint() { f.Add(savepointStmt, nil) }

// RollbackToSavepoint adds a step that undoes what has failed behind Savepoint.
func (f *Flight) RollbackToSavepoint() { f.Add(toSavepointStmt, nil) }

// SetConstraintsImmediate adds a step that checks deferred constraints. A transaction
// that is rolled back does not check them otherwise.
func (f *Flight) SetConstraintsImmediate() { f.Add(constraintsStmt, nil) }

// Rollback rolls back the transaction block that the connection is in, if any.
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
