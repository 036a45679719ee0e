package server

import (
	"fmt"
	"strings"
	"testing"
)

// TestFloodOfShapes: a client that never repeats a request shape does not evict
// the plans of others, and memory in both processes stays within the settings.
func TestFloodOfShapes(t *testing.T) {
	const plans, statements = 60, 20
	s := startTest(t, allocSchema+`
		create view api.prepared as select count(*) as n, count(*) filter (where from_sql) as by_sql from pg_prepared_statements;
		grant select on api.prepared to test_anon;`,
		"plan-cache-max-entries", fmt.Sprint(plans), "statement-cache-max-entries", fmt.Sprint(statements), "db-pool", "1")
	ctx := newRequestCtx()
	ask := func(target string) string {
		t.Helper()
		requestReader(t, ctx, rawRequest("GET", target, "", nil))()
		s.handle(ctx)
		if status := ctx.Response.StatusCode(); status != 200 {
			t.Fatalf("%s: %d %s", target, status, ctx.Response.Body())
		}
		return string(ctx.Response.Body())
	}
	misses := func() int { _, n := s.snapshot.Load().planner.Stats(); return n }
	honest := make([]string, 10)
	for i := range honest {
		honest[i] = fmt.Sprintf("/item?select=id,a%d:name&id=eq.%d", i, i+1)
	}
	all := func() {
		for i, target := range honest {
			if want := fmt.Sprintf(`[{"id":%d,"a%d":"name %d"}]`, i+1, i, i+1); ask(target) != want {
				t.Errorf("%s: %s", target, ctx.Response.Body())
			}
		}
	}
	all()
	all()
	ask("/prepared")

	again, requests, most := 0, 0, 0
	for i := range 3000 {
		if i%5 == 0 {
			before := misses()
			target := honest[i/5%len(honest)]
			ask(target)
			again += misses() - before
			requests++
		}
		if i%100 == 0 {
			var n, bySQL int
			if _, err := fmt.Sscanf(strings.Trim(ask("/prepared"), "[]"), `{"n":%d,"by_sql":%d}`, &n, &bySQL); err != nil {
				t.Fatalf("%v: %s", err, ctx.Response.Body())
			}
			most = max(most, n)
		}
		ask(fmt.Sprintf("/item?select=f%d:name&or=(id.eq.1,%s)&limit=1", i, strings.Repeat("id.eq.1,", i%7)+"id.eq.2"))
	}
	all()
	entries, made := s.snapshot.Load().planner.Stats()
	t.Logf("%d of %d honest requests planned anew; %d plans kept of %d made; at most %d statements in the session", again, requests, entries, made, most)
	if again*50 > requests {
		t.Errorf("%d of %d honest requests lost their plan", again, requests)
	}
	if entries > plans+plans/2 || made < 3000 {
		t.Errorf("%d plans kept of %d made", entries, made)
	}
	// Closing what was pushed out is sent with the next flight, along with what
	// that one needs of its own.
	if most > statements+5 || most < statements/2 {
		t.Errorf("%d statements", most)
	}
}

// TestLongLists: a list of operands is one parameter however long it is, so the
// plan is that of any other list, and what bounds it is the request's length.
func TestLongLists(t *testing.T) {
	s := startTest(t, allocSchema, "db-pool", "1")
	ctx := newRequestCtx()
	ask := func(n int) string {
		t.Helper()
		list := strings.TrimSuffix(strings.Repeat("1,", n), ",")
		ctx.Request.Reset()
		ctx.Request.Header.SetMethod("GET")
		ctx.Request.SetRequestURI("/item?select=id&id=in.(" + list + ")&or=(id.in.(" + list + "),id.eq.0)")
		s.handle(ctx)
		return fmt.Sprint(ctx.Response.StatusCode(), " ", string(ctx.Response.Body()))
	}
	misses := func() int { _, n := s.snapshot.Load().planner.Stats(); return n }
	const want = `200 [{"id":1}]`
	if got := ask(2); got != want {
		t.Error(got)
	}
	before := misses()
	for _, n := range []int{3, 1000, 50_000} {
		if got := ask(n); got != want {
			t.Errorf("%d operands: %.200s", n, got)
		}
	}
	if n := misses() - before; n != 0 {
		t.Errorf("%d plans for longer lists", n)
	}
}
