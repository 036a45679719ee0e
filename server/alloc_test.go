//go:build !race

package server

import (
	"fmt"
	"testing"

	"github.com/fastgrest/fastgrest/server/oplog"
)

// TestAllocations checks the hot path: on a plan-cache hit our code allocates
// nothing from the request's bytes to the response's. fasthttp's work (reading
// the request, writing the response) is not measured here; BenchmarkRequest
// includes it.
func TestAllocations(t *testing.T) {
	t.Run("quiet", func(t *testing.T) { testAllocations(t, startTest(t, allocSchema)) })
	t.Run("auto", func(t *testing.T) { testAllocations(t, startTest(t, allocSchema, "db-request-settings", "auto")) })
	t.Run("replicas", func(t *testing.T) {
		testAllocations(t, startTest(t, allocSchema, "db-uri-read-replicas", "postgresql://127.0.0.1:1/none"))
	})
	// Every request logged, in either format.
	for _, json := range []bool{false, true} {
		t.Run(fmt.Sprintf("logged, json %t", json), func(t *testing.T) {
			s := startTest(t, allocSchema)
			s.log.SetLevel(oplog.Info)
			s.log.SetJSON(json)
			testAllocations(t, s)
		})
	}
}

func testAllocations(t *testing.T, s *testServer) {
	token := "Bearer " + s.sign(t, `{"role":"test_user","sub":"a"}`)
	for _, test := range []struct {
		name, method, target, body string
		headers                    map[string]string
	}{
		{"row by key", "GET", "/item?id=eq.7", "", nil},
		{"page", "GET", "/item?select=id,name,price,made&order=id.desc&limit=50&offset=10", "", nil},
		{"filters", "GET", "/item?or=(id.lt.5,name.like.a*)&id=in.(1,2,3)&name=not.is.null", "", nil},
		{"head with count", "HEAD", "/item?id=gt.5", "", map[string]string{"Prefer": "count=exact"}},
		{"exact count", "GET", "/item?id=gt.5&limit=3", "", map[string]string{"Prefer": "count=exact"}},
		{"json path", "GET", "/item?select=id,meta->a->>b&meta->>c=eq.1", "", nil},
		{"token", "GET", "/item?id=eq.7", "", map[string]string{"Authorization": token}},
		{"headers", "GET", "/item?id=eq.7", "", map[string]string{
			"Accept": "application/json", "User-Agent": "x/1", "Cookie": "a=b; c=d", "X-Forwarded-For": "10.0.0.1", "Accept-Encoding": "gzip",
		}},
		{"range", "GET", "/item?order=id", "", map[string]string{"Range": "0-9", "Range-Unit": "items"}},
		{"csv", "GET", "/item?select=id,name&limit=3", "", map[string]string{"Accept": "text/csv"}},
		{"embed, three levels", "GET", "/maker?select=id,item(id,part(id,maker(name)))&id=eq.1", "", nil},
		{"call by GET", "GET", "/rpc/add?a=1&b=2", "", nil},
		{"call by POST", "POST", "/rpc/add", `{"a":1,"b":2}`, nil},
		{"query", "QUERY", "/item?select=id", "id=in.(1,2,3)", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		{"insert", "POST", "/note", `{"body":"x"}`, nil},
		{"insert with representation", "POST", "/note", `[{"body":"x"},{"body":"y"}]`, map[string]string{"Prefer": "return=representation"}},
		{"update", "PATCH", "/note?id=eq.1", `{"body":"z"}`, nil},
		{"delete", "DELETE", "/note?id=eq.1", ``, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw := rawRequest(test.method, test.target, test.body, test.headers)
			ctx := newRequestCtx()
			read := requestReader(t, ctx, raw)
			run := func() {
				read()
				s.handle(ctx)
			}
			for range 20 { // let plans, statements and buffers settle
				run()
			}
			if status := ctx.Response.StatusCode(); status >= 300 {
				t.Fatalf("status %d: %s", status, ctx.Response.Body())
			}
			theirs := testing.AllocsPerRun(200, read)
			if n := testing.AllocsPerRun(200, run) - theirs; n > 0 {
				t.Errorf("%v allocations per request (fasthttp itself %v)", n, theirs)
			}
		})
	}
}
