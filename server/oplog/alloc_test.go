//go:build !race

package oplog

import (
	"io"
	"testing"
)

func TestAccessDoesNotAllocate(t *testing.T) {
	l := New(Options{Out: io.Discard, Err: io.Discard, Level: Info})
	defer l.Close()
	a := benchmarkLine()
	for range 1000 {
		l.Access(a)
	}
	l.Flush()
	if n := testing.AllocsPerRun(200, func() { l.Access(a) }); n != 0 {
		t.Errorf("Access allocates %v times", n)
	}
	if n := testing.AllocsPerRun(200, func() { l.PoolRequest(); l.TokenLookup(); l.PoolConn("x", ConnUsed) }); n != 0 {
		t.Errorf("held back debugging lines allocate %v times", n)
	}
	l.QueryFailed("warm")
	if n := testing.AllocsPerRun(200, func() { l.QueryFailed("x") }); n != 0 {
		t.Errorf("QueryFailed allocates %v times", n)
	}
}
