package simtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/server/exec"
)

// check compares the history with the promises.
func (w *world) check() {
	var logs [][]commit
	for _, name := range []string{"a", "b"} {
		if n := w.nodes[name]; name == "a" || w.failedOver {
			logs = append(logs, n.store.log)
		}
	}
	written := writtenIn(logs)
	for i := range w.history {
		d := &w.history[i]
		w.count("requests", 1)
		w.checkError(d)
		w.checkPrivilege(d)
		switch {
		case d.op == batch:
			w.checkBatch(d, written)
		case d.op.writes():
			w.checkWrite(d, written[d.value])
		}
		if d.err == nil {
			w.checkBody(d, logs)
		}
		w.checkTime(d)
	}
	w.checkRegisters()
}

// place is where a value was committed.
type place struct {
	log, number int
	at          time.Time
	key         key
}

// writtenIn finds the commits by the values that they wrote.
func writtenIn(logs [][]commit) map[string][]place {
	all := map[string][]place{}
	for l, log := range logs {
		for n, c := range log {
			for _, ch := range c.changes {
				if ch.row == nil {
					continue
				}
				list := all[ch.row.val]
				if slices.ContainsFunc(list, func(p place) bool { return p.log != l && p.at.Equal(c.at) && p.key == ch.key }) {
					continue // the other node has it from this one
				}
				all[ch.row.val] = append(list, place{l, n, c.at, ch.key})
			}
		}
	}
	return all
}

// checkWrite checks that an acknowledged write is there once, and a failed one is not.
func (w *world) checkWrite(d *done, places []place) {
	var doubt *exec.DoubtError
	n := len(places)
	if d.op == remove {
		return
	}
	switch {
	case d.rolls:
		if n != 0 {
			w.violate("%s %s was to be rolled back and is there", d.op, d.value)
		}
	case d.err == nil:
		if n != 1 {
			w.violate("%s %s was acknowledged and is there %d times", d.op, d.value, n)
		} else if at := places[0].at; at.Before(d.began) || at.After(d.ended) {
			w.violate("%s %s was acknowledged at another time than it was committed", d.op, d.value)
		}
		w.count("write acknowledged", 1)
	case errors.As(d.err, &doubt):
		if n > 1 {
			w.violate("%s %s has an unknown outcome and is there %d times", d.op, d.value, n)
		}
		w.count(fmt.Sprintf("write in doubt, there %d times", n), 1)
	case n != 0:
		w.violate("%s %s failed and is there %d times: %v", d.op, d.value, n, d.err)
	default:
		w.count("write failed", 1)
	}
}

// checkBatch checks that the writes of a batch are there together.
func (w *world) checkBatch(d *done, written map[string][]place) {
	first := []place(nil)
	seen := false
	for _, r := range d.parts {
		if !r.op.writes() {
			continue
		}
		part := *d
		part.request = r
		part.rolls = d.rolls
		places := written[r.value]
		w.checkWrite(&part, places)
		if !seen {
			first, seen = places, true
		}
		if len(places) != len(first) || len(places) == 1 && places[0].number != first[0].number {
			w.violate("parts of the batch %s are there and others are not, or not together", d.value)
		}
	}
}

// checkPrivilege checks that requests without a privilege have no result.
func (w *world) checkPrivilege(d *done) {
	forbidden := d.role == "dave" || d.role == "carol" && (d.op == readReg || d.op == readSlow || slices.ContainsFunc(d.parts, func(r request) bool { return r.op == readReg }))
	switch {
	case d.err != nil:
	case forbidden:
		w.violate("%s by %s, who may not, has the result %s", d.op, d.role, d.body)
	case d.key != d.keyThen[0] && d.key != d.keyThen[1]:
		w.violate("%s with a token of an old key has a result", d.op)
	}
}

// checkError checks that an error has a cause.
func (w *world) checkError(d *done) {
	if d.err == nil {
		return
	}
	var (
		conn *pgwire.ConnError
		said *pgwire.Error
	)
	switch {
	case d.key != d.keyThen[0] || d.key != d.keyThen[1]:
		return
	case errors.Is(d.err, errGone) && d.leavesAfter > 0:
		return
	case errors.As(d.err, &said):
		w.checkCode(d, said)
	case errors.As(d.err, &conn):
		if conn.Kind == pgwire.Protocol || conn.Kind == pgwire.Unparsed || conn.Kind == pgwire.Unsendable {
			w.violate("%s: %v", d.op, d.err)
		}
		if w.plan.profile == "calm" || w.plan.profile == "locks" {
			w.violate("%s fails without a fault: %v", d.op, d.err)
		}
	case errors.Is(d.err, pool.ErrAcquireTimeout), errors.Is(d.err, pool.ErrTooManyWaiting):
		if w.plan.profile == "calm" || w.plan.profile == "locks" {
			w.violate("%s fails without a fault: %v", d.op, d.err)
		}
	case d.op == updateOne && errors.As(d.err, new(*exec.RowsError)):
	default:
		w.violate("%s: unexpected error: %v", d.op, d.err)
	}
}

