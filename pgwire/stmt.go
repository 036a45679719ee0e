package pgwire

import (
	"strconv"
	"sync/atomic"
)

// Stmt is a statement. It is immutable and shared by all connections. Each connection
// parses it the first time it is executed there, and keeps it until it is evicted.
//
// Two Stmts with the same SQL are two prepared statements. So a planner can keep roles or
// search paths apart that must not share one.
type Stmt struct {
	sql  string
	name string // on the server
}

var stmtNumber atomic.Uint64

// NewStmt makes a statement. The server infers the types of its parameters.
func NewStmt(sql string) *Stmt {
	return &Stmt{sql: sql, name: "f" + strconv.FormatUint(stmtNumber.Add(1), 16)}
}

// SQL returns the text.
func (s *Stmt) SQL() string { return s.sql }

// Knows reports whether the connection has parsed the statement. A flight that parses it
// gets the columns that the database has by then.
func (c *Conn) Knows(s *Stmt) bool { return c.stmts.index[s] != nil }

// Keeps reports whether the connection keeps a statement of that text. It parses others
// each time they run.
func (c *Conn) Keeps(sql string) bool { return c.stmts.keeps(sql) }
