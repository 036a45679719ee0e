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
func (x *Execution) Bookmark() []byte { return x.bookmark.text }

// bookmarkSink keeps the bookmark.
type bookmarkSink struct {
	sink
	text []byte
}

func (s *bookmarkSink) Row(values [][]byte) error {
	s.text = append(s.text[:0], values[0]...)
	return nil
}

// marked returns the error of a flight. It returns nil if the statement for the bookmark
// has failed, because that runs after the commit.
func (x *Execution) marked(tx transaction, err error) error {
	if err == nil || !tx.bookmark {
		return err
	}
	var server *pgwire.Error
	if !errors.As(err, &server) || server.Fatal() {
		return err
	}
	if step := x.flight.FailedStep(); step >= 0 && step < x.flight.Len() && x.flight.SQL(step) == sqlgen.Bookmark {
		return nil
	}
	return err
}
