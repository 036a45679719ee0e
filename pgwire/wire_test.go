package pgwire

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// wide is a tape that records the largest read.
type wide struct {
	tape
	most int
}

func (w *wide) Read(p []byte) (int, error) {
	w.most = max(w.most, len(p))
	return w.tape.Read(p)
}

// numbered is a Sink that checks the numbers in rows.
type numbered struct{ rows int }

func (n *numbered) Fields([]pgproto3.FieldDescription) error { return nil }
func (n *numbered) Complete([]byte)                          {}
func (n *numbered) Row(values [][]byte) error {
	if n.rows++; len(values) != 1 || string(values[0]) != fmt.Sprintf("row %d of a table of many", n.rows) {
		return fmt.Errorf("%q is row %d", values, n.rows)
	}
	return nil
}

// TestBurst: many rows are read in larger pieces, few are not. Between flights the connection
// has its small buffer, whatever the sizes of the pieces.
func TestBurst(t *testing.T) {
	server := new(wide)
	in := new(reader)
	in.init(server)
	c := newConn(&Config{Statements: 10}, server, in)
	get := NewStmt("a")
	c.stmts.confirm(c.stmts.add(get))
	f := func(rows, piece, most int) {
		t.Helper()
		answer := encoded(&pgproto3.BindComplete{})
		for i := range rows {
			answer = append(answer, encoded(&pgproto3.DataRow{Values: [][]byte{fmt.Appendf(nil, "row %d of a table of many", i+1)}})...)
		}
		answer = append(answer, encoded(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})...)
		server.tape, server.most = tape{bytes: answer, piece: piece}, 0
		var (
			flight Flight
			sink   numbered
		)
		flight.Reset()
		flight.Add(get, &sink)
		if err := c.Run(context.Background(), &flight); err != nil || sink.rows != rows {
			t.Fatalf("%d rows by %d: %d, %v", rows, piece, sink.rows, err)
		}
		if server.most > most || most > readBuffer && server.most < most/2 {
			t.Errorf("%d rows by %d: read by %d at most, want %d", rows, piece, server.most, most)
		}
		if len(in.buf) != readBuffer || in.big != nil {
			t.Errorf("%d rows by %d: a buffer of %d bytes is left", rows, piece, len(in.buf))
		}
	}
	for _, piece := range []int{1, 100, 8 << 10, readBuffer, 1 << 20} {
		f(10, piece, readBuffer)
		f(10_000, piece, burst)
		f(500, piece, readBuffer)
		f(10_000, piece, burst)
		f(1, piece, readBuffer)
	}
}
