package planner

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

func testPlan(sql string) *Plan { return &Plan{Main: sqlgen.Statement{SQL: sql}} }

func newCache(max int) *cache {
	c := &cache{}
	c.init(max, nil)
	return c
}

func TestCacheKeeps(t *testing.T) {
	c := newCache(100)
	if c.get([]byte("a")) != nil {
		t.Fatal("an empty cache has a plan")
	}
	plan := testPlan("select 1")
	if c.put([]byte("a"), plan).Plan != plan {
		t.Error("the first plan was replaced")
	}
	if c.put([]byte("a"), testPlan("select 1")).Plan != plan {
		t.Error("the first plan for a key was replaced: it may have prepared statements")
	}
	for range 10 {
		if c.get([]byte("a")).Plan != plan {
			t.Fatal("lost")
		}
	}
	if len(c.fresh) != 0 {
		t.Error("a plan in use was not merged into the map without a lock")
	}
	if c.put([]byte("a"), testPlan("select 1")).Plan != plan {
		t.Error("replaced after it was merged")
	}
	if entries, made := c.stats(); entries != 1 || made != 3 {
		t.Errorf("%d entries, %d made, want 1 and 3", entries, made)
	}
}

// TestCacheShares: equal plans become one plan, whatever their keys are.
func TestCacheShares(t *testing.T) {
	c := newCache(100)
	a := c.put([]byte("a"), testPlan("select 1"))
	if c.put([]byte("b"), testPlan("select 1")) != a {
		t.Error("equal plans are not shared")
	}
	other := testPlan("select 1")
	other.Singular = true
	if c.put([]byte("c"), other).Plan != other {
		t.Error("different plans with the same SQL are shared")
	}
	c.merge()
	if c.put([]byte("d"), testPlan("select 1")) == nil || c.get([]byte("b")) != a || c.get([]byte("c")).Plan != other {
		t.Error("the merge lost a plan")
	}
}

func TestCacheIsBounded(t *testing.T) {
	const most = 50
	c := newCache(most)
	for i := range 20 * most {
		key := fmt.Appendf(nil, "key %d", i)
		c.put(key, testPlan(string(key)))
		if i%3 == 0 {
			c.get(key)
		}
		if entries, _ := c.stats(); entries > most+most/4+17 {
			t.Fatalf("%d entries after %d plans", entries, i+1)
		}
		if len(c.plans) > most+most/4+17 {
			t.Fatalf("%d plans known by their SQL", len(c.plans))
		}
	}
	if entries, made := c.stats(); entries < most/2 || made != 20*most {
		t.Errorf("%d entries of %d plans", entries, made)
	}
}

// TestCacheWeight: the weight of the plans is bounded.
func TestCacheWeight(t *testing.T) {
	c := newCache(50)
	weight := func() (sum int) {
		for _, m := range []map[string]*entry{*c.read.Load(), c.fresh} {
			for _, e := range m {
				sum += e.weight
			}
		}
		return sum
	}
	for i := range 200 {
		c.put(fmt.Appendf(nil, "key %d", i), testPlan(strings.Repeat("x", 50<<10)+fmt.Sprint(i)))
		if w := weight(); w > c.maxWeight+c.maxWeight/2 {
			t.Fatalf("plans of %d bytes, at most %d wanted", w, c.maxWeight)
		}
	}
	giant := testPlan(strings.Repeat("x", c.maxWeight))
	if c.put([]byte("giant"), giant).Plan != giant || c.get([]byte("giant")) != nil {
		t.Error("a plan that is too heavy was kept")
	}
}

// TestCacheFlood: a flood of shapes that are used once displaces no plans in
// use.
func TestCacheFlood(t *testing.T) {
	c := newCache(100)
	for i := range 40 {
		key := fmt.Appendf(nil, "used %d", i)
		c.put(key, testPlan(string(key)))
		c.get(key)
	}
	for i := range 10000 {
		key := fmt.Appendf(nil, "flood %d", i)
		c.put(key, testPlan(string(key)))
		if i%2 == 0 {
			key := fmt.Appendf(nil, "used %d", i/2%40)
			if c.get(key) == nil {
				t.Fatalf("%s was pushed out after %d others", key, i)
			}
		}
	}
}

// TestCacheStates: the state of a plan is made once and shared by all of its
// keys.
func TestCacheStates(t *testing.T) {
	made := 0
	c := &cache{}
	c.init(100, func(p *Plan) any { made++; return p.Main.SQL })
	for _, key := range []string{"a", "b", "a"} {
		if kept := c.put([]byte(key), testPlan("select 1")); kept.State != "select 1" {
			t.Errorf("%s: state %v", key, kept.State)
		}
	}
	if c.get([]byte("a")) != c.get([]byte("b")) || made != 1 {
		t.Errorf("%d states for one plan", made)
	}
}

func TestNoCache(t *testing.T) {
	c := newCache(0)
	plan := testPlan("select 1")
	if c.put([]byte("a"), plan).Plan != plan || c.get([]byte("a")) != nil {
		t.Error("a cache without room kept a plan")
	}
}

func TestCacheConcurrent(t *testing.T) {
	c := newCache(64)
	var wg sync.WaitGroup
	var made atomic.Int64
	for worker := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				key := fmt.Appendf(nil, "%d", (i*7+worker)%100)
				plan := c.get(key)
				if plan == nil {
					made.Add(1)
					plan = c.put(key, testPlan(string(key)))
				}
				if plan.Main.SQL != string(key) {
					t.Errorf("%s got the plan of %s", key, plan.Main.SQL)
					return
				}
			}
		})
	}
	wg.Wait()
	if entries, _ := c.stats(); entries > 64+33 {
		t.Errorf("%d entries", entries)
	}
}
