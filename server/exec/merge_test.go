package exec

import (
	"context"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/festival"
)

// mergeOf prepares GET of target with all that PostgreSQL says about the statement.
func mergeOf(t *testing.T, o planner.Options, target string) *Statements {
	t.Helper()
	plan := mustPlan(t, planner.New(festival.Catalog(t), o), target)
	conn := festival.Connect(t)
	d := &pgwire.Description{Fields: fieldsOf(t, conn, plan.Main.SQL)}
	described, err := conn.Prepare(context.Background(), "", plan.Main.SQL, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Params = described.ParamOIDs
	form := plan.prepare(festival.Catalog(t), d, false)
	main := &form.statements.main
	if m := main.Merge; m != nil && m.Stmt != nil {
		merged, err := conn.Prepare(context.Background(), "", m.Stmt.SQL(), nil)
		if err != nil {
			t.Fatalf("%s: %v\n%s", target, err, m.Stmt.SQL())
		}
		if len(merged.ParamOIDs) != len(form.Args) || len(merged.Fields) != len(m.Formats) {
			t.Errorf("%s: %d parameters and %d columns, want %d and %d", target, len(merged.ParamOIDs), len(merged.Fields), len(form.Args), len(m.Formats))
		}
		columns := merged.Fields[1:]
		if !form.fits(len(columns), func(i int) ([]byte, uint32) { return []byte(columns[i].Name), columns[i].DataTypeOID }) {
			t.Errorf("%s: the merged statement has other columns", target)
		}
	}
	return main
}

// TestMergedPlans: which plans merge, and which of them with other operands.
func TestMergedPlans(t *testing.T) {
	limited := defaults
	limited.MaxRows = 100
	const (
		none = iota
		equal
		all
	)
	for _, test := range []struct {
		target string
		o      planner.Options
		want   int
	}{
		{"/movie?id=eq.1", defaults, all},
		{"/movie?id=eq.1", limited, equal}, // the number is a parameter until it has recurred
		{"/movie?id=eq.1&title=eq.x&select=id,title,screening_id:id", defaults, all},
		{"/movie?id=eq.1&limit=1", defaults, equal}, // which row is not known
		{"/movie?id=eq.1&limit=5", defaults, equal},
		{"/movie?id=eq.1&offset=1", defaults, equal},
		{"/movie?id=in.(1,2)", defaults, equal}, // the operand is an array already
		{"/movie", defaults, equal},
		{"/movie?id=eq.1&select=id,screening(*)", defaults, equal}, // several rows in the row
		{"/screening?id=eq.1&select=id,movie(id,title)", defaults, all},
		{"/movie?id=eq.1&select=id.sum()", defaults, equal},
		{"/good_movie", defaults, none},
		{"/rpc/ret_timestamptz?t=2024-01-01", defaults, none},
		{"/type_zoo?select=id,c_composite&id=eq.1", defaults, none},
	} {
		s := mergeOf(t, test.o, test.target)
		got := none
		switch {
		case s.Merge != nil && s.Merge.Stmt != nil:
			got = all
		case s.Equal != nil:
			got = equal
		}
		if got != test.want {
			t.Errorf("%s: %d, want %d", test.target, got, test.want)
		}
	}
}

func TestMergedStatement(t *testing.T) {
	got := mergeOf(t, defaults, "/genre?id=eq.1&name=neq.x&select=id").Merge.Stmt.SQL()
	const want = `SELECT pgrst_merged.number, pgrst_request.* FROM ROWS FROM (` +
		`pg_catalog.unnest((SELECT $1::pg_catalog.int4[])), pg_catalog.unnest((SELECT $2::pg_catalog.text[]))` +
		`) WITH ORDINALITY pgrst_merged(operand0, operand1, number) CROSS JOIN LATERAL (SELECT * FROM (` +
		`SELECT "api"."genre"."id" FROM "api"."genre" WHERE "api"."genre"."id" = pgrst_merged.operand0 AND "api"."genre"."name" <> pgrst_merged.operand1` +
		`) pgrst_rows OFFSET 0) pgrst_request`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestMergedPace: a form whose merged requests take long is not merged for a while.
func TestMergedPace(t *testing.T) {
	form, s := &Form{}, &Statements{Merge: &pgwire.Merge{}, Equal: &pgwire.Merge{}}
	if form.merge(s) != s.Merge {
		t.Fatal("is not merged")
	}
	form.pace.average.Store(int64(time.Millisecond))
	form.tookMerged(time.Hour, 1, 0)
	if form.merge(s) != s.Merge {
		t.Error("one slow response is enough")
	}
	for range 100 {
		form.tookMerged(3*time.Millisecond, 1, 0)
	}
	if form.merge(s) != nil {
		t.Error("is merged although it takes long")
	}
	for range splitPause {
		form.merge(s)
	}
	if form.merge(s) != s.Merge {
		t.Error("is not merged any more")
	}
	form.merging.returned(1)
	form.merging.returned(2)
	if form.merge(s) != s.Equal || form.merge(&Statements{}) != nil {
		t.Error("a plan with several rows is merged with other operands")
	}
}
