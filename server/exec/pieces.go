package exec

import (
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
)

// A write may get its payload in pieces: one statement for each, in one transaction
// whose last flight commits. So a payload of any length takes the memory of one piece. The
// call keeps its connection while the client sends the next piece, and counts as slow.
//
// The call is not run again after the second piece was asked for, because the first piece is
// no longer in memory.

// pieces runs the plan for the pieces of the payload after the first one. Result.Rows
// counts the rows of all.
func (x *Execution) pieces(conn *pgwire.Conn, form *Form) error {
	f := &x.flight
	for rows := x.Result.Rows; ; rows += x.Result.Rows {
		more, err := x.call.NextPiece()
		if err != nil {
			return err
		}
		if !more {
			x.Result.Rows = rows
			return nil
		}
		x.Result.Rows = 0
		x.text = x.text[:0]
		f.Reset()
		f.LeavesState(x.rules.sessionState(x.call.Plan.Leftovers, x.runsUserCode(form)))
		f.Limit(x.flightLimit())
		f.ForWriting()
		x.addMain(form, x.statements(form).Main)
		if err := x.send(conn); err != nil {
			return err
		}
	}
}

// ended reports whether a failed call cannot be run again, because it has got more of
// its payload, has passed rows on, or has tried to commit.
func (x *Execution) ended(err error) bool {
	return err != nil && (x.Result.Body.passed || errors.As(err, new(commitError)))
}
