package planner

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/planner/festival"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

var (
	propertySeed = flag.Uint64("property.seed", 1, "seed of TestRandomTrees; 0 for a random one, which may also find faults of PostgreSQL: 15.18 prunes all partitions of a table with a default one for day = X and (day is not null or day in (Y))")
	propertyTime = flag.Duration("property.time", 5*time.Second, "time that TestRandomTrees takes")
)

// atLeast is the minimum number of requests, however long they take.
const atLeast = 50

// TestRandomTrees makes random requests for the fixture. It compares the result
// of the planner's SQL with that of nested loops over the same rows.
func TestRandomTrees(t *testing.T) {
	cat := festival.Catalog(t)
	conn := festival.Connect(t)
	if _, err := conn.Exec(context.Background(), "set timezone = 'UTC'").ReadAll(); err != nil {
		t.Fatal(err)
	}
	seed := *propertySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-property.seed=%d", seed)
	world := readWorld(t, conn)
	o := defaults
	o.LegacyTargetNames = false
	p := New(cat, o)
	asked, shapes := 0, map[string]int{}
	if testing.Short() {
		*propertyTime = time.Second
	}
	for deadline := time.Now().Add(*propertyTime); time.Now().Before(deadline) || asked < atLeast; asked++ {
		g := &asker{Rand: rand.New(rand.NewPCG(seed, uint64(asked))), world: world, shapes: shapes}
		root := g.root()
		target := "/" + root.table.name + "?" + root.ask()
		counted := g.IntN(3) == 0
		got, total := fetch(t, conn, p, target, counted)
		want := []any{}
		for _, r := range root.rows(nil) {
			want = append(want, map[string]any(r.object))
		}
		if diff := cmp.Diff(plain(t, want), got); diff != "" {
			t.Fatalf("request %d: GET %s\n%s", asked, target, diff)
		}
		if counted && total != root.total() {
			t.Fatalf("request %d: GET %s\ntotal %d, want %d", asked, target, total, root.total())
		}
	}
	t.Logf("%d requests: %v", asked, shapes)
}

// plain converts v into the form that decoding JSON gives.
func plain(t *testing.T, v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	decode(t, text, &out)
	return out
}

// fetch runs the plan for GET of target as the server would.
func fetch(t *testing.T, conn *pgconn.PgConn, p *Planner, target string, counted bool) (body any, total int) {
	t.Helper()
	var headers [][2]string
	if counted {
		headers = append(headers, [2]string{"Prefer", "count=exact"})
	}
	q := newQuery(t, "GET", target, headers, "")
	plan, err := q.plan(p)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	form := Prepare(plan, p.Catalog(), festival.Fields(t, conn, plan.Main.SQL), false)
	text, total := runForm(t, conn, plan, form, q)
	decode(t, text, &body)
	return body, total
}

func runForm(t *testing.T, conn *pgconn.PgConn, plan *Plan, form TestForm, q *query) (text []byte, total int) {
	t.Helper()
	result := conn.ExecParams(context.Background(), form.SQL, q.args(form.Args), nil, nil, form.Formats).Read()
	if result.Err != nil {
		t.Fatalf("%v\n%s", result.Err, form.SQL)
	}
	if !form.Rows {
		r := result.Rows[0]
		total, _ = strconv.Atoi(string(r[0]))
		return r[len(r)-1], total
	}
	text = append(text, '[')
	rows := 0
	for _, r := range result.Rows {
		if form.Prefix > 0 {
			total, _ = strconv.Atoi(string(r[0]))
			if r[1] == nil {
				continue
			}
		}
		if rows > 0 {
			text = append(text, ',')
		}
		rows++
		var ok bool
		if text, ok = form.Append(text, r[form.Prefix:]); !ok {
			t.Fatal("a value that cannot be encoded")
		}
	}
	if plan.Total.Count == sqlgen.CountPage {
		total = rows
	}
	return append(text, ']'), total
}

// args returns the operands in the order of a statement's parameters.
func (q *query) args(args []sqlgen.Arg) [][]byte {
	values := make([][]byte, len(args))
	for i, a := range args {
		rng := q.Top
		if (a.Kind == sqlgen.ArgLimit || a.Kind == sqlgen.ArgOffset) && a.Index != tree.TopRange {
			rng = q.parsed.Ranges[a.Index].Range
		}
		switch a.Kind {
		case sqlgen.ArgValue:
			values[i] = q.parsed.Values[a.Index]
		case sqlgen.ArgLimit:
			values[i] = rng.AppendLimit(nil)
		case sqlgen.ArgOffset:
			values[i] = rng.AppendOffset(nil)
		}
	}
	return values
}

// asker makes random wishes.
type asker struct {
	*rand.Rand
	world  *world
	shapes map[string]int
	names  int
}

func (g *asker) saw(what string) { g.shapes[what]++ }

func (g *asker) name() string {
	g.names++
	return "n" + strconv.Itoa(g.names)
}

func pick[T any](g *asker, from []T) T { return from[g.IntN(len(from))] }

func (g *asker) root() *wish {
	n := &wish{table: g.world.tables[pick(g, g.world.names)], limit: -1}
	g.fill(n, 0, false)
	return n
}

const maxWishDepth = 3

// fill adds random columns, filters and embeds to a wish. Inside a spread, all
// names are new (renamed).
func (g *asker) fill(n *wish, depth int, renamed bool) {
	g.columns(n, renamed)
	for range g.IntN(3) {
		n.filters = append(n.filters, g.filter(n.table))
	}
	links := g.world.links[n.table.name]
	if depth < maxWishDepth && len(links) > 0 {
		for range g.IntN(4 - depth) {
			g.embed(n, pick(g, links), depth, renamed)
		}
	}
	if len(n.columns) == 0 && !n.star && len(n.children) == 0 {
		n.star = true
	}
	n.filters = slices.DeleteFunc(n.filters, n.namesSpread)
	g.order(n)
	if g.IntN(3) == 0 && (n.link == nil || !n.spreadsMany()) {
		g.saw("page")
		n.limit = g.IntN(4)
		if g.IntN(2) == 0 {
			n.offset = g.IntN(3)
		}
	}
}

