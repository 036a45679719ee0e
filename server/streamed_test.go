package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/spool"
)

const linesSchema = spooledSchema + `
create function public.waits(lock int) returns int volatile language sql as 'select pg_advisory_xact_lock_shared(lock); select lock';
-- rows that fill the send buffer of PostgreSQL, of which the last waits for the test
create view api.tail as select i as id, repeat('t', 9000) as body, case when i = 4 then public.waits(7) end as waited from generate_series(1, 4) i;
create view api.endless as select generate_series(1, 100000000) as id, repeat('e', 1000) as body; -- one by one
create type api.odd as (a int, b text);
create table api.kinds (id int primary key, j json, jb jsonb, o api.odd, d date, f float8, x text, "a,b" text);
insert into api.kinds values (1, E'{\r\n "a": [1,\n2]}', '{"b": "x\ny"}', (1, 'q"\'), '2020-02-29', 'NaN', E'tab\tline\nquote"back\\slash', ''),
  (2, null, null, null, null, null, '(plain)', null), (3, '1', '[]', (null, ''), 'infinity', 1e300, 'ümläut', 'a b');
create table api.child (id int primary key, kinds_id int references api.kinds, note text);
insert into api.child values (1, 1, E'a\nb'), (2, 1, null), (3, 2, 'c');
create function api.numbers(n int) returns setof int stable language sql as 'select * from generate_series(1, n)';
create function api.one() returns api.kinds stable language sql as 'select * from api.kinds where id = 2';
create function api.writes(n int) returns setof api.copy volatile language sql as
  $$ insert into api.copy select i, 'written' from generate_series(1, n) i returning * $$;
create function api.refuses() returns void language sql as $$ select set_config('response.status', '204', true) $$;
grant all on all tables in schema api to test_anon;
notify pgrst;
`

const ndjson = "application/x-ndjson"

// readAll reads a response and fails the test if it is incomplete.
func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%v after %d bytes", err, len(b))
	}
	return string(b)
}

// TestLines: a response in lines has the rows of the ordinary response, whether its
// rows are streamed or kept, in the forms of both the server and PostgreSQL.
func TestLines(t *testing.T) {
	s := startTest(t, linesSchema, "db-max-rows", "5000")
	url := serveTest(t, s)
	for _, target := range []string{
		"/big?order=id&limit=150", "/uneven?order=id", "/big?id=eq.0", "/kinds?order=id", "/kinds?order=id&select=id,id,x", "/kinds?select=id,x,child(id,note)&order=id",
		"/kinds?select=id,...child(notes:note)&order=id", "/rpc/numbers?n=3000", "/rpc/numbers?n=0", "/rpc/one", "/rpc/ends?how=well&limit=100", "/big?order=id&limit=7&offset=3",
		"/giant?order=id", "/rpc/numbers?n=9000",
	} {
		for range 2 {
			array := readAll(t, get(t, url+target, "application/json"))
			var rows []json.RawMessage
			if err := json.Unmarshal([]byte(array), &rows); err != nil {
				rows = []json.RawMessage{json.RawMessage(array)}
			}
			resp := get(t, url+target, ndjson, "Prefer", "count=exact")
			body := readAll(t, resp)
			if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != ndjson || resp.Header.Get("Content-Range")+resp.Header.Get("Preference-Applied") != "" {
				t.Errorf("%s: %s %v", target, resp.Status, resp.Header)
			}
			lines := strings.SplitAfter(body, "\n")
			if lines[len(lines)-1] != "" || len(lines)-1 != len(rows) {
				t.Fatalf("%s: %d lines, %d rows", target, len(lines)-1, len(rows))
			}
			for i, row := range rows {
				var want, got bytes.Buffer
				if json.Compact(&want, row) != nil || json.Compact(&got, []byte(lines[i])) != nil || want.String() != got.String() {
					t.Fatalf("%s: line %d is %.200s, want %.200s", target, i, got.String(), want.String())
				}
			}
			whole := get(t, url+target, "text/csv")
			streamed := get(t, url+target, "text/csv", "Prefer", "stream")
			if got, want := readAll(t, streamed), readAll(t, whole); got != want {
				t.Errorf("%s: CSV of %d bytes, %.300q, want %d, %.300q", target, len(got), got, len(want), want)
			}
			applied := streamed.Header.Get("Preference-Applied")
			if (applied == "stream") != (target != "/rpc/one") || whole.Header.Get("Preference-Applied") != "" {
				t.Errorf("%s: Preference-Applied: %q", target, applied)
			}
		}
	}
	s.settles(t)
}

