package planner

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/festival"
)

var (
	differentialSeed     = flag.Uint64("differential.seed", 1, "seed of TestDifferential")
	differentialRequests = flag.Int("differential.requests", 400, "number of requests that TestDifferential makes")
)

const differentialSchema = `
create schema api;
create schema extras;
create table api.dept (id int primary key, name text, city text, budget int);
create table api.emp (id int primary key, dept_id int references api.dept, name text, gender text, grade int, salary numeric(8,2), meta jsonb);
create table api.skill (id int primary key, emp_id int references api.emp, name text, level int);
insert into api.dept select i, chr(65 + i), case when i % 5 > 0 then 'city ' || i % 3 end, case when i % 4 > 0 then i % 4 * 100 end from generate_series(1, 12) i;
insert into api.emp select i, case when i % 11 > 0 then i * 7 % 12 + 1 end, 'e' || i % 9, case i % 5 when 0 then null when 1 then 'm' else 'f' end,
	case when i % 6 > 0 then i * 13 % 5 end, case when i % 8 > 0 then (i * 37 % 100) + 0.5 end, jsonb_build_object('team', i % 3) from generate_series(1, 120) i;
insert into api.skill select i, case when i % 9 > 0 then i * 11 % 120 + 1 end, 's' || i % 4, case when i % 7 > 0 then i % 6 end from generate_series(1, 200) i;
`

