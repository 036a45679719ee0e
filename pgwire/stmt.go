package pgwire

import (
	"strconv"
	"sync/atomic"
)

// Stmt is the identity of a statement. It is immutable and shared by all
// connections; each of them parses it once, the first time it is executed
// there, and remembers having done so until it is pushed out.
//
// Two Stmts of the same SQL are two statements for the server: that is how a
// planner keeps roles or search paths apart that must not share one.
type Stmt struct {
	sql  string
	name string // on the server
}

var stmtNumber atomic.Uint64

// NewStmt makes a statement of SQL. Parameter types are left to the server.
func NewStmt(sql string) *Stmt {
	return &Stmt{sql: sql, name: "f" + strconv.FormatUint(stmtNumber.Add(1), 16)}
}

// SQL returns the text.
func (s *Stmt) SQL() string { return s.sql }

// Knows reports whether the connection has parsed the statement. The next
// flight with a statement it does not know gets whatever columns the database
// has by now.
func (c *Conn) Knows(s *Stmt) bool { return c.stmts.index[s] != nil }

// Keeps reports whether the connection would remember a statement of that text.
// One that it does not keep it parses each time.
func (c *Conn) Keeps(sql string) bool { return c.stmts.keeps(sql) }
