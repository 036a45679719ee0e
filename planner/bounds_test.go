package planner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/festival"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

func nested(open string, n int) string {
	return "id" + strings.Repeat(","+open+"(id", n) + strings.Repeat(")", n)
}

func siblings(n int) string {
	var b strings.Builder
	b.WriteString("id")
	for i := range n {
		fmt.Fprintf(&b, ",a%d:parent(id)", i)
	}
	return b.String()
}

func TestTooManyEmbeds(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	for _, test := range []struct {
		target string
		fits   bool
	}{
		{"/section?select=" + nested("parent", MaxEmbeds), true},
		{"/section?select=" + nested("parent", MaxEmbeds+1), false},
		{"/section?select=" + nested("...children", MaxEmbeds+1), false},
		{"/section?select=" + siblings(MaxEmbeds), true},
		{"/section?select=" + siblings(MaxEmbeds+1), false},
	} {
		_, err := newQuery(t, "GET", test.target, nil, "").plan(p)
		if fits := err == nil; fits != test.fits {
			t.Errorf("%.60s: %v", test.target, err)
		}
		var refused *parser.Error
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("%.60s: %v is not a parser.Error", test.target, err)
		}
	}
	// PostgreSQL accepts the deepest request that is allowed.
	plan := mustPlan(t, p, "/section?select="+nested("parent", MaxEmbeds))
	if _, err := festival.Connect(t).Prepare(context.Background(), "", plan.Main.SQL, nil); err != nil {
		t.Error(err)
	}
}

// hostileRequest is a request of 64 KiB that is expensive to plan.
type hostileRequest struct {
	cat    *catalog.Catalog
	target string
}

func hostileRequests(tb testing.TB) map[string]hostileRequest {
	cat := festival.Catalog(tb)
	wide := &catalog.Catalog{Tables: map[catalog.QI]*catalog.Table{}, Representations: map[catalog.RepKey]*catalog.Representation{}}
	q := catalog.QI{Schema: "api", Name: "wide"}
	wide.Tables[q] = &catalog.Table{QI: q}
	for i := range 1600 {
		c := &catalog.Column{Name: fmt.Sprintf("a_column_with_a_name_of_some_length_%d", i), Type: "integer", NominalType: "integer"}
		wide.Tables[q].Columns = append(wide.Tables[q].Columns, c)
	}
	repeat := func(s string) string { return strings.Repeat(s, (64<<10)/len(s)) }
	return map[string]hostileRequest{
		"stars":                  {cat, "/palette?select=" + repeat("*,") + "id"},
		"stars of a wide table":  {wide, "/wide?select=" + repeat("*,") + "count()"},
		"fields lifted":          {cat, "/section?select=" + strings.Repeat("...parent(", 99) + strings.Repeat("id,", 20000) + "id" + strings.Repeat(")", 99)},
		"fields lifted to many":  {cat, "/section?select=" + strings.Repeat("...children(", 99) + strings.Repeat("id,", 20000) + "id" + strings.Repeat(")", 99)},
		"repeated embeds":        {cat, "/section?select=" + strings.Repeat("parent(", 50) + "id" + strings.Repeat("),parent(id)", 50)},
		"repeated spreads":       {cat, "/section?select=" + strings.Repeat("...parent(", 50) + "id" + strings.Repeat("),...parent(id)", 50)},
		"filters":                {cat, "/genre?and=(" + repeat("id.eq.1,") + "id.eq.1)"},
		"null filters of embeds": {cat, "/section?select=" + siblings(99) + "&and=(" + repeat("a98.is.null,") + "id.eq.1)"},
		"parameters":             {cat, "/genre?" + strings.Repeat("id=eq.1&", 990)},
		"orders":                 {cat, "/genre?order=" + repeat("id,") + "id"},
		"filters of aggregates":  {cat, "/genre?select=n:id.count()&n.or=(" + strings.Repeat("id.eq.1,", 3000) + "id.eq.1)&order=" + strings.Repeat("n,", 12000) + "n"},
		"aggregates in a tree":   {cat, "/genre?select=n:id.count()&n.or=(" + strings.Repeat("id.eq.1,", 3000) + "id.eq.1)&or=(" + strings.Repeat("n.eq.1,", 4000) + "n.eq.1)"},
		"distinct orders":        {cat, "/genre?distinct=" + strings.Repeat("id,", 10000) + "name&order=" + strings.Repeat("name,", 6000) + "name"},
		"distinct columns":       {cat, "/section?select=id,...children(" + strings.Repeat("name,", 6000) + "id)&children.distinct=true&children.order=" + strings.Repeat("id,", 9000) + "id"},
		"many aggregates":        {cat, "/genre?select=" + strings.Repeat("n:id.count(),", 2500) + "m:id.count()&order=" + strings.Repeat("m,", 12000) + "m"},
		"orders of an array":     {cat, "/section?select=id,...children(id)&children.order=" + repeat("id,") + "id"},
		"json path":              {cat, "/dossier?select=doc" + repeat("->a")},
		"deep logic":             {cat, "/genre?and=" + strings.Repeat("(not.and", 190) + "(id.eq.1)" + strings.Repeat(")", 190)},
		"long name":              {cat, "/genre?select=" + repeat("x")},
		"long table":             {cat, "/" + repeat("x")},
		"long embed":             {cat, "/movie?select=" + repeat("x") + "(id)"},
		"arguments":              {cat, "/rpc/add_two?" + strings.Repeat("a=1&", 990)},
		"different arguments":    {cat, "/rpc/add_two?" + manyNames(990)},
	}
}