// groupDatabase makes a database of its own with these commands. It returns the catalog,
// and a connection that the test closes.
func groupDatabase(t *testing.T, commands ...string) (*catalog.Catalog, *pgconn.PgConn) {
	t.Helper()
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	for _, sql := range commands {
		cluster.Exec(t, db, sql)
	}
	cat, err := festival.Load(cluster.URI(db, pgtest.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgconn.Connect(context.Background(), cluster.URI(db, pgtest.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return cat, conn
}

// TestDifferential compares requests with SQL that it makes by itself: HAVING is a
// WHERE around the groups, FILTER a CASE, DISTINCT a GROUP BY, DISTINCT ON a
// row_number, a spread an ordinary join and an embed a subquery. Another request of
// the same shape must find the plan.
func TestDifferential(t *testing.T) {
	cat, conn := groupDatabase(t, differentialSchema)
	o := defaults
	o.CacheMaxEntries = 1 << 20
	p := New(cat, o)
	shapes, saw := map[string]bool{}, map[string]int{}
	for n := range *differentialRequests {
		g := &groupAsker{Rand: rand.New(rand.NewPCG(*differentialSeed, uint64(n))), saw: saw}
		root := g.root()
		counted := g.IntN(3) == 0
		for range 2 {
			root.compare(t, conn, p, counted, shapes, n)
			g.otherValues(root)
		}
	}
	t.Logf("%d requests, %d shapes: %v", 2**differentialRequests, len(shapes), saw)
}

// compare asks for a request, of a shape that is planned once.
func (q *groupQuery) compare(t *testing.T, conn *pgconn.PgConn, p *Planner, counted bool, shapes map[string]bool, n int) {
	t.Helper()
	target, shape := "/"+q.table+"?"+q.url(), q.shape()
	if counted {
		shape += " counted"
	}
	_, misses := p.Stats()
	got, total := fetch(t, conn, p, target, counted)
	_, after := p.Stats()
	if planned := after > misses; planned == shapes[shape] && !q.limited() { // a limit that recurs is planned once more
		t.Fatalf("request %d: GET %s: planned is %v", n, target, planned)
	}
	shapes[shape] = true
	want, wantTotal := q.expect(t, conn)
	q.sortUnordered(got)
	q.sortUnordered(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("request %d: GET %s\n%s\n%s", n, target, q.page(), diff)
	}
	if counted && total != wantTotal {
		t.Fatalf("request %d: GET %s\ntotal %d, want %d", n, target, total, wantTotal)
	}
}

// otherValues replaces the operands.
func (g *groupAsker) otherValues(q *groupQuery) {
	var visit func(conds []groupCond)
	visit = func(conds []groupCond) {
		for i := range conds {
			conds[i].value = g.value(&conds[i])
			visit(conds[i].or)
		}
	}
	visit(q.where)
	visit(q.having)
	for i := range q.aggs {
		visit(q.aggs[i].filter)
	}
	if q.spread != nil {
		visit(q.spread.having)
		for i := range q.spread.aggs {
			visit(q.spread.aggs[i].filter)
		}
	}
	if q.embed != nil {
		g.otherValues(q.embed)
	}
}

// sortUnordered sorts the rows of a query, and of its embeds, that has no total order.
func (q *groupQuery) sortUnordered(rows any) {
	list := rows.([]any)
	for _, r := range list {
		if q.embed != nil {
			q.embed.sortUnordered(r.(map[string]any)[q.embed.table])
		}
	}
	if q.ordered {
		return
	}
	sort.Slice(list, func(i, j int) bool {
		a, _ := json.Marshal(list[i])
		b, _ := json.Marshal(list[j])
		return string(a) < string(b)
	})
}

// groupQuery is a request, or an embed in one.
type groupQuery struct {
	table, alias string // alias is that of the table in the SQL of this test
	path         string // "skill." in parameters
	columns      []string
	aggs         []groupAgg
	spread       *groupSpread // of dept into emp
	embed        *groupQuery  // of many rows
	inner        bool
	on           string // join with the parent
	where        []groupCond
	having       []groupCond
	order        []groupOrder
	distinct     bool
	distinctOn   []string
	limit        int // -1: none
	offset       int
	ordered      bool // the order is total
	plainGroups  bool // PostgREST's total: the rows before GROUP BY
}

type groupSpread struct {
	columns []string // lifted, with the alias d_column
	aggs    []groupAgg
	having  []groupCond  // logic trees of columns and aggregates
	order   []groupOrder // without effect
}

type groupAgg struct {
	fn, column, alias string
	filter            []groupCond
}

type groupCond struct {
	name, op, value string
	not             bool
	or              []groupCond
}

type groupOrder struct {
	name            string    // a column, or the alias of an aggregate
	agg             *groupAgg // or an aggregate that may not be selected
	desc, nullsLast bool
}

type groupAsker struct {
	*rand.Rand
	saw   map[string]int
	names int
}

var groupColumns = map[string][]string{
	"dept": {"name", "city", "budget"}, "emp": {"dept_id", "name", "gender", "grade", "salary"}, "skill": {"emp_id", "name", "level"},
}

func numeric(column string) bool {
	return slices.Contains([]string{"id", "budget", "dept_id", "grade", "salary", "emp_id", "level"}, column)
}

func (g *groupAsker) one(from []string) string { return from[g.IntN(len(from))] }

func (g *groupAsker) some(from []string, most int) []string {
	out := slices.Clone(from)
	g.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(len(out), g.IntN(most+1))]
}

func (g *groupAsker) root() *groupQuery {
	q := &groupQuery{table: g.one([]string{"dept", "emp", "skill"})}
	q.alias = q.table
	g.fill(q)
	if child := map[string]string{"dept": "emp", "emp": "skill"}[q.table]; child != "" && g.IntN(4) > 0 && len(q.aggs) == 0 && !q.distinct && len(q.distinctOn) == 0 && q.spread == nil {
		g.saw["embed"]++
		q.embed = &groupQuery{table: child, alias: "c", path: child + ".", inner: g.IntN(2) == 0, on: "c." + q.table + "_id = " + q.table + ".id"}
		g.fill(q.embed)
		if e := q.embed; e.plainGroups && len(e.columns) == 0 && (e.spread == nil || len(e.spread.columns) == 0) {
			e.inner = false // PostgREST's total is not that of this one group
		}
	}
	return q
}

func (g *groupAsker) fill(q *groupQuery) {
	columns := groupColumns[q.table]
	q.limit = -1
	for range g.IntN(3) {
		q.where = append(q.where, g.condition(columns))
	}
	switch g.IntN(7) {
	case 0:
		g.saw["distinct"]++
		q.distinct = true
		q.columns = append(g.some(columns, 2), g.one(columns))
		slices.Sort(q.columns)
		q.columns = slices.Compact(q.columns)
		g.orderBy(q, q.columns)
	case 1:
		g.saw["distinct on"]++
		q.columns = append(g.some(columns, 3), "id")
		q.distinctOn = append(g.some(columns, 2), g.one(columns))
		slices.Sort(q.distinctOn)
		q.distinctOn = slices.Compact(q.distinctOn)
		leading := slices.Clone(q.distinctOn)
		g.Shuffle(len(leading), func(i, j int) { leading[i], leading[j] = leading[j], leading[i] })
		g.orderBy(q, leading)
		q.order = append(q.order, groupOrder{name: "id", desc: g.IntN(2) == 0})
	case 2, 3:
		if q.path == "" {
			q.columns = append(g.some(columns, 2), "id")
			g.orderBy(q, q.columns)
			break
		}
		fallthrough
	default:
		g.groups(q, columns)
	}
	q.ordered = len(q.order) > 0
	if q.ordered && g.IntN(3) == 0 {
		g.saw["page"]++
		q.limit, q.offset = 1+g.IntN(5), g.IntN(3)
	}
}

func (g *groupAsker) groups(q *groupQuery, columns []string) {
	q.columns = g.some(columns, 2)
	for range 1 + g.IntN(3) {
		q.aggs = append(q.aggs, g.aggregate(columns))
	}
	names := slices.Clone(q.columns)
	if q.table == "emp" && g.IntN(3) == 0 {
		g.saw["spread"]++
		q.spread = &groupSpread{columns: g.some(groupColumns["dept"], 1)}
		for range 1 + g.IntN(2) {
			q.spread.aggs = append(q.spread.aggs, g.aggregate(groupColumns["dept"]))
		}
		g.spreadClauses(q.spread)
	}
	all := slices.Clone(q.aggs)
	if q.spread != nil {
		all = append(all, q.spread.aggs...)
	}
	q.plainGroups = q.spread == nil || len(q.spread.having) == 0
	for i := range all {
		if a := &all[i]; len(a.filter) > 0 || a.fn == "countdistinct" {
			q.plainGroups = false
		}
		if a := &all[i]; g.IntN(3) == 0 && a.numeric() {
			g.saw["having"]++
			q.having = append(q.having, g.condition([]string{a.alias}))
			q.plainGroups = false
		}
	}
	// The order is total if it has all columns of the groups. Those of a spread
	// cannot be ordered by.
	if (q.spread == nil || len(q.spread.columns) == 0) && g.IntN(3) > 0 {
		for i := range all {
			switch g.IntN(4) {
			case 0:
				g.saw["order by alias"]++
				q.order = append(q.order, g.direction(groupOrder{name: all[i].alias}))
				q.plainGroups = false
			case 1:
				if len(all[i].filter) == 0 && i < len(q.aggs) {
					g.saw["order by aggregate"]++
					q.order = append(q.order, g.direction(groupOrder{agg: &all[i]}))
					q.plainGroups = false
				}
			}
		}
		g.orderBy(q, names)
	}
}

// spreadClauses adds clauses with the path of the spread.
func (g *groupAsker) spreadClauses(s *groupSpread) {
	a := g.IntN(len(s.aggs))
	if len(s.columns) > 0 && s.aggs[a].numeric() && g.IntN(2) == 0 {
		g.saw["having of a spread"]++
		s.having = append(s.having, groupCond{or: []groupCond{g.leaf([]string{s.aggs[a].alias}), g.leaf(s.columns)}, not: g.IntN(4) == 0})
	}
	if g.IntN(3) == 0 {
		g.saw["order of a spread"]++
		s.order = append(s.order, g.direction(groupOrder{name: s.aggs[a].alias}))
		s.order = append(s.order, g.direction(groupOrder{name: g.one(groupColumns["dept"])}))
	}
}

func (g *groupAsker) orderBy(q *groupQuery, names []string) {
	for _, name := range names {
		q.order = append(q.order, g.direction(groupOrder{name: name}))
	}
}

func (g *groupAsker) direction(o groupOrder) groupOrder {
	o.desc, o.nullsLast = g.IntN(2) == 0, g.IntN(2) == 0
	return o
}

func (a *groupAgg) numeric() bool { return a.fn != "max" && a.fn != "min" || numeric(a.column) }

func (g *groupAsker) aggregate(columns []string) groupAgg {
	g.names++
	a := groupAgg{fn: g.one([]string{"count", "sum", "avg", "max", "min", "countdistinct"}), column: g.one(columns), alias: fmt.Sprintf("n%d", g.names)}
	if !numeric(a.column) && (a.fn == "sum" || a.fn == "avg") || a.fn == "count" && g.IntN(2) == 0 {
		a.fn, a.column = "count", ""
	}
	if g.IntN(3) == 0 {
		g.saw["filter"]++
		for range 1 + g.IntN(2) {
			a.filter = append(a.filter, g.condition(columns))
		}
	}
	g.saw[a.fn]++
	return a
}

// condition makes a condition on one of the names. Those of aggregates are numbers.
func (g *groupAsker) condition(names []string) groupCond {
	if g.IntN(5) == 0 {
		return groupCond{or: []groupCond{g.leaf(names), g.leaf(names)}, not: g.IntN(4) == 0}
	}
	return g.leaf(names)
}

func (g *groupAsker) leaf(names []string) groupCond {
	c := groupCond{name: g.one(names), op: g.one([]string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "is"}), not: g.IntN(4) == 0}
	c.value = g.value(&c)
	return c
}

func (g *groupAsker) value(c *groupCond) string {
	number := numeric(c.name) || strings.HasPrefix(c.name, "n") && c.name != "name"
	values := []string{"m", "f", "city 1", "e3", "s2", "B"}
	if number {
		values = []string{"0", "1", "2", "3", "5", "40", "100"}
	}
	switch c.op {
	case "is":
		return "null"
	case "in":
		return "(" + g.one(values) + "," + g.one(values) + ")"
	}
	return g.one(values)
}

// expect runs the SQL of the test.
func (q *groupQuery) expect(t *testing.T, conn *pgconn.PgConn) (rows any, total int) {
	t.Helper()
	got := selectRows(t, conn, "select coalesce(json_agg(body), '[]') from ("+q.page()+") r")
	decode(t, got[0][0], &rows)
	decode(t, selectRows(t, conn, q.count())[0][0], &total)
	return rows, total
}
