//go:build !race

package pool_test

import (
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

func TestAcquireAllocatesNothing(t *testing.T) {
	p := open(t, shared(t))
	acquire(t, p).Release()
	if n := testing.AllocsPerRun(1000, func() {
		c, err := p.Acquire(bg)
		if err != nil {
			t.Fatal(err)
		}
		c.Release()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAcquireSlowAllocatesNothing(t *testing.T) {
	p := open(t, reserving(t))
	acquireSlow(t, p).Release()
	if n := testing.AllocsPerRun(1000, func() {
		c, err := p.AcquireFor(bg, pool.Slow)
		if err != nil {
			t.Fatal(err)
		}
		c.Release()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAcquire(b *testing.B) {
	o := options(b, pgtest.Start(b).URI("postgres", pgtest.Superuser))
	p := open(b, o)
	acquire(b, p).Release()
	b.ReportAllocs()
	for b.Loop() {
		c, err := p.Acquire(bg)
		if err != nil {
			b.Fatal(err)
		}
		c.Release()
	}
}
