//go:build !race

package server

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestStreamedBodyAllocations: a streamed body, as a real server always has it,
// costs no allocation.
func TestStreamedBodyAllocations(t *testing.T) {
	s := startTest(t, allocSchema)
	rows := "[" + strings.Repeat(`{"body":"0123456789012345678901234567890123456789"},`, 400) + `{"body":"x"}]`
	chunked := func(body string) string {
		return fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	known := func(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }
	for _, test := range []struct{ name, request string }{
		{"small", "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + known(`{"body":"x"}`)},
		{"small, chunked", "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + chunked(`{"body":"x"}`)},
		{"bulk", "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + known(rows)},
		{"ignored", "DELETE /note?id=eq.1 HTTP/1.1\r\nHost: a\r\n" + known(`{"body":"x"}`)},
		{"none", "DELETE /note?id=eq.1 HTTP/1.1\r\nHost: a\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := newRequestCtx()
			raw := []byte(test.request)
			source := bytes.NewReader(raw)
			buffered := bufio.NewReaderSize(source, 64<<10)
			read := func() {
				source.Reset(raw)
				buffered.Reset(source)
				ctx.Response.Reset()
				ctx.Request.Reset() // gives the stream of the last request back
				if err := ctx.Request.Header.Read(buffered); err != nil {
					t.Fatal(err)
				}
				if err := ctx.Request.ContinueReadBodyStream(buffered, 0, false); err != nil {
					t.Fatal(err)
				}
			}
			run := func() {
				read()
				s.handle(ctx)
			}
			for range 20 {
				run()
			}
			if status := ctx.Response.StatusCode(); status >= 300 {
				t.Fatalf("status %d: %s", status, ctx.Response.Body())
			}
			theirs := testing.AllocsPerRun(100, read)
			n := testing.AllocsPerRun(100, run) - theirs
			// A large argument is sent by a separate goroutine, with its pieces in a list.
			most := 0.0
			if test.name == "bulk" {
				most = 4
			}
			if n > most {
				t.Errorf("%v allocations per request (fasthttp itself %v)", n, theirs)
			}
		})
	}
}
