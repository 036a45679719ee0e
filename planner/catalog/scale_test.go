package catalog

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var big = flag.Int("big", 100, "tables, views and functions in the schema that BenchmarkLoad reads; 10000 takes minutes to create")

// generated is a schema of n tables with five foreign keys each, every tenth a
// junction, n views that show keys of two tables, and n functions.
func generated(n int) string {
	var b strings.Builder
	b.WriteString("create schema big;\n")
	for i := range n {
		key := "id int primary key"
		if i%10 == 0 {
			key = "id int unique, primary key (r0, r1)"
		}
		fmt.Fprintf(&b, "create table big.t%d (%s, name text not null default 'x', qty numeric(10,2), at timestamptz default now(), doc jsonb", i, key)
		for k := range 5 {
			fmt.Fprintf(&b, ", r%d int", k)
			if i > 0 {
				fmt.Fprintf(&b, " references big.t%d (id)", (i*7919+k*104729)%i)
			}
		}
		b.WriteString(");\n")
		fmt.Fprintf(&b, "create function big.f%d(a int, b text default 'x', c big.t%d default null) returns setof big.t%d stable language sql as 'select * from big.t%d';\n", i, i, i, i)
		fmt.Fprintf(&b, "create view big.v%d as select a.id, a.r0, a.r1 as other, b.id as bid, case when a.qty > 3 then b.name else upper(a.name) end as x from big.t%d a left join big.t%d b on b.id = a.r2;\n", i, i, i/2)
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	cluster := pgtest.Start(b)
	db := cluster.NewDB(b)
	for statements := range chunks(generated(*big), 1000) {
		cluster.Exec(b, db, statements) // one transaction holds a lock per table
	}
	cluster.Exec(b, db, "analyze")
	conn := connect(b, cluster.URI(db, pgtest.Superuser))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Exec(context.Background(), "begin isolation level repeatable read, read only").ReadAll(); err != nil {
			b.Fatal(err)
		}
		cat, err := Load(context.Background(), pgtest.Querier(conn), Options{Schemas: []string{"big"}})
		if err != nil {
			b.Fatal(err)
		}
		if len(cat.Tables) != 2**big || len(cat.Routines) != *big {
			b.Fatal(cat.Summary())
		}
		if _, err := conn.Exec(context.Background(), "rollback").ReadAll(); err != nil {
			b.Fatal(err)
		}
	}
}

func chunks(text string, lines int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		all := strings.SplitAfter(text, "\n")
		for len(all) > 0 {
			n := min(lines, len(all))
			if !yield(strings.Join(all[:n], "")) {
				return
			}
			all = all[n:]
		}
	}
}
