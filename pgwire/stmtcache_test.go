package pgwire_test

import (
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// statement is a statement whose SQL has n bytes.
func statement(n int) *pgwire.Stmt { return pgwire.NewStmt(strings.Repeat("x", n)) }

// TestStatementBytes: a connection keeps at most 512 KiB of SQL, and no statement of more than 32 KiB.
func TestStatementBytes(t *testing.T) {
	const kept = 32 << 10
	fresh := say{parsed, bound, oneField, oneRow, selected, idle}
	known := say{bound, oneRow, selected, idle}
	var all []say
	heard := make(chan string, 40)
	for range 17 {
		all = append(all, fresh)
	}
	all = append(all, append(say{closed}, known...), known, fresh, fresh, append(say{closed}, known...))
	c := connectTo(t, pgtest.NewScript(t, responses(heard, all...)))
	ask := func(what string, s *pgwire.Stmt, want string) {
		t.Helper()
		if _, err := run(c, new(log), s); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := <-heard; got != want {
			t.Errorf("%s: heard %s, want %s", what, got, want)
		}
	}
	statements := make([]*pgwire.Stmt, 17)
	for i := range statements {
		statements[i] = statement(kept)
		ask("new", statements[i], "PBDES")
	}
	if c.Knows(statements[0]) || !c.Knows(statements[1]) {
		t.Error("the 17th statement has not made the first one go")
	}
	ask("the last", statements[16], "CBES")
	ask("the second", statements[1], "BES")
	long := statement(kept + 1)
	ask("too long", long, "PBDES")
	if c.Knows(long) || c.Keeps(long.SQL()) || !c.Keeps(statements[0].SQL()) {
		t.Error("a statement that is too long is kept")
	}
	if !c.Knows(statements[2]) {
		t.Error("a statement that is not kept has made another go")
	}
	ask("the first, again", statements[0], "PBDES")
	ask("the second", statements[1], "CBES")
	if c.Knows(statements[2]) || !c.Knows(statements[3]) {
		t.Error("it is not the least recently used that goes")
	}
}

// TestLongStatementsDoNotShare: a flight does not share if the connection does not keep one of its
// statements.
func TestLongStatementsDoNotShare(t *testing.T) {
	c := connectTo(t, pgtest.NewScript(t, responses(nil, say{parsed, bound, oneField, oneRow, selected, idle})))
	long := statement(32<<10 + 1)
	if _, err := run(c, new(log), long); err != nil {
		t.Fatal(err)
	}
	var s pgwire.Sharing
	c.Share(&s)
	defer c.Unshare()
	var f pgwire.Flight
	f.Add(long, nil)
	if s.Append(&f) {
		t.Error("it shares the connection")
	}
}
