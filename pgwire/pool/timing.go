package pool

import (
	"context"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// Timing says where the time of a flight went. All but Waited are zero for a flight
// that was not sent.
type Timing struct {
	// Waited is the time until the flight had a connection or, in a batch, became the
	// first without a response.
	Waited time.Duration
	// Took is the time from then on to the end of the response.
	Took time.Duration
	// Worked is Took without the round trip: the time the server worked.
	Worked time.Duration
	// Queued reports that the server was busy with other flights of the batch when
	// this one arrived.
	Queued bool
	// Merged is the number of flights that ran as one, 0 if it ran alone. Worked is the
	// part of one of them.
	Merged int
}

// timing counts the response to a flight, and returns its times without Waited. All
// arguments are in ns since start: when the flight was sent, when it became the first
// of its batch, and when the response ended.
func (c *Conn) timing(sent, from, at int64, err error) Timing {
	c.responses.Add(1)
	if err == nil {
		c.noteRoundTrip(at - sent)
	}
	// The response would end there if the server had nothing else to do and took no time.
	earliest := sent + c.roundTrip.Load()
	return Timing{
		Took:   time.Duration(at - from),
		Worked: time.Duration(max(0, at-max(from, earliest))),
		Queued: from > earliest,
	}
}

// Whether a statement is quick must not depend on the distance to the server. So
// each connection knows the time of a round trip in which the server has nothing to
// do: the shortest of a few when the connection is new, and of all flights since then,
// because on a busy machine the first ones can take long.

// firstRoundTrips is the number of round trips a new connection begins with. The
// first is slower, because the server's process has just started.
const firstRoundTrips = 2

// measureRoundTrip makes the first round trips.
func (c *Conn) measureRoundTrip(ctx context.Context) error {
	var empty pgwire.Flight
	for range firstRoundTrips {
		sent := now()
		if err := c.Run(ctx, &empty); err != nil {
			return err
		}
		c.noteRoundTrip(now() - sent)
	}
	return nil
}

func (c *Conn) noteRoundTrip(took int64) {
	if shortest := c.roundTrip.Load(); shortest == 0 || took < shortest {
		c.roundTrip.Store(took)
	}
}
