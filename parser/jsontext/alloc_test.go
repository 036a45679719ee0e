//go:build !race

package jsontext

import "testing"

var benchText = []byte(`Mozilla/5.0 (X11; Linux x86_64) "quoted" ünï`)

func TestAllocs(t *testing.T) {
	dst := make([]byte, 0, 256)
	text := string(benchText)
	if n := testing.AllocsPerRun(100, func() {
		dst = AppendString(dst[:0], benchText)
		dst = AppendString(dst, text)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendString(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchText)))
	dst := make([]byte, 0, 256)
	for b.Loop() {
		dst = AppendString(dst[:0], benchText)
	}
}
