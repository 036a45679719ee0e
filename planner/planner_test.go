package planner

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/festival"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// TestErrors: every kind of error sets the fields that its comment lists, and
// has a text.
func TestErrors(t *testing.T) {
	cat := festival.Catalog(t)
	off := defaults
	off.Aggregates, off.LegacyTargetNames = false, false
	strict := [2]string{"Prefer", "handling=strict, max-affected=1"}
	for _, test := range []struct {
		method, target, body string
		header               [2]string
		want                 Error
	}{
		{"GET", "/movies", "", [2]string{}, Error{Kind: TableNotFound, Schema: "api", Name: "movies", Suggestion: "movie"}},
		{"GET", "/qqqqq", "", [2]string{}, Error{Kind: TableNotFound, Schema: "api", Name: "qqqqq"}},
		{"DELETE", "/movies", "", [2]string{}, Error{Kind: TableNotFound, Schema: "api", Name: "movies", Suggestion: "movie"}},
		{"POST", "/genre", `{"nope":1}`, [2]string{}, Error{Kind: ColumnNotFound, Parent: "genre", Name: "nope"}},
		{"GET", "/movie?select=booking(room)", "", [2]string{}, Error{Kind: NoRelationship, Schema: "api", Parent: "movie", Name: "booking"}},
		{"GET", "/movie?select=country!x(name)", "", [2]string{}, Error{Kind: NoRelationship, Schema: "api", Parent: "movie", Name: "country", EmbedHint: "x", HasEmbedHint: true}},
		{"GET", "/movie?select=person(id)", "", [2]string{}, Error{Kind: AmbiguousEmbed, Parent: "movie", Name: "person"}},
		{"GET", "/movie?country.name=eq.x", "", [2]string{}, Error{Kind: NotEmbedded, Name: "country"}},
		{"GET", "/movie?select=a:country(name)&country.name=eq.x", "", [2]string{}, Error{Kind: NotEmbedded, Name: "country", IsLegacy: true, LegacyName: "country", LegacyAlias: "a"}},
		{"GET", "/movie?select=a:country(name)&country.limit=1", "", [2]string{}, Error{Kind: NotEmbedded, Name: "country", IsLegacy: true, LegacyName: "country", LegacyAlias: "a"}},
		{"GET", "/movie?select=genre(name)&order=genre(name)", "", [2]string{}, Error{Kind: RelatedOrderNotToOne, Parent: "movie", Name: "genre"}},
		{"GET", "/movie?select=count()", "", [2]string{}, Error{Kind: AggregatesDisabled}},
		{"GET", "/genre", "", [2]string{"Accept", "image/png, x/y;q=0.5"}, Error{Kind: NotAcceptable, Accepted: []string{"image/png", "x/y"}}},
		{"PUT", "/genre?name=eq.x", `{"id":1}`, [2]string{}, Error{Kind: InvalidPutFilters}},
		{"GET", "/rpc/nopenope", "", [2]string{}, Error{Kind: RoutineNotFound, Schema: "api", Name: "nopenope"}},
		{"GET", "/rpc/add_two?a=1", "", [2]string{}, Error{Kind: RoutineNotFound, Schema: "api", Name: "add_two", Arguments: []string{"a"}, Suggestion: "add_two(a, b)"}},
		{"GET", "/rpc/ambi?v=1", "", [2]string{}, Error{Kind: AmbiguousRoutine}},
		{"POST", "/rpc/add_two", `{"a":1,"b":2}`, strict, Error{Kind: MaxAffectedOnSingle}},
	} {
		q := newQuery(t, test.method, test.target, [][2]string{test.header}, test.body)
		_, err := q.plan(New(cat, off))
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v", test.target, err)
			continue
		}
		if g, w := describeError(got), describeError(&test.want); !strings.HasPrefix(g, strings.TrimSuffix(w, "\n")) {
			t.Errorf("%s: %swant %s", test.target, g, w)
		}
		if len(got.Error()) < len("planner: xxx") {
			t.Errorf("%s says %q", test.target, got.Error())
		}
	}
}

// TestRangeError: a key of limit= that is not a path is an error for reads and
// calls, but not for writes.
func TestRangeError(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	for _, test := range []struct {
		method, target string
		refused        bool
	}{
		{"GET", "/genre?(.limit=1", true},
		{"HEAD", "/genre?(.limit=1", true},
		{"GET", "/rpc/all_movies?(.offset=1", true},
		{"DELETE", "/genre?(.limit=1", false},
		{"GET", "/genre?select=id&x.limit=1", false}, // but not embedded
	} {
		q := newQuery(t, test.method, test.target, nil, "")
		_, err := q.plan(p)
		var refused *parser.Error
		if errors.As(err, &refused) != test.refused {
			t.Errorf("%s %s: %v", test.method, test.target, err)
		}
	}
}

