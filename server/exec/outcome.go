package exec

import (
	"errors"
	"strconv"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

var (
	// errStale: rows came with other columns than the statement used to return.
	errStale = errors.New("the statement returns other columns than it used to")
	// errUnreadable: rows came with a value that we cannot encode.
	errUnreadable = errors.New("a value cannot be encoded")
)

// RowsError is a number of rows that the request does not allow. The
// transaction has been rolled back, unless it could only read.
type RowsError struct {
	Rule RowsRule
	Rows int64
}

// RowsRule says which rule about the number of rows was broken.
type RowsRule uint8

const (
	NotOneRow   RowsRule = iota // the client accepts one object only
	OtherKey                    // the payload of a PUT has another key than its URL
	TooManyRows                 // more than Call.MaxAffected
)

func (e *RowsError) Error() string {
	return [...]string{"not one row: ", "not the row of the key: ", "too many rows: "}[e.Rule] + strconv.FormatInt(e.Rows, 10)
}

// DoubtError is the error of a flight with a commit after which it is unknown
// whether the transaction was committed. The client must be told: a write that
// failed may be sent again, but after one that perhaps succeeded the client has
// to look first.
type DoubtError struct{ Err error }

func (e *DoubtError) Error() string { return e.Err.Error() }
func (e *DoubtError) Unwrap() error { return e.Err }

// commitError is the error of a commit in a separate flight. Even if the
// commit was never sent, functions have run, and they are not run twice.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// doubtful marks the error of a flight with a commit if it leaves the outcome
// open. An error that PostgreSQL reports does not, because PostgreSQL rolls back
// before it reports an error. But a fatal error may follow a commit. It may also come
// from a proxy that has lost PostgreSQL.
func (x *Execution) doubtful(err error) error {
	if err == nil {
		return nil
	}
	var conn *pgwire.ConnError
	var server *pgwire.Error
	switch {
	case x.waiter.left(err), noConnection(err):
		return err
	case errors.As(err, &conn):
		if !conn.Sent || conn.Kind == pgwire.RolledBack {
			return err
		}
	case errors.As(err, &server):
		if !server.Fatal() {
			return err
		}
	}
	// The error of a sink, or a fatal error. The flight goes on after the error of a sink,
	// and what follows is not known: only the first error of a flight is reported.
	return &DoubtError{err}
}

// noConnection reports whether a caller of the pool has got no connection.
func noConnection(err error) bool {
	return errors.Is(err, pool.ErrAcquireTimeout) || errors.Is(err, pool.ErrTooManyWaiting) || errors.Is(err, pool.ErrClosed)
}