// TestHostileRequests: a hostile request takes little memory, whether it is
// planned or refused.
func TestHostileRequests(t *testing.T) {
	for name, test := range hostileRequests(t) {
		q := newQuery(t, "GET", test.target, nil, "")
		var plan *Plan
		var err error
		memory := allocated(func() { plan, err = q.plan(New(test.cat, defaults)) })
		t.Logf("%s: %d KiB, %v", name, memory>>10, err)
		if memory > 128<<20 {
			t.Errorf("%s: %d MiB", name, memory>>20)
		}
		if err == nil && len(plan.Main.SQL) > sqlgen.MaxLength {
			t.Errorf("%s: %d bytes of SQL", name, len(plan.Main.SQL))
		}
	}
}

// BenchmarkHostile measures the time to plan or refuse a hostile request.
func BenchmarkHostile(b *testing.B) {
	for name, test := range hostileRequests(b) {
		b.Run(name, func(b *testing.B) {
			q := newQuery(b, "GET", test.target, nil, "")
			p := New(test.cat, defaults)
			for b.Loop() {
				q.plan(p)
			}
		})
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "n%d=1&", i)
	}
	return b.String()
}

func TestTooLargeStatements(t *testing.T) {
	long := strings.Repeat("x", 1000)
	n := &tree.Node{From: catalog.QI{Schema: "api", Name: "t"}, Limit: noLimit}
	for range 5000 {
		n.Select = append(n.Select, tree.SelectField{Field: tree.Field{Name: long}})
	}
	s := sqlgen.Rows(n, sqlgen.Total{}, nil, nil)
	if !s.TooLarge() || len(s.SQL) > 2*sqlgen.MaxLength {
		t.Errorf("%d bytes of SQL", len(s.SQL))
	}
	n.Select = nil
	for i := range int32(70000) {
		n.Where = append(n.Where, tree.Cond{Field: tree.Field{Name: "id"}, Slot: i})
	}
	var few sqlgen.Statement
	memory := allocated(func() { s = sqlgen.Rows(n, sqlgen.Total{}, nil, nil) })
	n.Where = n.Where[:60000]
	few = sqlgen.Rows(n, sqlgen.Total{}, nil, nil)
	if !s.TooLarge() || few.TooLarge() {
		t.Errorf("%d operands are too many: %v; %d: %v", len(s.Args), s.TooLarge(), len(few.Args), few.TooLarge())
	}
	if memory > 32<<20 {
		t.Errorf("%d MiB for %d operands", memory>>20, len(s.Args))
	}
	if err := (&Plan{Main: s}).finish(); !errors.Is(err, errTooLarge) {
		t.Errorf("got %v", err)
	}
}

// TestLongAliases: PostgreSQL cuts identifiers to 63 bytes. If that made two
// aliases equal, rows would be joined with themselves.
func TestLongAliases(t *testing.T) {
	name := strings.Repeat("länge", 10) + "xyz" // 63 bytes
	if len(name) != sqlgen.MaxIdentifier {
		t.Fatal(len(name))
	}
	cat := &catalog.Catalog{Tables: map[catalog.QI]*catalog.Table{}, Relationships: map[catalog.RelKey][]*catalog.Relationship{}}
	q := catalog.QI{Schema: "api", Name: name}
	cat.Tables[q] = &catalog.Table{QI: q}
	key := catalog.RelKey{Table: q, Schema: "api"}
	for _, r := range []*catalog.Relationship{
		{Table: q, Foreign: q, Self: true, Cardinality: catalog.ManyToOne, Constraint: "c", Columns: []catalog.ColumnPair{{Column: "parent", Foreign: "id"}}},
		{Table: q, Foreign: q, Self: true, Cardinality: catalog.OneToMany, Constraint: "c", Columns: []catalog.ColumnPair{{Column: "id", Foreign: "parent"}}},
	} {
		cat.Relationships[key] = append(cat.Relationships[key], r)
	}
	plan := mustPlan(t, New(cat, defaults), "/"+name+"?select=id,parent(id,parent(id)),a:parent(id,"+name+"(id)),"+name+"(id)")
	seen := map[string]bool{}
	var visit func(n *tree.Node)
	visit = func(n *tree.Node) {
		for _, c := range n.Children {
			for _, alias := range []string{c.Alias.Name, c.AggAlias} {
				switch {
				case len(alias) > sqlgen.MaxIdentifier:
					t.Errorf("%s has %d bytes", alias, len(alias))
				case !utf8.ValidString(alias):
					t.Errorf("%q is cut inside of a character", alias)
				case seen[alias]:
					t.Errorf("%s twice", alias)
				}
				seen[alias] = true
			}
			visit(c)
		}
	}
	visit(plan.root)
	if len(seen) != 10 {
		t.Errorf("%d aliases", len(seen))
	}
	if short := mustPlan(t, New(festival.Catalog(t), defaults), "/movie?select=country(name)").root.Children[0]; short.AggAlias != "movie_country_1" || short.Alias.Name != "country_1" {
		t.Errorf("short aliases are %s and %s, want movie_country_1 and country_1: error texts show them", short.AggAlias, short.Alias.Name)
	}
}
