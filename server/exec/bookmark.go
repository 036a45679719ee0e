package exec

import (
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// A bookmark is where the WAL ends after a commit. The statement that asks for it follows
// the COMMIT in the same flight, as a transaction of its own. So a write with a bookmark
// has a COMMIT, and cannot share a connection.

var bookmarkStatement = pgwire.NewStmt(sqlgen.Bookmark)

// Bookmark returns the bookmark of the write that was committed, if the call asked for
// it. It is valid until the next Run or Reset.
func (x *Execution) Bookmark() []byte { return x.bookmark }

// bookmarkSink keeps the bookmark.
type bookmarkSink struct {
	sink
	x *Execution
}

func (s bookmarkSink) Row(values [][]byte) error {
	s.x.bookmark = append(s.x.bookmark[:0], values[0]...)
	return nil
}

// marked returns the error of a flight, nil if the bookmark caused it: by then the
// transaction has been committed.
func (x *Execution) marked(tx transaction, err error) error {
	var server *pgwire.Error
	if !tx.bookmark || !errors.As(err, &server) || server.Fatal() {
		return err
	}
	if step := x.flight.FailedStep(); step >= 0 && step < x.flight.Len() && x.flight.SQL(step) == sqlgen.Bookmark {
		return nil
	}
	return err
}
