package exec

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/festival"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// defaults are a server's default settings, and aggregates.
var defaults = planner.Options{
	MaxRows: -1, Aggregates: true, LegacyTargetNames: true, ExecutionPlans: true, CacheMaxEntries: 1000,
	NewState: func(p *planner.Plan) any { return NewRunnable(p) },
}

// mustPlan plans GET of target, with a Prefer header.
func mustPlan(tb testing.TB, p *planner.Planner, target string, prefer ...string) *Runnable {
	tb.Helper()
	path, raw, _ := strings.Cut(target, "?")
	name, call := strings.CutPrefix(path, "/rpc/")
	r := planner.Request{
		Schema: "api", Target: []byte(strings.TrimPrefix(name, "/")), Query: &parser.Query{}, Prefer: &header.Prefer{}, ContentType: header.Media{Kind: header.JSON},
	}
	mode := parser.ModeRelation
	if call {
		r.Action, mode = planner.CallGet, parser.ModeCallRead
	}
	for _, value := range prefer {
		r.Prefer.Add([]byte(value), true)
	}
	if err := r.Query.Parse([]byte(raw), mode); err != nil {
		tb.Fatalf("%s: %v", target, err)
	}
	r.Top = r.Query.RootRange()
	kept, _, err := p.Find(&r)
	if err != nil {
		tb.Fatalf("%s: %v", target, err)
	}
	return kept.State.(*Runnable)
}

// fieldsOf describes the columns of a statement.
func fieldsOf(tb testing.TB, conn *pgconn.PgConn, sql string) (fields []pgwire.Field) {
	tb.Helper()
	for _, f := range festival.Fields(tb, conn, sql) {
		fields = append(fields, pgwire.Field{Name: f.Name, Type: f.DataTypeOID})
	}
	return fields
}
