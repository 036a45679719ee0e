//go:build !race

package body

import (
	"fmt"
	"strings"
	"testing"
)

// bodies are what the benchmarks and the allocation test read.
var bodies = []struct {
	name string
	text []byte
}{
	{"object", []byte(`{"id": 50, "name": "Noir", "tags": ["a", "b"], "meta": {"x": 1.5, "y": null}, "released": "1948-02-20"}`)},
	{"array", rows(`{"id": %d, "name": "Noir of the year", "rating": 7.5, "tags": ["a", "b"], "ok": true}`, 1000)},
	{"shuffled", []byte(`[` + strings.Repeat(`{"a":1,"b":2,"c":3},{"c":1,"a":2,"b":3},`, 500) + `{"a":1,"b":2,"c":3}]`)},
	{"escaped", []byte(`[` + strings.Repeat(`{"\u0061":1,"b\n":2},{"a":1,"b\u000a":2},`, 500) + `{"a":1,"b\n":2}]`)},
	{"unicode", rows(`{"id": %d, "name": "Ünïcödé Фильм 映画", "note": "line\nline"}`, 1000)},
	{"longtext", []byte(`{"body": "` + strings.Repeat("lorem ipsum dolor sit amet ", 4000) + `"}`)},
}

func rows(format string, n int) []byte {
	text := fmt.Appendf([]byte{'['}, format, 0)
	for i := range n {
		text = fmt.Appendf(append(text, ','), format, i)
	}
	return append(text, ']')
}

func TestAllocs(t *testing.T) {
	var p Payload
	for _, body := range bodies {
		if err := p.ParseJSON(body.text, false); err != nil {
			t.Fatal(body.name, err)
		}
		if n := testing.AllocsPerRun(20, func() {
			if p.ParseJSON(body.text, false) != nil {
				t.Fail()
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", body.name, n)
		}
	}
	for _, text := range []string{`{"a":`, `[{"a":1},{"b":1}]`, `[1]`, `3`} {
		if n := testing.AllocsPerRun(20, func() { p.ParseJSON([]byte(text), false) }); n > 1 { // the conversion
			t.Errorf("%s: %v allocations", text, n)
		}
	}
	dst := make([]byte, 0, 4096)
	csv, form := []byte("id,name\n1,a\n2,\"b\"\"c\"\n"), []byte("id=1&name=two+words&name=x")
	for range 2 {
		dst, _ = p.ParseCSV(dst[:0], csv, 4096)
		dst, _ = p.ParseForm(dst[:0], form)
	}
	if n := testing.AllocsPerRun(20, func() { dst, _ = p.ParseCSV(dst[:0], csv, 4096) }); n != 0 {
		t.Errorf("CSV: %v allocations", n)
	}
	if n := testing.AllocsPerRun(20, func() {
		dst, _ = p.ParseForm(dst[:0], form)
		_ = p.ParseArgs(form)
	}); n != 0 {
		t.Errorf("form: %v allocations", n)
	}
}

func BenchmarkParseJSON(b *testing.B) {
	for _, body := range bodies {
		b.Run(body.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body.text)))
			var p Payload
			for b.Loop() {
				if err := p.ParseJSON(body.text, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseCSV(b *testing.B) {
	text := []byte("id,name,rating,note\n" + strings.Repeat("1,Noir of the year,7.5,\"said \"\"so\"\"\"\n", 1000))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	var p Payload
	var dst []byte
	for b.Loop() {
		var err error
		if dst, err = p.ParseCSV(dst[:0], text, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseForm(b *testing.B) {
	text := []byte("id=50&name=two+words%21&note=" + strings.Repeat("text%20", 100))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	var p Payload
	var dst []byte
	for b.Loop() {
		dst, _ = p.ParseForm(dst[:0], text)
	}
}
