package openapi

import (
	"flag"
	"fmt"
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

var big = flag.Int("big", 1000, "tables and functions in the schema that BenchmarkAppend describes")

// generated returns a catalog of n tables, each with one foreign key, and n
// functions.
func generated(n int) *catalog.Catalog {
	c := &catalog.Catalog{
		Tables:        map[catalog.QI]*catalog.Table{},
		Relationships: map[catalog.RelKey][]*catalog.Relationship{},
		Routines:      map[catalog.QI][]*catalog.Routine{},
	}
	for i := range n {
		t := &catalog.Table{
			QI: catalog.QI{Schema: "big", Name: fmt.Sprintf("table_%d", i)}, Description: "One of many", HasDescription: true,
			Insertable: true, Updatable: true, Deletable: true, PrimaryKey: []string{"id"},
			Columns: []*catalog.Column{
				{Name: "id", Type: "integer"},
				{Name: "name", Type: "text", Default: "'x'::text", HasDefault: true},
				{Name: "qty", Type: "numeric", Nullable: true},
				{Name: "at", Type: "timestamp with time zone", Default: "now()", HasDefault: true, Nullable: true},
				{Name: "doc", Type: "jsonb", Nullable: true},
				{Name: "other_id", Type: "integer", Nullable: true},
			},
		}
		c.Tables[t.QI] = t
		c.Relationships[catalog.RelKey{Table: t.QI, Schema: "big"}] = []*catalog.Relationship{{
			Table: t.QI, Foreign: catalog.QI{Schema: "big", Name: fmt.Sprintf("table_%d", i/2)},
			Cardinality: catalog.ManyToOne, Columns: []catalog.ColumnPair{{Column: "other_id", Foreign: "id"}},
		}}
		f := &catalog.Routine{
			QI: catalog.QI{Schema: "big", Name: fmt.Sprintf("function_%d", i)}, Volatility: catalog.Stable,
			Params: []catalog.Param{{Name: "a", Type: "integer", Required: true}, {Name: "b", Type: "text"}},
		}
		c.Routines[f.QI] = []*catalog.Routine{f}
	}
	return c
}

func BenchmarkAppend(b *testing.B) {
	cat := generated(*big)
	b.ReportAllocs()
	for b.Loop() {
		a := &Access{Everything: true}
		b.SetBytes(int64(len(a.Document("big", cat, Settings{}).Append(nil))))
	}
}