// namesSpread reports whether a null filter on a column would be read as one on
// a spread with the name of the column.
func (n *wish) namesSpread(f wishFilter) bool {
	return f.op == "is.null" && slices.ContainsFunc(n.children, func(c *wish) bool { return c.spread && c.name == f.column }) ||
		slices.ContainsFunc(f.or, n.namesSpread)
}

func (g *asker) columns(n *wish, renamed bool) {
	if !renamed && g.IntN(4) == 0 {
		n.star = true
		return
	}
	for range g.IntN(3) {
		c := wishColumn{name: pick(g, n.table.columns)}
		if c.alias = g.name(); !renamed && g.IntN(2) == 0 && plainName(c.name) {
			c.alias = c.name
		}
		if !slices.ContainsFunc(n.columns, func(have wishColumn) bool { return have.alias == c.alias }) {
			n.columns = append(n.columns, c)
		}
	}
}

// plainName reports whether a name can be written as an alias, which has no quotes.
func plainName(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func (g *asker) embed(n *wish, l link, depth int, renamed bool) {
	child := &wish{table: g.world.tables[l.to], link: &l, limit: -1, join: pick(g, []string{"", "", "inner", "left"})}
	target, _, _ := strings.Cut(l.target, "!")
	child.spread = g.IntN(3) == 0
	if child.spread && slices.ContainsFunc(n.children, func(c *wish) bool { return c.spread && c.name == target }) {
		return // a spread has no alias
	}
	child.name = g.name()
	if child.spread {
		child.name = target
		g.saw("spread")
	}
	if g.IntN(8) == 0 {
		child.null = pick(g, []string{"is", "not"})
		if child.spread { // the filter would name the target, which may have the name of a column
			child.null = ""
		}
	}
	if !child.spread && g.IntN(8) == 0 {
		g.saw("empty")
		for range g.IntN(2) {
			child.filters = append(child.filters, g.filter(child.table))
		}
	} else {
		g.fill(child, depth+1, renamed || child.spread)
		if child.spread {
			g.nameAll(child)
		}
	}
	g.saw(fmt.Sprintf("depth %d", depth+1))
	if child.join != "" {
		g.saw(child.join)
	}
	if child.null != "" {
		g.saw("null filter")
	}
	n.children = append(n.children, child)
}

// nameAll replaces "*" by columns with new names, because a spread would lift
// names that may be taken.
func (g *asker) nameAll(n *wish) {
	if n.star {
		n.star = false
		n.columns = append(n.columns, wishColumn{pick(g, n.table.columns), g.name()})
	}
}

// comparable has the types whose order and equality the oracle implements.
var comparable = map[string]bool{"integer": true, "smallint": true, "bigint": true, "numeric": true, "text": true, "date": true}

func (g *asker) comparableColumn(t *table) (string, bool) {
	for range 10 {
		if c := pick(g, t.columns); comparable[t.types[c]] {
			return c, true
		}
	}
	return "", false
}

func (g *asker) filter(t *table) wishFilter {
	if g.IntN(5) == 0 {
		g.saw("or")
		return wishFilter{not: g.IntN(3) == 0, or: []wishFilter{g.condition(t), g.condition(t)}}
	}
	return g.condition(t)
}

func (g *asker) condition(t *table) wishFilter {
	f := wishFilter{not: g.IntN(4) == 0}
	column, ok := g.comparableColumn(t)
	if !ok || g.IntN(6) == 0 {
		f.column, f.op = pick(g, t.columns), "is.null"
		return f
	}
	f.column = column
	f.op = pick(g, []string{"eq", "neq", "gt", "gte", "lt", "lte", "in", "like"})
	if f.op == "like" && t.types[column] != "text" {
		f.op = "lte"
	}
	n := 1
	if f.op == "in" {
		n = g.IntN(4)
	}
	for range n {
		v := pick(g, t.rows)[column]
		if v == nil {
			v = "7"
			if t.types[column] == "date" {
				v = "2020-02-14"
			}
		}
		f.values = append(f.values, fmt.Sprint(v))
	}
	if f.op == "like" {
		f.values[0] = strings.Map(func(r rune) rune {
			if strings.ContainsRune(`%_\*`, r) {
				return -1
			}
			return r
		}, string([]rune(f.values[0])[:min(1, len([]rune(f.values[0])))])) + "*"
	}
	g.saw(f.op)
	return f
}

// order makes a random order that is total.
func (g *asker) order(n *wish) {
	if c, ok := g.comparableColumn(n.table); ok && g.IntN(2) == 0 {
		n.order = append(n.order, g.direction(wishOrder{column: c}))
	}
	for _, child := range n.children {
		if child.link.toOne && !child.spread && !n.spreadsManyOrRoot() && g.IntN(4) == 0 {
			for _, c := range child.columns {
				if comparable[child.table.types[c.name]] {
					g.saw("related order")
					n.order = append(n.order, g.direction(wishOrder{column: c.alias, child: child}))
					break
				}
			}
		}
	}
	for _, c := range n.table.key {
		n.order = append(n.order, wishOrder{column: c})
	}
}

func (n *wish) spreadsManyOrRoot() bool { return n.link != nil && n.spreadsMany() }

func (g *asker) direction(o wishOrder) wishOrder {
	o.desc = g.IntN(2) == 0
	o.nullsFirst = g.IntN(2) == 0
	return o
}
