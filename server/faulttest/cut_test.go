package faulttest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/faulttest"
)

const unknown = "It is unknown whether the transaction was committed."

// write is a kind of write. It has one flight, or two if the commit is held
// back.
type write struct {
	name string
	request
	before string // SQL that creates the row to be written, with a tag
	op     string // operation in the log table
	inside string // SQL that counts the two rows that are written with the row with a tag
	held   bool   // the commit is a separate flight
	unique bool   // every request has its own plan, because %s is in the target's shape
}

var batched = []string{"Content-Type", "application/vnd.pgrst.batch+json"}

var single = []string{"Accept", "application/vnd.pgrst.object+json", "Prefer", "return=representation"}

var writes = []write{
	{name: "insert", op: "INSERT",
		request: request{"POST", "/note", `{"tag":"%s"}`, nil}},
	{name: "insert with representation", op: "INSERT",
		request: request{"POST", "/note", `{"tag":"%s"}`, []string{"Prefer", "return=representation"}}},
	{name: "insert with location", op: "INSERT",
		request: request{"POST", "/thing", `{"tag":"%s"}`, []string{"Prefer", "return=headers-only"}}},
	{name: "insert, never planned before", op: "INSERT", unique: true,
		request: request{"POST", "/note?select=%s:tag", `{"tag":"%s"}`, []string{"Prefer", "return=representation"}}},
	{name: "singular insert", op: "INSERT", held: true,
		request: request{"POST", "/note", `{"tag":"%s"}`, single}},
	{name: "put", op: "INSERT", held: true,
		request: request{"PUT", "/thing?tag=eq.%s", `{"tag":"%s","n":1}`, nil}},
	{name: "upsert", op: "INSERT",
		request: request{"POST", "/thing", `{"tag":"%s","n":1}`, []string{"Prefer", "resolution=merge-duplicates"}}},
	{name: "update", op: "UPDATE", before: "insert into api.note values ('%s')",
		request: request{"PATCH", "/note?tag=eq.%s", `{"n":2}`, nil}},
	{name: "update with max-affected", op: "UPDATE", held: true, before: "insert into api.note values ('%s')",
		request: request{"PATCH", "/note?tag=eq.%s", `{"n":2}`, []string{"Prefer", "handling=strict, max-affected=1"}}},
	{name: "delete", op: "DELETE", before: "insert into api.note values ('%s')",
		request: request{"DELETE", "/note?tag=eq.%s", "", nil}},
	{name: "call", op: "INSERT",
		request: request{"POST", "/rpc/add_note", `{"tag":"%s"}`, nil}},
	{name: "batch", op: "INSERT",
		request: request{"POST", "/", `{"requests":[{"id":"a","method":"POST","url":"/note","body":{"tag":"%s"}}]}`, batched}},
	{name: "batch that fails the check of PostgreSQL", op: "INSERT",
		request: request{"POST", "/", `{"requests":[{"id":"a","method":"POST","url":"/rpc/escaped","body":{"tag":"%s"}}]}`, batched}},
	{name: "large insert", op: "INSERT", // sent by a separate goroutine
		request: request{"POST", "/note", strings.Repeat(" ", 300<<10) + `{"tag":"%s"}`, nil}},
	{name: "large singular insert", op: "INSERT", held: true,
		request: request{"POST", "/note", strings.Repeat(" ", 300<<10) + `{"tag":"%s"}`, single}},
	{name: "nested insert", op: "INSERT", inside: "select count(*) from api.part where thing = $1",
		request: request{"POST", "/thing?select=tag,part(name)", `{"tag":"%s","part":[{"name":"a"},{"name":"b"}]}`, []string{"Prefer", "return=representation"}}},
	{name: "serializable insert", op: "INSERT",
		request: request{"POST", "/note", `{"tag":"%s"}`, []string{"Authorization", "Bearer %serial"}}},
}

// TestCuts breaks the connection at every message of every kind of write, and
// inside the messages, in both directions. It uses connections that have
// prepared the statements and connections that have not.
func TestCuts(t *testing.T) {
	cluster := pgtest.Start(t)
	for _, w := range writes {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, cluster, nil)
			c := &cutter{fixture: f, write: w}
			c.run(t, true)
			if !w.unique {
				c.run(t, false)
			}
			t.Logf("%d cuts: %d successes, %d failures, %d reported as unknown (%d of them had succeeded)",
				c.cuts, c.succeeded, c.failed, c.unknown, c.unknownDone)
			if c.succeeded == 0 || c.unknownDone == 0 || c.unknownDone == c.unknown || w.held && c.failed == 0 {
				t.Error("some outcomes are missing: the cuts are at the wrong positions")
			}
		})
	}
}

type cutter struct {
	*fixture
	write
	number                                        int
	cuts, succeeded, failed, unknown, unknownDone int
}