// TestStreamedHead: what the head of a streamed response has.
func TestStreamedHead(t *testing.T) {
	s := startTest(t, linesSchema, "db-pre-request", "api.before")
	url := serveTest(t, s)
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	for _, test := range []struct {
		method, target, body string
		headers              []string
		status               int
		header, value        string
		streamed             bool
	}{
		{"GET", "/big", "", []string{"Accept", ndjson}, 200, "X-Before", "yes", true},
		{"GET", "/big", "", []string{"Accept", ndjson + ";q=0.5, text/csv;q=0.4"}, 200, "Content-Type", ndjson, true},
		{"GET", "/big", "", []string{"Accept", ndjson + ", application/json;q=0.9"}, 200, "Vary", "Accept, Prefer, Range", true},
		{"GET", "/big", "", []string{"Accept", "application/json, " + ndjson + ";q=0.9"}, 200, "Content-Range", "0-1999/*", false},
		{"GET", "/big", "", []string{"Accept", ndjson, "Prefer", "count=exact, handling=lenient"}, 200, "Preference-Applied", "handling=lenient", true},
		{"GET", "/big", "", []string{"Accept", ndjson, "Prefer", "count=exact, handling=strict"}, 400, "Proxy-Status", "PostgREST; error=PGRST122", false},
		{"GET", "/big", "", []string{"Accept", ndjson, "Prefer", "count=planned, handling=strict"}, 400, "Proxy-Status", "PostgREST; error=PGRST122", false},
		{"GET", "/big", "", []string{"Accept", "text/csv", "Prefer", "stream, count=exact, handling=strict"}, 400, "Proxy-Status", "PostgREST; error=PGRST122", false},
		{"GET", "/big", "", []string{"Accept", "text/csv", "Prefer", "stream"}, 200, "Content-Type", "text/csv; charset=utf-8", true},
		{"GET", "/big", "", []string{"Accept", "application/json", "Prefer", "stream, handling=strict"}, 200, "Preference-Applied", "handling=strict", false},
		{"HEAD", "/big", "", []string{"Accept", ndjson, "Prefer", "count=exact"}, 200, "Content-Range", "0-1999/2000", false},
		{"GET", "/big", "", []string{"Accept", ndjson, "Range", "10-1500"}, 200, "Content-Range", "", true},
		{"GET", "/rpc/ends?how=headers", "", []string{"Accept", ndjson}, 200, "X-Late", "", true},
		{"GET", "/rpc/ends?how=status", "", []string{"Accept", ndjson}, 200, "X-Before", "yes", true},
		{"POST", "/rpc/ends", `{"how":"well"}`, []string{"Accept", ndjson}, 200, "X-Before", "yes", true},
		{"POST", "/rpc/writes", `{"n":3000}`, []string{"Accept", ndjson}, 200, "X-Before", "yes", false},
		{"POST", "/copy", `{"id":-1}`, []string{"Accept", ndjson, "Prefer", "return=representation"}, 201, "Content-Length", "22", false},
		{"GET", "/late?select=quotient&id=eq.2000", "", []string{"Accept", ndjson}, 400, "Proxy-Status", "PostgREST; error=22012", false},
		{"GET", "/nowhere", "", []string{"Accept", ndjson}, 404, "Proxy-Status", "PostgREST; error=PGRST205", false},
	} {
		req, err := http.NewRequest(test.method, url+test.target, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(test.headers); i += 2 {
			req.Header.Set(test.headers[i], test.headers[i+1])
		}
		for range 2 {
			resp, err := client.Do(req.Clone(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			if test.body != "" {
				req.Body = io.NopCloser(strings.NewReader(test.body))
			}
			body := readAll(t, resp)
			if resp.StatusCode != test.status || resp.Header.Get(test.header) != test.value {
				t.Errorf("%s %s %q: %s, %s is %q: %.200s", test.method, test.target, test.headers, resp.Status, test.header, resp.Header.Get(test.header), body)
			}
			if streamed := resp.ContentLength < 0 && test.method != "HEAD"; streamed != test.streamed {
				t.Errorf("%s %s %q: length %d, want streamed %t", test.method, test.target, test.headers, resp.ContentLength, test.streamed)
			}
			if resp.Close {
				t.Errorf("%s %s: the connection is closed", test.method, test.target)
			}
		}
	}
	s.settles(t)
}

// TestStreamedStatus: a status without a body ends the call.
func TestStreamedStatus(t *testing.T) {
	s := startTest(t, linesSchema, "db-pre-request", "api.refuses", "db-pool", "1")
	url := serveTest(t, s)
	for range 2 {
		resp := get(t, url+"/endless", ndjson)
		if body := readAll(t, resp); resp.StatusCode != 204 || body != "" {
			t.Errorf("%s %.100s", resp.Status, body)
		}
	}
	s.settles(t)
}

// TestFirstRows: rows reach the client while the statement runs.
func TestFirstRows(t *testing.T) {
	t.Parallel()
	s := startTest(t, linesSchema, "db-pool", "2")
	url := serveTest(t, s)
	lock := pgtest.Connect(t, s.config().DBURI)
	for _, headers := range [][]string{{ndjson}, {"text/csv", "Prefer", "stream"}} {
		lock.Value("select pg_advisory_lock(7)")
		resp := get(t, url+"/tail", headers[0], headers[1:]...)
		r := bufio.NewReader(resp.Body)
		for range 2 {
			if line, err := r.ReadString('\n'); err != nil || line == "" {
				t.Fatalf("%q, %v", line, err)
			}
		}
		if used := s.pool.Stats().InUse; used != 1 {
			t.Errorf("%d connections are used", used)
		}
		if body := readAll(t, get(t, url+"/item?id=eq.1&select=id", "application/json")); body != `[{"id":1}]` {
			t.Errorf("another request gets %s", body)
		}
		lock.Value("select pg_advisory_unlock(7)")
		if rest, err := io.ReadAll(r); err != nil || !bytes.Contains(rest, []byte("ttt")) {
			t.Errorf("%.100q, %v", rest, err)
		}
		resp.Body.Close()
	}
	s.settles(t)
}

// TestStreamedError: an error after the first rows ends the connection, and a client
// can tell.
func TestStreamedError(t *testing.T) {
	s := startTest(t, linesSchema)
	url := serveTest(t, s)
	for range 2 {
		for _, headers := range [][]string{{ndjson}, {"text/csv", "Prefer", "stream"}} {
			resp := get(t, url+"/late", headers[0], headers[1:]...)
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF) || len(body) < 1<<20 {
				t.Errorf("%s, %d bytes, %v", resp.Status, len(body), err)
			}
		}
	}
	s.settles(t)
	if !pgtest.Until(time.Minute, func() bool { return s.metrics.Counters().Truncated == 4 }) || s.metrics.Counters().SpooledBytes != 0 {
		t.Errorf("counted: %+v", s.metrics.Counters())
	}
}

// TestStreamedErrorInChunk: after an error the connection ends in a chunk. If it ended
// between two, Python's http.client would take the response for a complete one.
func TestStreamedErrorInChunk(t *testing.T) {
	s := startTest(t, linesSchema)
	conn, err := net.Dial("tcp", strings.TrimPrefix(serveTest(t, s), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /late HTTP/1.1\r\nHost: x\r\nAccept: "+ndjson+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(response, []byte("HTTP/1.1 200 ")) || !bytes.HasSuffix(response, []byte("}\n\r\n1\r\n")) {
		t.Errorf("%d bytes end with %q, %v", len(response), response[max(0, len(response)-20):], err)
	}
	s.settles(t)
}

// TestStreamToSlowClient: a client that takes nothing holds its connection for
// spool-send-timeout. Other requests do not wait for it.
func TestStreamToSlowClient(t *testing.T) {
	t.Parallel()
	s := startTest(t, linesSchema, "spool-send-timeout", "2", "db-pool", "2")
	url := serveTest(t, s)
	_, r := hangingClient(t, url, "/endless", ndjson)
	if body := readAll(t, get(t, url+"/item?id=eq.1&select=id", "application/json")); body != `[{"id":1}]` {
		t.Errorf("another request gets %s", body)
	}
	if kept := s.spool.Stats(); kept != (spool.Stats{}) {
		t.Errorf("%+v are kept", kept)
	}
	s.settles(t)
	if n, err := io.Copy(io.Discard, r); n == 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestStreamToGoneClient: the statement of a client that has gone is cancelled, and
// its connection is used again.
func TestStreamToGoneClient(t *testing.T) {
	t.Parallel()
	s := startTest(t, linesSchema, "db-pool", "1")
	url := serveTest(t, s)
	direct := pgtest.Connect(t, s.config().DBURI)
	conn, _ := hangingClient(t, url, "/endless", ndjson)
	conn.Close()
	s.settles(t)
	if readAll(t, get(t, url+"/item?id=eq.1&select=id", "application/json")) != `[{"id":1}]` {
		t.Error("no ordinary response")
	}
	if !pgtest.Until(time.Minute, func() bool {
		return direct.Value("select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and application_name like 'fastgrest%'") == "0"
	}) {
		t.Error("a statement runs")
	}
}

// TestStreamOldProtocol: HTTP/1.0 has no chunks, so its clients get a length.
func TestStreamOldProtocol(t *testing.T) {
	s := startTest(t, linesSchema)
	url := serveTest(t, s)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, "GET /big?order=id HTTP/1.0\r\nAccept: "+ndjson+"\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, resp); resp.ContentLength != int64(len(body)) || strings.Count(body, "\n") != 2000 {
		t.Errorf("%d bytes, %d announced", len(body), resp.ContentLength)
	}
}

// TestStreamInPipeline: responses stay in order.
func TestStreamInPipeline(t *testing.T) {
	s := startTest(t, linesSchema)
	conn, err := net.Dial("tcp", strings.TrimPrefix(serveTest(t, s), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	small, large := "GET /item?id=eq.1&select=id HTTP/1.1\r\nHost: x\r\n\r\n", "GET /big?order=id HTTP/1.1\r\nHost: x\r\nAccept: "+ndjson+"\r\n\r\n"
	io.WriteString(conn, small+large+small+large+small)
	r := bufio.NewReader(conn)
	for i := range 5 {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body := readAll(t, resp); strings.Count(body, "\n") != 2000*(i%2) {
			t.Errorf("response %d: %.100q", i, body)
		}
	}
}
