package pool

import (
	"context"
	"errors"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// Reads that wait may be merged: PostgreSQL runs them as one statement
// (pgwire.Merge). A connection that takes flights of the queue also takes those that
// merge with one of them. No flight waits for others to arrive: only flights that wait for
// a connection anyway are merged. Each flight is in the queue before the statement is sent,
// so the snapshot of the statement is younger than the request.
//
// The first flight of a group stands for all in the batch, and its goroutine receives
// the response. If it fails, all callers get ErrSplit.

// ErrSplit says that a flight was merged with others, and that the statement failed. Sinks
// may have taken rows. The flight is to be run again, not merged.
var ErrSplit = errors.New("the flight has to run alone")

// group has flights that run as one.
type group struct {
	tickets []*ticket // the first one is in the batch
	flights []*pgwire.Flight
	merged  *pgwire.Flight // once it has been made
	merger  pgwire.Merger
}

// groupLooks is the number of flights of the queue that a connection looks at for groups.
const groupLooks = 4 * pgwire.MaxMerged

// mergesWith reports whether flights may merge in a batch with this head. While the pool may
// grow they do not, as they do not share: a new connection serves them soon. Called
// under Pool.mu.
func (p *Pool) mergesWith(head *ticket) bool {
	return head.flight != nil && head.flight.Merges() && !head.alone && (len(p.idle) > 0 || !p.growing())
}

// joinGroup adds the ticket to the group of a ticket in the batch, and reports whether
// there is one. Called under Pool.mu.
func (t *ticket) joinGroup(batch []*ticket) bool {
	if t.flight == nil || t.alone || t.class != QuickRead {
		return false
	}
	for _, first := range batch {
		if first.alone || first.grouped() && len(first.group.tickets) == pgwire.MaxMerged || !t.flight.MergesWith(first.flight) {
			continue
		}
		g := first.group
		if g == nil {
			g = &group{}
			first.group = g
		}
		if len(g.tickets) == 0 {
			g.tickets = append(g.tickets, first)
		}
		g.tickets = append(g.tickets, t)
		return true
	}
	return false
}

func (t *ticket) grouped() bool { return t.group != nil && len(t.group.tickets) > 0 }

// sent is the flight that is sent for the ticket: its own, or that of its group.
func (t *ticket) sent() *pgwire.Flight {
	if !t.grouped() {
		return t.flight
	}
	g := t.group
	if g.merged == nil {
		for _, member := range g.tickets {
			g.flights = append(g.flights, member.flight)
		}
		g.merged = g.merger.Merge(g.flights)
	}
	return g.merged
}

// finish ends the flight of a group: it gives the times and the error to its members.
// It returns those of the first ticket.
func (t *ticket) finish(timing Timing, err error) (Timing, error) {
	if !t.grouped() {
		return timing, err
	}
	g, p := t.group, t.pool
	err = g.merger.Finish(err)
	n := len(g.tickets)
	timing.Worked /= time.Duration(n)
	timing.Merged = n
	if err != nil {
		err = ErrSplit
	} else {
		p.merged.Add(int64(n))
		p.mergedStatements.Add(1)
	}
	for _, member := range g.tickets[1:] {
		member.done, member.timing, member.err = true, timing, err
		member.turn <- struct{}{}
	}
	g.reset()
	return timing, err
}

// runGroup runs the flight of a group with exclusive use of the connection.
func (c *Conn) runGroup(ctx context.Context, t *ticket) (timing Timing, err error) {
	err = ErrSplit
	defer func() { timing, err = t.finish(timing, err) }() // also when a sink panics
	return c.runAlone(ctx, t.sent())
}

func (g *group) reset() {
	clear(g.tickets)
	clear(g.flights)
	g.tickets, g.flights, g.merged = g.tickets[:0], g.flights[:0], nil
}

// splitGroups returns the tickets with all members of their groups.
func splitGroups(tickets []*ticket) (all []*ticket) {
	for _, t := range tickets {
		all = t.split(all)
	}
	return all
}

// split appends the tickets of a group to list, or the ticket if it is not in a group.
// The tickets are to be put back into the queue.
func (t *ticket) split(list []*ticket) []*ticket {
	if !t.grouped() {
		return append(list, t)
	}
	g := t.group
	if g.merged != nil {
		_ = g.merger.Finish(ErrSplit)
	}
	list = append(list, g.tickets...)
	g.reset()
	return list
}
