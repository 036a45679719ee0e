package planner

import (
	"fmt"
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

func planTargets(tables int) []struct{ name, target string } {
	return []struct{ name, target string }{
		{"row", "/table_17?id=eq.1"},
		{"page", "/table_17?select=id,name,r0&name=gt.5&order=id.desc&limit=20&offset=40"},
		{"three levels", deepTarget(tables)},
	}
}

// BenchmarkMiss measures making a plan: resolve, inspect, print.
func BenchmarkMiss(b *testing.B) {
	o := defaults
	o.CacheMaxEntries = 0
	for _, tables := range []int{100, 10000} {
		p := New(bigCatalog(tables), o)
		for _, test := range planTargets(tables) {
			b.Run(fmt.Sprintf("%s of %d tables", test.name, tables), func(b *testing.B) {
				q := newQuery(b, "GET", test.target, nil, "")
				b.ReportAllocs()
				for b.Loop() {
					if _, err := q.plan(p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkHit measures finding a plan among a thousand.
func BenchmarkHit(b *testing.B) {
	p := New(bigCatalog(100), defaults)
	fill(b, p, 990)
	for _, test := range planTargets(100) {
		b.Run(test.name, func(b *testing.B) {
			q := newQuery(b, "GET", test.target, nil, "")
			for range 2000 {
				if _, err := q.plan(p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, hit, _ := p.Find(&q.Request); !hit {
					b.Fatal("missed")
				}
			}
		})
	}
}

// fill plans n different requests, twice each.
func fill(tb testing.TB, p *Planner, n int) {
	tb.Helper()
	for range 2 {
		for i := range n {
			q := newQuery(tb, "GET", fmt.Sprintf("/table_%d?select=id,c%d:name", i%100, i), nil, "")
			if _, err := q.plan(p); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func BenchmarkHitParallel(b *testing.B) {
	p := New(bigCatalog(100), defaults)
	fill(b, p, 990)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		q := newQuery(b, "GET", deepTarget(100), nil, "")
		for pb.Next() {
			if _, err := q.plan(p); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkMerge measures the merge of a new plan into a full cache.
func BenchmarkMerge(b *testing.B) {
	p := New(&catalog.Catalog{}, defaults)
	for i := range 2000 {
		key := fmt.Appendf(nil, "a key of some length, as keys are: %d", i)
		p.cache.put(key, testPlan(string(key)))
		p.cache.get(key)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.cache.merge()
	}
}

func BenchmarkLimits(b *testing.B) {
	var l limits
	for _, limit := range []int64{10, 20, 25, 50, 100, 200} {
		l.comes(limit, admitAfter+1)
	}
	b.Run("admitted", func(b *testing.B) {
		for b.Loop() {
			l.inline(100)
		}
	})
	b.Run("unknown", func(b *testing.B) {
		n := int64(0)
		for b.Loop() {
			n++
			l.inline(n & 0xffff)
		}
	})
}
