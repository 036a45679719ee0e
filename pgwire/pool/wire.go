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

// time notes how long a flight took. sent is when it was sent, and from when it
// became the first of its batch. It returns the present.
func (c *Conn) time(f *pgwire.Flight, sent, from int64, err error) (at int64) {
	at = now()
	c.answered.Add(1)
	if err == nil {
		c.roundTrip(at - sent)
	}
	arrived := sent + c.wire.Load() // or its answer could have, had there been nothing to do
	f.Took = time.Duration(at - from)
	f.Worked = time.Duration(max(0, at-max(from, arrived)))
	f.Queued = from > arrived
	return at
}

// Wire is how long a round trip takes.
func (c *Conn) Wire() time.Duration { return time.Duration(c.wire.Load()) }
