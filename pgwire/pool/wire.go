package pool

import (
	"context"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// Whether a statement is quick does not depend on how far away the server is. So
// each connection knows how long a round trip takes in which the server has
// nothing to do: the shortest of a few when the connection is new, and of all
// flights since then, because on a busy machine the first ones can take long.

// soundings is how many round trips a new connection begins with. The first one is
// slower, because the server's process has just started.
const soundings = 2

// sound makes the first round trips.
func (c *Conn) sound(ctx context.Context) error {
	var empty pgwire.Flight
	for range soundings {
		sent := now()
		if err := c.Run(ctx, &empty); err != nil {
			return err
		}
		c.roundTrip(now() - sent)
	}
	return nil
}

func (c *Conn) roundTrip(took int64) {
	if wire := c.wire.Load(); wire == 0 || took < wire {
		c.wire.Store(took)
	}
}

// Timing says where the time of a flight went. All but Waited are zero for a
// flight that was not sent.
type Timing struct {
	// Waited is the time until the flight had a connection or, in a batch, was the
	// first that had not been answered.
	Waited time.Duration
	// Took is the time from then on to the end of the response.
	Took time.Duration
	// Worked is Took without the round trip: the time the server worked.
	Worked time.Duration
	// Queued reports that the server was busy with other flights of the batch when
	// this one arrived.
	Queued bool
}

// timing counts a flight that has been answered, and returns its times but for
// Waited. sent, from and at are in ns since start: the flight was sent, became the
// first of its batch, and was answered.
func (c *Conn) timing(sent, from, at int64, err error) Timing {
	c.answered.Add(1)
	if err == nil {
		c.roundTrip(at - sent)
	}
	arrived := sent + c.wire.Load() // or the response could have, had there been nothing to do
	return Timing{
		Took:   time.Duration(at - from),
		Worked: time.Duration(max(0, at-max(from, arrived))),
		Queued: from > arrived,
	}
}

// Wire is how long a round trip takes.
func (c *Conn) Wire() time.Duration { return time.Duration(c.wire.Load()) }
