package pgwire

import (
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Error is an error or a notice of the server, with all fields. The connection can
// still be used unless Fatal.
type Error struct {
	Severity         string // ERROR, FATAL, ..., never localized
	Code             string // SQLSTATE
	Message          string
	Detail           string
	Hint             string
	Position         int32 // in the statement, in characters from 1
	InternalPosition int32 // in InternalQuery
	InternalQuery    string
	Where            string
	Schema           string
	Table            string
	Column           string
	DataType         string
	Constraint       string
	File             string
	Line             int32
	Routine          string
}

func (e *Error) Error() string {
	return e.Severity + ": " + e.Message + " (SQLSTATE " + e.Code + ")"
}

// Fatal reports whether the server has ended the connection with this error.
func (e *Error) Fatal() bool { return e.Severity == "FATAL" || e.Severity == "PANIC" }

// Stale reports that a prepared statement no longer fits the database: it would now
// return other columns, or it has been deallocated. The connection has forgotten the
// statement. An implicit flight has been rolled back and can be run again.
func (e *Error) Stale() bool { return e.Deallocated() || e.otherResult() || e.unbindable() }

// otherResult reports that the statement, parsed again, returns other columns.
func (e *Error) otherResult() bool {
	return e.Code == FeatureNotSupported && e.Routine == "RevalidateCachedQuery"
}

// unbindable reports that the statement, parsed again, has another number of columns
// than the flight has result formats.
func (e *Error) unbindable() bool {
	return e.Code == ProtocolViolation && e.Routine == "PortalSetResultFormat"
}

// Deallocated reports that the session does not have the prepared statement.
func (e *Error) Deallocated() bool { return e.Code == InvalidSQLStatementName }

// OtherColumns reports whether a statement names columns that do not exist or have
// another type, or another number of columns than exist; see sqlgen.Columns.
func (e *Error) OtherColumns() bool {
	switch e.Code {
	case UndefinedColumn, AmbiguousColumn:
		return true
	case SyntaxError:
		return e.Routine == "transformSetOperationTree" // "each UNION query must have the same number of columns"
	case UndefinedFunction: // sqlgen has the type of a column checked by a function's signature
		return e.ofStatement()
	case GroupingError, WrongObjectType, WindowingError:
		// A column that does not exist is a function of the row, if one has its name:
		// count, mode, lag.
		return e.ofStatement()
	}
	return false
}

// ofStatement reports whether the error has its place in the statement sent, rather
// than in a statement of a function that it calls.
func (e *Error) ofStatement() bool { return e.Position > 0 && e.InternalQuery == "" }

// Kind is the kind of a ConnError.
type Kind uint8

const (
	// CannotConnect: the connection could not be made.
	CannotConnect Kind = iota + 1
	// Lost: the connection broke.
	Lost
	// Protocol: a message of the server is malformed or unexpected. The connection
	// is closed.
	Protocol
	// Canceled: the context ended. Err is its cause; errors.Is tells a
	// deadline (context.DeadlineExceeded) from a cancellation.
	Canceled
	// Closed: the connection was closed before the flight.
	Closed
	// Unsendable: the protocol cannot express the flight. Nothing was sent.
	Unsendable
	// RolledBack: the response to COMMIT was ROLLBACK.
	RolledBack
	// ResetFailed: the session reset ahead of the flight failed, so the server
	// skipped the flight. Err is why. The connection is retired.
	ResetFailed
	// NoResponse: nothing arrived within the limit of the flight (CheckDeadline).
	// The connection is closed.
	NoResponse
	// Unparsed: a statement of a flight with KnownOnly has not been parsed. Nothing
	// was sent.
	Unparsed
)

var kindText = [...]string{
	CannotConnect: "cannot connect",
	Lost:          "connection to server was lost",
	Protocol:      "protocol violation",
	Canceled:      "canceled",
	Closed:        "connection is closed",
	Unsendable:    "cannot be sent",
	RolledBack:    "transaction was rolled back",
	ResetFailed:   "session reset failed",
	NoResponse:    "no response in time",
	Unparsed:      "a statement has not been parsed",
}

// ConnError is an error that the server did not report as the response to a flight.
type ConnError struct {
	Kind Kind
	// Sent: the server may have received some of the flight. If the flight has a
	// commit, its outcome is unknown.
	Sent bool
	// Begun: the response had begun.
	Begun bool
	Err   error // the cause, may be nil
}

func (e *ConnError) Error() string {
	if e.Kind == CannotConnect {
		return e.Err.Error()
	}
	if e.Err == nil {
		return kindText[e.Kind]
	}
	return kindText[e.Kind] + ": " + e.Err.Error()
}

func (e *ConnError) Unwrap() error { return e.Err }

// Retryable reports whether the flight certainly had no effect, so that it can be run
// again on another connection. (A flight that only reads can be run again after any
// loss.)
func (e *ConnError) Retryable() bool {
	return !e.Sent && (e.Kind == Lost || e.Kind == Closed || e.Kind == ResetFailed)
}

// serverError reads an ErrorResponse or a NoticeResponse.
func serverError(body []byte) (*Error, error) {
	var m pgproto3.ErrorResponse
	if err := m.Decode(body); err != nil {
		return nil, err
	}
	return fromPgconn(pgconn.ErrorResponseToPgError(&m)), nil
}

// fromPgconn does the same for an error that pgconn has read.
func fromPgconn(p *pgconn.PgError) *Error {
	e := &Error{
		Severity: p.SeverityUnlocalized, Code: p.Code, Message: p.Message, Detail: p.Detail, Hint: p.Hint,
		Position: p.Position, InternalPosition: p.InternalPosition, InternalQuery: p.InternalQuery, Where: p.Where,
		Schema: p.SchemaName, Table: p.TableName, Column: p.ColumnName, DataType: p.DataTypeName,
		Constraint: p.ConstraintName, File: p.File, Line: p.Line, Routine: p.Routine,
	}
	if e.Severity == "" {
		e.Severity = p.Severity
	}
	return e
}
