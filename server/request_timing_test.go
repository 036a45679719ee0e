package server

import "testing"

// BenchmarkRequest is the whole server without client sockets: from the request's
// bytes through PostgreSQL to the response's bytes.
func BenchmarkRequest(b *testing.B) {
	s := startTest(b, allocSchema)
	for _, bench := range []struct{ name, method, target, body string }{
		{"RowByKey", "GET", "/item?id=eq.7", ""},
		{"Page", "GET", "/item?order=id&limit=100", ""},
		{"Embed", "GET", "/maker?select=id,name,item(id,name)&limit=5", ""},
		{"Call", "GET", "/rpc/add?a=1&b=2", ""},
		{"Insert", "POST", "/note", `{"body":"x"}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ctx := newRequestCtx()
			read := requestReader(b, ctx, rawRequest(bench.method, bench.target, bench.body, nil))
			b.ReportAllocs()
			for b.Loop() {
				read()
				s.handle(ctx)
			}
			if ctx.Response.StatusCode() >= 300 {
				b.Fatal(ctx.Response.StatusCode(), string(ctx.Response.Body()))
			}
		})
	}
}
