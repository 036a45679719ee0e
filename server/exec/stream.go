package exec

import (
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/spool"
)

// A plan with a line for each row can be streamed: the rows leave while the flight
// runs. What they take in memory is two pieces of the body and the buffer of the
// connection. The receiver is at most as fast as its client, and PostgreSQL waits for
// it. So the flight has its connection for itself, and counts as a slow one: streams
// together do not take all connections.
//
// What is known only at the end cannot be part of the head of the response: the number
// of rows, and the settings that functions make. Those of the pre-request function are
// read before the rows.

// Receiver takes the rows of a call while it runs.
type Receiver interface {
	// Take takes p, which is borrowed. It returns when the next piece is welcome. After
	// an error the rest of the rows is read and thrown away, and the call fails with it.
	Take(p []byte) error
}

// CanStream reports whether the rows of the call may go to a Receiver.
func (c *Call) CanStream() bool {
	return c.Plan.Lines != planner.NoLines && c.Plan.Streams() && !c.checked()
}

// Streams reports whether the rows of the call go to its Receiver. What the receiver
// has not got when Run returns is the body of the Result: all of it, if it is small.
// Rows that PostgreSQL has to turn into JSON arrive in one piece, and do not stream.
func (c *Call) Streams() bool { return c.Receiver != nil }

// stream has the rows of the flight streamed.
func (x *Execution) stream(form *Form) {
	x.Result.Body.receiver = x.call.Receiver
	x.flight.Stream()
	if form.Rows && x.rules.preRequest != nil {
		x.flight.Add(responseSettings, &x.sinks.settings)
	}
}

// classOf is how the call may be run beside others.
func (x *Execution) classOf(form *Form) pool.Class {
	if x.call.Streams() || x.call.NextPiece != nil {
		return pool.Slow
	}
	return class(x.call.Plan, form)
}

// streamSink passes lines on while they arrive.
type streamSink struct{ linesSink }

// streamed is how many bytes of rows are passed on at once.
const streamed = 2 * spool.Piece

// Full implements pgwire.StreamSink. It leaves room for another row.
func (s *streamSink) Full() bool {
	b := &s.out.Body
	return len(b.Bytes)+b.widest > streamed
}

// Pass implements pgwire.StreamSink.
func (s *streamSink) Pass() error {
	b := &s.out.Body
	b.passed = true
	err := b.receiver.Take(b.Bytes)
	b.Bytes = b.Bytes[:0]
	return err
}
