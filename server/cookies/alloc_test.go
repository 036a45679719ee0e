//go:build !race

package cookies

import "testing"

var benchHeader = []byte(`session=0123456789abcdef; theme=dark; consent="yes"; lang=es; session=fedcba9876543210`)

func TestAllocs(t *testing.T) {
	dst := make([]byte, 0, 512)
	if n := testing.AllocsPerRun(100, func() { dst = AppendJSON(dst[:0], benchHeader) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchHeader)))
	dst := make([]byte, 0, 512)
	for b.Loop() {
		dst = AppendJSON(dst[:0], benchHeader)
	}
}