func TestRestrict(t *testing.T) {
	for _, test := range []struct {
		maxRows      int64
		lower, upper int64 // upper -2: unbounded
		want         string
	}{
		{-1, 0, 9, "0 10"},
		{-1, 5, 9, "5 5"},
		{-1, 0, -1, "0 0"},
		{-1, 5, -1, "0 0"}, // offset 5, limit -5: no rows, and no error either
		{3, 0, -2, "0 3"},
		{3, 4, -2, "4 3"},
		{3, 0, 1, "0 2"},
		{3, 5, -1, "0 0"},
	} {
		r := parser.Range{Lower: test.lower, Upper: test.upper, Unbounded: test.upper == -2}
		o := defaults
		o.MaxRows = test.maxRows
		got := New(&catalog.Catalog{}, o).Restrict(r)
		if text := string(got.AppendOffset(nil)) + " " + string(got.AppendLimit(nil)); text != test.want {
			t.Errorf("max rows %d of %d to %d: %s, want %s", test.maxRows, test.lower, test.upper, text, test.want)
		}
	}
}

// TestInlineLimits: limits that come often stand in the SQL text, also those of
// embeds.
func TestInlineLimits(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	target := "/country?select=code,movie(id,screening(id))&limit=20&movie.limit=5&movie.screening.limit=2&movie.screening.offset=1"
	first := mustPlan(t, p, target)
	if n := len(first.Main.Args); n != 4 {
		t.Fatalf("%d parameters at first: %s", n, first.Main.SQL)
	}
	var last *Plan
	for range 2*admitAfter + 2 {
		last = mustPlan(t, p, target)
	}
	for _, text := range []string{" LIMIT 20", " LIMIT 5)", " LIMIT 2 OFFSET $1)"} {
		if !strings.Contains(last.Main.SQL, text) {
			t.Errorf("no %q in %s", text, last.Main.SQL)
		}
	}
	if n := len(last.Main.Args); n != 1 {
		t.Errorf("%d parameters in the end", n)
	}
	if other := mustPlan(t, p, strings.Replace(target, "movie.limit=5", "movie.limit=6", 1)); other == last || !strings.Contains(other.Main.SQL, "LIMIT $") {
		t.Error("another limit got the same plan")
	}
	// The offset of the whole result stands there, too, if it keeps coming back.
	paged := "/country?select=code&limit=20&offset=40"
	if first := mustPlan(t, p, paged); !strings.HasSuffix(first.Main.SQL, " OFFSET $1") {
		t.Errorf("an offset that comes for the first time: %s", first.Main.SQL)
	}
	for range admitAfter {
		last = mustPlan(t, p, paged)
	}
	if !strings.HasSuffix(last.Main.SQL, " LIMIT 20 OFFSET 40") || len(last.Main.Args) != 0 {
		t.Errorf("no OFFSET 40 in %s", last.Main.SQL)
	}
	if other := mustPlan(t, p, "/country?select=code&limit=20&offset=60"); other == last || !strings.HasSuffix(other.Main.SQL, " LIMIT 20 OFFSET $1") {
		t.Errorf("another offset: %s", other.Main.SQL)
	}
	// Only the first ranges of a query have their limit in the text.
	many := "/movie?select=id"
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		many += "," + name + ":screening(id)"
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		many += "&" + name + ".limit=5"
	}
	last = mustPlan(t, p, many)
	if got := strings.Count(last.Main.SQL, "LIMIT 5"); got != inlinedRanges || len(last.Main.Args) != 10-inlinedRanges {
		t.Errorf("%d limits in the text, %d parameters", got, len(last.Main.Args))
	}
}

// TestOrderOfConditions: on every node, conditions have the order of the
// request, with logic trees first.
func TestOrderOfConditions(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	root := mustPlan(t, p, "/movie?select=id,screening(id)&id=gt.1&screening.id=gt.2&or=(id.eq.3)&id=lt.4&screening.and=(id.eq.5)&and=(id.eq.6)&screening.id=lt.7").root
	slots := func(n *tree.Node) (out []int32) {
		for i := range n.Where {
			c := &n.Where[i]
			if c.Kind == tree.CondLogic {
				c = &c.Children[0]
			}
			out = append(out, c.Slot)
		}
		return out
	}
	// Slots number filters before logic trees.
	if got := slots(root); !slices.Equal(got, []int32{4, 6, 0, 2}) {
		t.Errorf("root: %v", got)
	}
	if got := slots(root.Children[0]); !slices.Equal(got, []int32{5, 1, 3}) {
		t.Errorf("embed: %v", got)
	}
}
