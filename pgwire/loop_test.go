//go:build !race

package pgwire

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// idler is a Sink that does nothing.
type idler struct{}

func (idler) Fields([]pgproto3.FieldDescription) error { return nil }
func (idler) Row([][]byte) error                       { return nil }
func (idler) Complete([]byte)                          {}

// BenchmarkLoop measures a flight without a network: two parsed statements, one row and 100
// rows of 10 columns.
func BenchmarkLoop(b *testing.B) {
	value := []byte("0123456789")
	row := &pgproto3.DataRow{}
	for range 10 {
		row.Values = append(row.Values, value)
	}
	bound, done := &pgproto3.BindComplete{}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 100")}
	answer := encoded(bound, row, done, bound)
	for range 100 {
		answer = append(answer, encoded(row)...)
	}
	answer = append(answer, encoded(done, &pgproto3.ReadyForQuery{TxStatus: 'I'})...)
	server := &tape{piece: 8192}
	in := new(reader)
	in.init(server)
	c := newConn(&Config{Statements: 10}, server, in)
	set, get := NewStmt("a"), NewStmt("b")
	for _, s := range []*Stmt{set, get} {
		c.stmts.confirm(c.stmts.add(s))
	}
	ctx, arg := context.Background(), []byte("argument")
	var f Flight
	b.ReportAllocs()
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		server.bytes = answer
		f.Reset()
		f.Add(set, idler{})
		for range 4 {
			f.Arg(arg)
		}
		f.Add(get, idler{})
		if err := c.Run(ctx, &f); err != nil {
			b.Fatal(err)
		}
	}
}
