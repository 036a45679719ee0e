package planner

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// bigCatalog returns a catalog of tables with five foreign keys each, spread
// over the other tables. All tables refer to the table hub.
func bigCatalog(tables int) *catalog.Catalog {
	cat := &catalog.Catalog{Tables: map[catalog.QI]*catalog.Table{}, Relationships: map[catalog.RelKey][]*catalog.Relationship{}}
	add := func(name string) catalog.QI {
		q := catalog.QI{Schema: "api", Name: name}
		t := &catalog.Table{QI: q, PrimaryKey: []string{"id"}, Insertable: true, Updatable: true, Deletable: true}
		for _, column := range []string{"id", "name", "hub_id", "r0", "r1", "r2", "r3", "r4"} {
			t.Columns = append(t.Columns, &catalog.Column{Name: column, Type: "integer", NominalType: "integer"})
		}
		cat.Tables[q] = t
		return q
	}
	relate := func(from, to catalog.QI, column, name string) {
		there := &catalog.Relationship{
			Table: from, Foreign: to, Cardinality: catalog.ManyToOne, Constraint: name, Columns: []catalog.ColumnPair{{Column: column, Foreign: "id"}},
		}
		back := &catalog.Relationship{
			Table: to, Foreign: from, Cardinality: catalog.OneToMany, Constraint: name, Columns: []catalog.ColumnPair{{Column: "id", Foreign: column}},
		}
		for _, r := range []*catalog.Relationship{there, back} {
			key := catalog.RelKey{Table: r.Table, Schema: "api"}
			cat.Relationships[key] = append(cat.Relationships[key], r)
		}
	}
	hub := add("hub")
	names := make([]catalog.QI, tables)
	for i := range names {
		names[i] = add(fmt.Sprintf("table_%d", i))
		relate(names[i], hub, "hub_id", fmt.Sprintf("table_%d_hub", i))
	}
	for i, from := range names {
		for k := range 5 {
			relate(from, names[(i*7919+k*104729+1)%tables], fmt.Sprintf("r%d", k), fmt.Sprintf("table_%d_r%d", i, k))
		}
	}
	return cat
}

// deepTarget returns a request that embeds three levels of tables along the
// foreign keys of bigCatalog.
func deepTarget(tables int) string {
	next := func(i, k int) int { return (i*7919 + k*104729 + 1) % tables }
	a := 17 % tables
	b := next(a, 0)
	c := next(b, 1)
	return fmt.Sprintf("/table_%d?select=id,name,r0(id,name,r1(id,r2(name)),hub(name))&r0.name=eq.1&r0.order=id&r0.r1.limit=3&or=(id.eq.%d,id.gt.%d)&order=id&limit=20", a, b, c)
}

// TestBigCatalog: planning looks only at candidates, not at the whole catalog.
func TestBigCatalog(t *testing.T) {
	cat := bigCatalog(10000)
	relationships := 0
	for _, list := range cat.Relationships {
		relationships += len(list)
	}
	if len(cat.Tables) < 10000 || relationships < 50000 {
		t.Fatalf("%d tables, %d relationships", len(cat.Tables), relationships)
	}
	o := defaults
	o.CacheMaxEntries = 0
	p := New(cat, o)
	for _, target := range []string{
		deepTarget(10000),
		"/hub?select=id,table_77(id)", // the only list with many entries
		"/hub?select=id,table_77(id,hub(id,table_78(id,hub(id))))",
	} {
		q := newQuery(t, "GET", target, nil, "")
		memory := allocated(func() {
			if _, err := q.plan(p); err != nil {
				t.Fatal(target, err)
			}
		})
		t.Logf("%s: %d KiB", target, memory>>10)
		if memory > 256<<10 {
			t.Errorf("%s: %d KiB to plan", target, memory>>10)
		}
	}
}

// TestHintsOfBigCatalog: a request for a name that does not exist takes little
// work and still gets a suggestion.
func TestHintsOfBigCatalog(t *testing.T) {
	p := New(bigCatalog(10000), defaults)
	for target, want := range map[string]string{
		"/hub?select=id,tabel_999(id)":          "Perhaps you meant 'table_999' instead of 'tabel_999'.",
		"/table_5?select=id,hubb(id)":           "Perhaps you meant 'hub' instead of 'hubb'.",
		"/hub?select=id," + long(2000) + "(id)": "",
	} {
		q := newQuery(t, "GET", target, nil, "")
		var e *Error
		ask := func() {
			if _, err := q.plan(p); !errors.As(err, &e) || e.Kind != NoRelationship {
				t.Fatal(target, err)
			}
		}
		ask() // makes the index
		memory := allocated(ask)
		t.Logf("%.40s: %d KiB", target, memory>>10)
		if memory > 1<<20 {
			t.Errorf("%.40s: %d KiB for a hint", target, memory>>10)
		}
		if e.Suggestion != want {
			t.Errorf("%.40s: %q, want %q", target, e.Suggestion, want)
		}
	}
}

func long(n int) string { return strings.Repeat("table_", n/6) }

// allocated returns the number of bytes that run allocates. It shows how much
// of the catalog run looks at, without a clock.
func allocated(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
