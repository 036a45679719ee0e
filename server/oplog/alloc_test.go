//go:build !race

package oplog

import (
	"io"
	"testing"
	"time"
)

func TestAccessDoesNotAllocate(t *testing.T) {
	for _, json := range []bool{false, true} {
		l := New(Options{Out: io.Discard, Err: io.Discard, Level: Info, JSON: json})
		defer l.Close()
		a := benchmarkLine()
		a.ID, a.Route, a.Code = []byte("8d3c61f2-1a"), "/movie", "42501"
		a.Total, a.UsedDatabase, a.Database = 1234567, true, time.Millisecond
		for range 1000 {
			l.Access(a)
		}
		l.Flush()
		f := func(what string, log func()) {
			t.Helper()
			log()
			l.Flush()
			if n := testing.AllocsPerRun(200, log); n != 0 {
				t.Errorf("json %t: %s allocates %v times", json, what, n)
			}
		}
		f("Access", func() { l.Access(a) })
		f("a held back line", func() { l.PoolRequest(); l.TokenLookup(); l.PoolConn("x", ConnUsed) })
		f("QueryFailed", func() { l.QueryFailed(a.ID, `{"code":"x"}`) })
		f("Query", func() { l.Query(a.ID, 200, "SELECT 1") })
	}
}