// tag returns a new tag of constant length.
func (c *cutter) tag() string {
	c.number++
	return fmt.Sprintf("t%06d", c.number)
}

// prepare creates the row for the write.
func (c *cutter) prepare(t *testing.T, tag string) {
	t.Helper()
	if c.before != "" {
		c.db.Value(strings.ReplaceAll(c.before, "%s", tag))
	}
}

// succeed sends a write without a fault.
func (c *cutter) succeed(t *testing.T) {
	t.Helper()
	tag := c.tag()
	c.prepare(t, tag)
	if a := c.do(t, c.request, tag); !a.OK() {
		t.Fatalf("without a cut: %v", a)
	}
}

// afresh makes the next request use a new connection.
func (c *cutter) afresh(t *testing.T) {
	t.Helper()
	c.db.Value("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'fastgrest%' and datname = current_database()")
	// The first request may find the broken connection and fail.
	if !pgtest.Until(time.Minute, func() bool { return c.do(t, request{method: "GET", target: "/thing?limit=0"}, "").OK() }) {
		t.Fatal("no new connection")
	}
}

// run cuts at all positions. With known the connection has prepared the
// statement before.
func (c *cutter) run(t *testing.T, known bool) {
	c.succeed(t) // makes the plan known
	if !known {
		c.afresh(t) // needed once: each cut ends its connection
	}
	ready := func() {
		if known {
			c.succeed(t)
		}
	}
	tag := c.tag()
	c.prepare(t, tag)
	c.Record()
	if a := c.do(t, c.request, tag); !a.OK() {
		t.Fatalf("without a cut: %v", a)
	}
	trace := c.Recorded()
	for _, d := range []faulttest.Direction{faulttest.ToServer, faulttest.ToClient} {
		for i, m := range trace[d] {
			for _, at := range positions(m.Size()) {
				ready()
				c.cut(t, trace, faulttest.Cut{Direction: d, Messages: i, Bytes: at})
			}
		}
		ready()
		c.cut(t, trace, faulttest.Cut{Direction: d, Messages: len(trace[d])})
	}
}

// positions returns the positions of cuts in a message: before it, in its head,
// in its middle and before its last byte.
func positions(size int) []int {
	if testing.Short() {
		return []int{0}
	}
	if size <= 6 {
		return []int{0, 3}
	}
	return []int{0, 2 + size/2}
}

func (c *cutter) cut(t *testing.T, trace faulttest.Exchange, cut faulttest.Cut) {
	t.Helper()
	c.cuts++
	tag := c.tag()
	c.prepare(t, tag)
	wait := c.Arm(cut)
	a := c.do(t, c.request, tag)
	if !wait(2 * time.Minute) {
		t.Fatalf("%+v: nothing was cut", cut)
	}
	rows := c.db.Count("select count(*) from log where tag = $1 and op = $2", tag, c.op)
	says := strings.Contains(a.Details, unknown)
	fault := ""
	switch {
	case c.inside != "" && c.db.Count(c.inside, tag) != 2*rows:
		fault = "half written"
	case rows > 1:
		fault = "written twice"
	case a.OK():
		c.succeeded++
		if rows != 1 {
			fault = "success without the row"
		}
	case says:
		c.unknown++
		c.unknownDone += rows
		if c.held && !c.inCommit(trace, cut) {
			fault = "reported as unknown before the commit"
		}
	default:
		c.failed++
		if rows != 0 {
			fault = "failure with the row"
		}
	}
	if fault == "" && !a.OK() && (a.Status != 503 || a.Code != "PGRST001") {
		fault = "not the error it should be"
	}
	if fault == "" && !a.OK() && a.Header.Get("Retry-After") == "" {
		fault = "no Retry-After"
	}
	if fault != "" {
		t.Errorf("%s: %+v of %d to server and %d to client: rows %d, response %v", fault, cut, len(trace[0]), len(trace[1]), rows, a)
	}
	// If the connection broke after the last byte, the next request notices it
	// before it sends anything.
	if a.OK() {
		if next := c.do(t, request{method: "GET", target: "/thing?limit=0"}, ""); !next.OK() && next.Code != "PGRST001" {
			t.Errorf("%+v: next request: %v", cut, next)
		}
	}
	if next := c.do(t, request{method: "GET", target: "/thing?limit=0"}, ""); !next.OK() {
		t.Errorf("%+v: request after: %v", cut, next)
	}
}

// inCommit reports whether a cut of a held write is in its second flight.
func (c *cutter) inCommit(trace faulttest.Exchange, cut faulttest.Cut) bool {
	end := byte('S') // Sync
	if cut.Direction == faulttest.ToClient {
		end = 'Z' // ReadyForQuery
	}
	for _, m := range trace[cut.Direction][:cut.Messages] {
		if m.Kind == end {
			return true
		}
	}
	return false
}
