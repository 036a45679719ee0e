package server

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/server/clients"
)

const streamSchema = allocSchema + `
create domain api."application/octet-stream" as bytea;
-- n bytes, of which no two neighbouring kilobytes are equal
create function api.bytes(n int) returns api."application/octet-stream" immutable language sql as
  $$ select string_agg(sha256(i::text::bytea), ''::bytea)::api."application/octet-stream" from generate_series(1, n / 32) i $$;
create function api.labelled(n int) returns api."application/octet-stream" stable language plpgsql as
  $$ begin
       perform set_config('response.headers', '[{"Content-Type": "image/x-noise"}]', true);
       return api.bytes(n);
     end $$;
create table api.big (id int primary key, body text);
insert into api.big select i, repeat(i::text || ' ', 2000) from generate_series(1, 2000) i;
grant all on all tables in schema api to test_anon;
`

// serveTest opens a socket for the test's server.
func serveTest(tb testing.TB, s *testServer) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	serveAPI(tb, s.apiServer(s.config(), l))
	return "http://" + l.Addr().String()
}

// serveAPI serves until the test ends.
func serveAPI(tb testing.TB, api *clients.Server) {
	ended := make(chan error, 1)
	go func() { ended <- api.Serve() }()
	tb.Cleanup(func() {
		if err := api.Shutdown(time.Minute); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
		if err := <-ended; err != nil {
			tb.Errorf("Serve: %v", err)
		}
	})
}

// get asks for bytes: without the header it would be JSON.
func get(tb testing.TB, url, accept string, headers ...string) *http.Response {
	tb.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	return resp
}

const octets = "application/octet-stream"

func noise(n int) [32]byte {
	h := sha256.New()
	for i := 1; i <= n/32; i++ {
		sum := sha256.Sum256(fmt.Append(nil, i))
		h.Write(sum[:])
	}
	return [32]byte(h.Sum(nil))
}

// TestStream: bodies beyond pgwire.LargeRow arrive whole, with their length,
// and with what the database said about the response.
func TestStream(t *testing.T) {
	s := startTest(t, streamSchema)
	url := serveTest(t, s)
	for _, size := range []int{32, 1 << 20, 1<<20 - 64, 5 << 20, 64 << 20} {
		resp := get(t, fmt.Sprintf("%s/rpc/bytes?n=%d", url, size), octets)
		h := sha256.New()
		n, err := io.Copy(h, resp.Body)
		resp.Body.Close()
		if err != nil || n != int64(size) || resp.ContentLength != n || resp.StatusCode != 200 {
			t.Fatalf("%d bytes: status %d, %d of %d bytes, %v", size, resp.StatusCode, n, resp.ContentLength, err)
		}
		if [32]byte(h.Sum(nil)) != noise(size) {
			t.Errorf("%d bytes: other bytes", size)
		}
		if got := resp.Header.Get("Content-Type"); got != "application/octet-stream" {
			t.Errorf("%d bytes: Content-Type %q", size, got)
		}
		if resp.Header.Get("Vary") == "" || resp.Header.Get("Content-Range") != "0-0/*" {
			t.Errorf("%d bytes: headers %v", size, resp.Header)
		}
	}
	resp := get(t, url+"/rpc/labelled?n=8000000", octets)
	if n, _ := io.Copy(io.Discard, resp.Body); n != 8000000 || resp.Header.Get("Content-Type") != "image/x-noise" {
		t.Errorf("%d bytes as %q", n, resp.Header.Get("Content-Type"))
	}
	resp.Body.Close()

	resp = get(t, url+"/big?order=id", "text/csv", "Prefer", "count=exact")
	csv, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if lines := strings.Count(string(csv), "\n"); err != nil || lines != 2000 || resp.Header.Get("Content-Range") != "0-1999/2000" {
		t.Errorf("csv: %d lines, %q, %v", lines, resp.Header.Get("Content-Range"), err)
	}

	// A small response after a large one, in the pool's reused buffers.
	resp = get(t, url+"/item?id=eq.1&select=id", "application/json")
	if b, _ := io.ReadAll(resp.Body); string(b) != `[{"id":1}]` {
		t.Errorf("afterwards: %s", b)
	}
	resp.Body.Close()
}

// TestStreamMemory: several large responses at once, read slowly, take little
// memory, because each client gets its bytes no faster than it reads them.
func TestStreamMemory(t *testing.T) {
	s := startTest(t, streamSchema, "spool-send-timeout", "0") // they pause for as long as the others take
	url := serveTest(t, s)
	const clients, size = 4, 24 << 20
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var bodies []io.ReadCloser
	for range clients {
		resp := get(t, fmt.Sprintf("%s/rpc/bytes?n=%d", url, size), octets)
		if n, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
			t.Fatalf("status %d, %d bytes, %v", resp.StatusCode, n, err)
		}
		bodies = append(bodies, resp.Body)
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d answers of %d MB under way take %d MB", clients, size>>20, grown>>20)
	}
	for _, b := range bodies {
		if n, err := io.Copy(io.Discard, b); err != nil || n != size-1<<20 {
			t.Errorf("the rest: %d bytes, %v", n, err)
		}
		b.Close()
	}
}

// TestStreamAbandoned: a client that disconnects in the middle of a response does
// not keep a database connection.
func TestStreamAbandoned(t *testing.T) {
	t.Parallel()
	s := startTest(t, streamSchema)
	url := serveTest(t, s)
	for range 3 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /rpc/bytes?n=%d HTTP/1.1\r\nHost: x\r\nAccept: application/octet-stream\r\n\r\n", 16<<20)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, "200") {
			t.Fatalf("%q, %v", line, err)
		}
		conn.Close()
	}
	s.settles(t)
	resp := get(t, url+"/item?id=eq.1&select=id", "application/json")
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("afterwards: %s", resp.Status)
	}
}

// TestStreamPipelined: responses come in the order of requests, whatever the
// client has sent meanwhile.
func TestStreamPipelined(t *testing.T) {
	t.Parallel()
	s := startTest(t, streamSchema)
	address := strings.TrimPrefix(serveTest(t, s), "http://")
	const small = "GET /item?id=eq.1&select=id HTTP/1.1\r\nHost: a\r\n\r\n"
	const large = "GET /rpc/bytes?n=8000000 HTTP/1.1\r\nHost: a\r\nAccept: " + octets + "\r\n\r\n"
	for _, test := range []struct {
		name  string
		parts []string // with a pause in between
		sizes []int
	}{
		{"at once", []string{small + large}, []int{10, 8000000}},
		{"three at once", []string{small + small + large}, []int{10, 10, 8000000}},
		{"cut in the second", []string{small + large[:20], large[20:]}, []int{10, 8000000}},
		{"one after the other", []string{small, large}, []int{10, 8000000}},
		{"large ones first", []string{large + large + small}, []int{8000000, 8000000, 10}},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go func() {
				for _, part := range test.parts {
					io.WriteString(conn, part)
					time.Sleep(200 * time.Millisecond)
				}
			}()
			r := bufio.NewReader(conn)
			for i, size := range test.sizes {
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); n != int64(size) || err != nil {
					t.Fatalf("answer %d has %d bytes (%v), want %d", i, n, err, size)
				}
			}
		})
	}
}
