//go:build !race

package header

import "testing"

var benchPrefer = []byte("return=representation, count=exact, handling=strict, max-affected=10, timezone=Europe/Madrid, foo")

var benchAccept = map[string][]byte{
	"json":    []byte("application/json"),
	"object":  []byte("application/vnd.pgrst.object+json;nulls=stripped"),
	"plan":    []byte(`application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object"; options=analyze|verbose`),
	"several": []byte("text/csv; q=0.5, application/json; q=0.9, */*; q=0.1"),
}

func TestAllocs(t *testing.T) {
	var p Prefer
	applied := make([]byte, 0, 256)
	p.Add(benchPrefer, true)
	if n := testing.AllocsPerRun(100, func() {
		p.Reset()
		p.Add(benchPrefer, true)
		applied = p.AppendApplied(applied[:0])
	}); n != 0 {
		t.Errorf("Prefer: %v allocations", n)
	}
	types := make([]Media, 0, 8)
	for name, value := range benchAccept {
		if n := testing.AllocsPerRun(100, func() {
			types = ParseAccept(types[:0], value)
			applied = types[0].AppendContentType(applied[:0])
		}); n != 0 {
			t.Errorf("Accept, %s: %v allocations", name, n)
		}
	}
}

func BenchmarkPrefer(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchPrefer)))
	var p Prefer
	for b.Loop() {
		p.Reset()
		p.Add(benchPrefer, true)
	}
}

func BenchmarkParseAccept(b *testing.B) {
	for name, value := range benchAccept {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(value)))
			var types []Media
			for b.Loop() {
				types = ParseAccept(types[:0], value)
			}
		})
	}
}
