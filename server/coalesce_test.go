package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const coalesceSchema = allocSchema + `
create domain api."text/plain" as text;
create function api.text(n int, status text) returns api."text/plain" stable language plpgsql as
  $$ begin
       perform set_config('response.status', status, true);
       return repeat('x', n);
     end $$;
`

// TestCoalescedWrites sends bodies around the lengths at which a response is
// written differently, alone and in a pipeline: each arrives whole and in order.
func TestCoalescedWrites(t *testing.T) {
	s := startTest(t, coalesceSchema)
	addr := strings.TrimPrefix(serveTest(t, s), "http://")
	lengths := []int{0, 1, 3000, 4000, 4095, 4096, 4097, 8000, 8188, 8189, 8190, 8192, 9000, 12288, 20000, 60000, 70000, 200000}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	ask := func(w io.Writer, method string, n, status int) {
		fmt.Fprintf(w, "%s /rpc/text?n=%d&status=%d HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n", method, n, status)
	}
	hear := func(method string, n, status int) {
		t.Helper()
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s %d: %v", method, n, err)
		}
		body, err := io.ReadAll(resp.Body)
		if method == "HEAD" { // the function is not called
			status = 200
		}
		if err != nil || resp.StatusCode != status {
			t.Fatalf("%s %d: %d %v", method, n, resp.StatusCode, err)
		}
		want := strings.Repeat("x", n)
		if method == "HEAD" || status == 204 {
			want = ""
		}
		if string(body) != want {
			t.Fatalf("%s %d: %d bytes", method, n, len(body))
		}
	}
	for range 3 {
		for _, n := range lengths {
			for _, method := range []string{"GET", "HEAD"} {
				for _, status := range []int{200, 204} {
					ask(conn, method, n, status)
					hear(method, n, status)
				}
			}
		}
	}
	var all strings.Builder
	for range 3 {
		for _, n := range lengths {
			ask(&all, "GET", n, 200)
		}
	}
	go io.WriteString(conn, all.String())
	for range 3 {
		for _, n := range lengths {
			hear("GET", n, 200)
		}
	}
}
