package oplog

import (
	"io"
	"testing"
)

func benchmarkLine() *Access {
	return &Access{Remote: tcp("127.0.0.1"), Role: []byte("web_anon"), Method: []byte("GET"),
		Target: []byte("/movie?select=id,title,country(name)&order=id&limit=20"), Status: 200, Length: 2345, UserAgent: []byte("curl/8.7.1")}
}

func BenchmarkAccess(b *testing.B) {
	l := New(Options{Out: io.Discard, Level: Info})
	defer l.Close()
	a := benchmarkLine()
	b.ReportAllocs()
	for b.Loop() {
		l.Access(a)
	}
}

func BenchmarkAccessParallel(b *testing.B) {
	l := New(Options{Out: io.Discard, Level: Info})
	defer l.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		a := benchmarkLine()
		for pb.Next() {
			l.Access(a)
		}
	})
}

func BenchmarkAccessBelowLevel(b *testing.B) {
	l := New(Options{Out: io.Discard, Level: Error})
	defer l.Close()
	a := benchmarkLine()
	b.ReportAllocs()
	for b.Loop() {
		l.Access(a)
	}
}