func (w *world) checkCode(d *done, said *pgwire.Error) {
	switch said.Code {
	case "42501":
		if d.role == "alice" || d.role == "bob" {
			if d.op != upsert {
				w.violate("%s by %s, who may: %v", d.op, d.role, d.err)
			}
		}
	case "57014", "53200", "40001", "55P03", "XX000", "54000", "57P01", "57P03", "53300", "25006":
		if w.plan.faults == 0 {
			w.violate("%s fails without a fault: %v", d.op, d.err)
		}
	case "40P01":
	case "26000": // the function itself has deallocated the statements that follow it
		if d.op != strew {
			w.violate("%s: unexpected error: %v", d.op, d.err)
		}
	case "0A000":
		if w.plan.staleness == 0 {
			w.violate("%s: %v", d.op, d.err)
		}
	default:
		w.violate("%s: unexpected error: %v", d.op, d.err)
	}
}

// checkBody checks that rows are those of the role, at a moment between the beginning and the
// end of the request.
func (w *world) checkBody(d *done, logs [][]commit) {
	switch d.op {
	case readReg, readSlow, readOwn, readOwnOne, insertReturning, updateReturning:
	case look:
		if want, _ := json.Marshal(d.role + " " + strconv.Itoa(d.sub) + " " + d.value); d.body != string(want) {
			w.violate("look of %s with %s has the result %s", d.role, d.value, d.body)
		}
		return
	default:
		return
	}
	var rows []struct {
		ID    int64
		Val   string
		Owner string
	}
	if err := json.Unmarshal([]byte(d.body), &rows); err != nil {
		w.violate("%s: the body is not JSON: %s", d.op, d.body)
		return
	}
	got := map[int64]row{}
	for _, r := range rows {
		got[r.ID] = row{r.ID, r.Val, r.Owner}
		if (d.op == readOwn || d.op == readOwnOne || d.op == insertReturning) && r.Owner != d.role {
			w.violate("%s of %s has a row of %s", d.op, d.role, r.Owner)
		}
	}
	if d.op.writes() {
		if len(rows) != 1 || rows[0].ID != d.id || rows[0].Val != d.value {
			w.violate("%s %d %s returns %s", d.op, d.id, d.value, d.body)
		}
		return
	}
	for _, log := range logs {
		if readFits(d, got, log, w.failedOver) {
			return
		}
	}
	w.violate("%s %d of %s from %v to %v is no state of the database in that time: %s", d.op, d.id, d.role, d.began.Sub(w.began), d.ended.Sub(w.began), d.body)
}

// readFits reports whether rows are the result of a read at some time of the request. After a
// failover the database itself may be stale.
func readFits(d *done, got map[int64]row, log []commit, stale bool) bool {
	table := map[operation]string{readReg: "reg", readSlow: "slow", readOwn: "own", readOwnOne: "own"}[d.op]
	s := newStore(nil)
	fits := func() bool {
		n := 0
		for k, r := range s.rows {
			if k.table != table || d.op != readOwn && k.id != d.id || table == "own" && r.owner != d.role {
				continue
			}
			if got[k.id] != *r {
				return false
			}
			n++
		}
		return n == len(got)
	}
	for i, c := range log {
		if c.at.After(d.ended) {
			break
		}
		s.apply(c)
		if last := i+1 == len(log) || log[i+1].at.After(d.began); (last || stale) && fits() {
			return true
		}
	}
	return false
}

// longRead is what a quick read may take while a table that it does not read is locked.
const longRead = 200 * time.Millisecond

// checkTime checks that no request waits behind another one that is blocked.
func (w *world) checkTime(d *done) {
	took := d.ended.Sub(d.began)
	if w.plan.profile == "locks" && d.op == readReg && took > longRead {
		w.violate("%s takes %v while another table is locked", d.op, took)
	}
	if limit := 2 * time.Minute; took > limit {
		w.violate("%s takes %v", d.op, took)
	}
}
