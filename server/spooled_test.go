package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/server/spool"
)

const spooledSchema = streamSchema + `
create table api.copy (id int, body text);
create table api.giant (id int, body text);
insert into api.giant select i, repeat(chr(96 + i), 2000000) from generate_series(1, 3) i;
create table api.holes (id int, gap text, body text);
insert into api.holes select i, null, repeat('h', 2000) from generate_series(1, 1000) i;
create table api.uneven (id int, body text);
insert into api.uneven select i, repeat('u', case when i % 971 = 0 then 70000 when i % 313 = 0 then 3000 when i % 7 = 0 then 200 else 50 end)
  from generate_series(1, 4000) i;
-- rows, then what the last of them does
create function api.ends(how text) returns setof api.big stable language plpgsql as $$
  begin
    return query select * from api.big order by id;
    case how
      when 'error' then perform 1 / 0;
      when 'raise' then raise sqlstate 'PGRST' using message = '{"code": "late", "message": "too late"}', detail = '{"status": 402, "headers": {}}';
      when 'status' then perform set_config('response.status', '203', true);
      when 'no content' then perform set_config('response.status', '204', true);
      when 'headers' then perform set_config('response.headers', '[{"X-Late": "yes"}, {"Content-Type": "text/x-rows"}]', true);
      when 'length' then perform set_config('response.headers', '[{"Content-Length": "7"}]', true);
      when 'nonsense' then perform set_config('response.headers', 'nonsense', true);
      else null;
    end case;
  end $$;
create function api.before() returns void language sql as
  $$ select set_config('response.headers', '[{"X-Before": "yes"}]', true) $$;
create function api.fails(id int) returns int immutable language plpgsql as
  $$ begin return 1 / (2000 - id); end $$;
create view api.late as select id, api.fails(id) as quotient, body from api.big order by id;
grant all on all tables in schema api to test_anon;
analyze;
`

// modes are the places of a large response. With the limits of a mode, the responses
// below are in one place only, or begin in one and end in another.
var modes = map[string]spool.Limits{
	"memory":          {Body: 1 << 30, Files: 1 << 30},
	"files":           {Body: 0, Files: 1 << 30},
	"memory and file": {Body: 3 << 20, Files: 1 << 30},
	"no files":        {Body: 1 << 20, Files: 0},
}

// bigRows is the body of /big, made of many small responses.
func bigRows(t *testing.T, url string) string {
	t.Helper()
	var b strings.Builder
	for offset := 0; offset < 2000; offset += 4 {
		resp := get(t, fmt.Sprintf("%s/big?order=id&limit=4&offset=%d", url, offset), "application/json")
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || len(body) > spool.Piece {
			t.Fatalf("status %d, %d bytes, %v", resp.StatusCode, len(body), err)
		}
		b.WriteString(strings.TrimSuffix(string(body[1:]), "]"))
		b.WriteByte(',')
	}
	return "[" + strings.TrimSuffix(b.String(), ",") + "]"
}

// TestSpooled: a spooled response equals a small one: the same body, length,
// status, Content-Range and headers, whatever the database decides after the
// last row.
func TestSpooled(t *testing.T) {
	oneByOne(t)
	s := startTest(t, spooledSchema, "db-pre-request", "api.before", "db-tx-end", "commit-allow-override")
	url := serveTest(t, s)
	rows := bigRows(t, url)
	giant := `{"id":2,"body":"` + strings.Repeat("b", 2000000) + `"}`
	var stripped, insert strings.Builder
	for i := 1; i <= 1000; i++ {
		fmt.Fprintf(&stripped, `,{"id":%d,"body":"%s"}`, i, strings.Repeat("h", 2000))
	}
	noNulls := "[" + stripped.String()[1:] + "]"
	insert.WriteString(noNulls)
	var uneven strings.Builder // each longer than what there was before outgrows its room
	for i := 1; i <= 4000; i++ {
		width := 50
		switch {
		case i%971 == 0:
			width = 70000
		case i%313 == 0:
			width = 3000
		case i%7 == 0:
			width = 200
		}
		fmt.Fprintf(&uneven, `,{"id":%d,"body":"%s"}`, i, strings.Repeat("u", width))
	}

	type test struct {
		method, target, body string
		headers              []string
		status               int
		contentRange         string
		want                 string // body; if it ends in … its beginning
		header               string // name: value
	}
	tests := map[string]test{
		"array":                 {"GET", "/big?order=id", "", nil, 200, "0-1999/*", rows, ""},
		"uneven rows":           {"GET", "/uneven?order=id", "", nil, 200, "0-3999/*", "[" + uneven.String()[1:] + "]", ""},
		"exact count":           {"GET", "/big?order=id", "", []string{"Prefer", "count=exact"}, 200, "0-1999/2000", rows, "Preference-Applied: count=exact"},
		"estimated":             {"GET", "/big?order=id", "", []string{"Prefer", "count=estimated"}, 200, "0-1999/2000", rows, ""},
		"part":                  {"GET", "/big?order=id", "", []string{"Prefer", "count=exact", "Range", "0-999"}, 206, "0-999/2000", rows[:strings.Index(rows, `,{"id":1001,`)] + "]", ""},
		"beyond":                {"GET", "/big?order=id", "", []string{"Prefer", "count=exact", "Range", "3000-3999"}, 416, "*/2000", `{"code":"PGRST103"…`, ""},
		"beyond, csv":           {"GET", "/big?order=id&offset=3000", "", []string{"Prefer", "count=exact", "Accept", "text/csv"}, 416, "*/2000", `{"code":"PGRST103"…`, ""},
		"head":                  {"HEAD", "/big", "", []string{"Prefer", "count=exact"}, 200, "0-1999/2000", "", ""},
		"stripped":              {"GET", "/holes?order=id", "", []string{"Accept", "application/vnd.pgrst.array+json;nulls=stripped"}, 200, "0-999/*", noNulls, ""},
		"object":                {"GET", "/giant?id=eq.2", "", []string{"Accept", "application/vnd.pgrst.object+json"}, 200, "0-0/*", giant, ""},
		"object of many":        {"GET", "/giant", "", []string{"Accept", "application/vnd.pgrst.object+json"}, 406, "", `{"code":"PGRST116","details":"The result contains 3 rows"…`, ""},
		"giant row":             {"GET", "/giant?id=eq.2", "", nil, 200, "0-0/*", "[" + giant + "]", ""},
		"call":                  {"GET", "/rpc/ends?how=well", "", nil, 200, "0-1999/*", rows, "X-Before: yes"},
		"call, head":            {"HEAD", "/rpc/ends?how=status", "", nil, 203, "0-1999/*", "", ""},
		"call, POST":            {"POST", "/rpc/ends", `{"how":"well"}`, nil, 200, "0-1999/*", rows, "X-Before: yes"},
		"late status":           {"GET", "/rpc/ends?how=status", "", nil, 203, "0-1999/*", rows, ""},
		"late status, csv":      {"GET", "/rpc/ends?how=status", "", []string{"Accept", "text/csv"}, 203, "0-1999/*", "id,body\n1,…", ""},
		"late 204":              {"GET", "/rpc/ends?how=no+content", "", nil, 204, "0-1999/*", "", ""},
		"late headers":          {"GET", "/rpc/ends?how=headers", "", nil, 200, "0-1999/*", rows, "X-Late: yes"},
		"late type":             {"GET", "/rpc/ends?how=headers", "", nil, 200, "0-1999/*", rows, "Content-Type: text/x-rows"},
		"an invalid length":     {"GET", "/rpc/ends?how=length", "", nil, 200, "0-1999/*", rows, ""},
		"late nonsense":         {"GET", "/rpc/ends?how=nonsense", "", nil, 500, "", `{"code":"PGRST111"…`, ""},
		"late error":            {"GET", "/rpc/ends?how=error", "", nil, 400, "", `{"code":"22012"…`, ""},
		"late error of ours":    {"GET", "/rpc/ends?how=raise", "", nil, 402, "", `{"code":"late"…`, ""},
		"error in the last row": {"GET", "/late", "", nil, 400, "", `{"code":"22012"…`, ""},
		"the rows before it":    {"GET", "/late?select=id,body&id=lt.2000", "", []string{"Prefer", "count=exact"}, 200, "0-1998/1999", rows[:strings.Index(rows, `,{"id":2000,`)] + "]", ""},
		"insert":                {"POST", "/copy", noNulls, []string{"Prefer", "return=representation, tx=rollback"}, 201, "*/*", noNulls, "Preference-Applied: return=representation, tx=rollback"},
		"insert, held":          {"POST", "/copy", noNulls, []string{"Prefer", "return=representation", "Accept", "application/vnd.pgrst.object+json"}, 406, "", `{"code":"PGRST116","details":"The result contains 1000 rows"…`, ""},
		"insert, minimal":       {"POST", "/copy", noNulls, []string{"Prefer", "return=minimal, tx=rollback"}, 201, "*/*", "", ""},
		"update":                {"PATCH", "/giant?id=eq.2", `{"id":2}`, []string{"Prefer", "return=representation"}, 200, "0-0/*", "[" + giant + "]", ""},
		"delete, csv":           {"DELETE", "/giant?id=eq.2", "", []string{"Prefer", "return=representation, tx=rollback", "Accept", "text/csv"}, 200, "*/*", "id,body\n2,bbb…", ""},
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	for mode, limits := range modes {
		s.spool.SetLimits(limits)
		for name, test := range tests {
			for range 2 { // the first request of a plan takes another way than the next
				req, err := http.NewRequest(test.method, url+test.target, strings.NewReader(test.body))
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; i < len(test.headers); i += 2 {
					req.Header.Set(test.headers[i], test.headers[i+1])
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Fatalf("%s, %s: %v", mode, name, err)
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Errorf("%s, %s: %v", mode, name, err)
				}
				if resp.StatusCode != test.status {
					t.Errorf("%s, %s: status %d, want %d", mode, name, resp.StatusCode, test.status)
				}
				if cr := resp.Header.Get("Content-Range"); test.contentRange != "" && cr != test.contentRange {
					t.Errorf("%s, %s: Content-Range %q, want %q", mode, name, cr, test.contentRange)
				}
				if key, value, ok := strings.Cut(test.header, ": "); ok && resp.Header.Get(key) != value {
					t.Errorf("%s, %s: %s is %q, want %q", mode, name, key, resp.Header.Get(key), value)
				}
				want, prefix := strings.CutSuffix(test.want, "…")
				if same := string(got) == want || prefix && bytes.HasPrefix(got, []byte(want)); !same {
					t.Errorf("%s, %s: %d bytes, %.100q, want %d, %.100q", mode, name, len(got), got, len(want), want)
				}
				switch {
				case test.method == "HEAD":
				case test.status == 204:
					if n, ok := resp.Header["Content-Length"]; ok {
						t.Errorf("%s, %s: Content-Length %q with a 204", mode, name, n)
					}
				case resp.ContentLength != int64(len(got)):
					t.Errorf("%s, %s: Content-Length %d for %d bytes", mode, name, resp.ContentLength, len(got))
				}
				if resp.Close {
					t.Errorf("%s, %s: the connection is closed", mode, name)
				}
			}
		}
	}
	s.settles(t)
}

// settles waits until all spooled responses have been released.
func (s *testServer) settles(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		kept, used := s.spool.Stats(), s.pool.Stats().InUse
		if kept == (spool.Stats{}) && used == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%+v are kept, %d connections in use", kept, used)
		}
	}
}

// hangingClient sends a request and reads only the head of the response.
func hangingClient(t *testing.T, url, target, accept string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAccept: %s\r\n\r\n", target, accept)
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}
	return conn, r
}

// TestSlowClient: a client that does not read holds no database connection and
// little memory. After spool-send-timeout it holds nothing, and can tell that its
// response is incomplete.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	s := startTest(t, spooledSchema, "spool-send-timeout", "1", "db-pool", "1")
	url := serveTest(t, s)
	for _, request := range [][2]string{{"/rpc/bytes?n=50331648", octets}, {"/big?select=id,body,again:body,more:body", "application/json"}} {
		_, r := hangingClient(t, url, request[0], request[1])
		if used := s.pool.Stats().InUse; used > 0 {
			t.Errorf("%s: the client holds %d connections", request[0], used)
		}
		if memory := s.spool.Stats().Memory; memory > 2*spool.Piece {
			t.Errorf("%s: the client holds %d bytes in memory", request[0], memory)
		}
		resp := get(t, url+"/item?id=eq.1&select=id", "application/json") // by the only connection
		resp.Body.Close()
		s.settles(t)
		n, err := io.Copy(io.Discard, r)
		if n > 40<<20 || n == 0 {
			t.Errorf("%s: %d bytes, %v", request[0], n, err)
		}
	}
}

// TestSteadyClient: a client that keeps reading slowly gets its response, although it
// takes many times spool-send-timeout for what the send buffer of its socket can hold.
func TestSteadyClient(t *testing.T) {
	t.Parallel()
	s := startTest(t, spooledSchema, "spool-send-timeout", "3", "db-pool", "1")
	_, r := hangingClient(t, serveTest(t, s), "/big?select=id,body,again:body,more:body", "application/json")
	buf := make([]byte, spool.Piece/2)
	for end := time.Now().Add(9 * time.Second); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		if _, err := io.ReadFull(r, buf); err != nil {
			t.Fatal(err)
		}
	}
	if s.spool.Stats() == (spool.Stats{}) {
		t.Error("the server has given the response up")
	}
}

// TestGoneClient: the resources of a disconnected client are released.
func TestGoneClient(t *testing.T) {
	s := startTest(t, spooledSchema)
	url := serveTest(t, s)
	for range 5 {
		conn, _ := hangingClient(t, url, "/big?select=id,body,again:body,more:body", "application/json")
		conn.Close()
	}
	s.settles(t)
}

// TestNoRoom: a response that exceeds the spool is an error. Its database
// connection is released, and what a write has committed stays committed and gets
// a response.
func TestNoRoom(t *testing.T) {
	s := startTest(t, spooledSchema, "spool-max-size", "1", "spool-threshold", "100000", "db-pool", "1")
	url := serveTest(t, s)
	for _, accept := range []string{"application/json", "text/csv"} {
		for range 3 {
			resp := get(t, url+"/big", accept)
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 507 || !strings.Contains(string(body), "PGRSTX03") {
				t.Errorf("%s: %d %.200s", accept, resp.StatusCode, body)
			}
		}
	}
	resp := get(t, url+"/item?id=eq.1&select=id", "application/json")
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("afterwards: %s", resp.Status)
	}
	req, err := http.NewRequest("PATCH", url+"/giant", strings.NewReader(`{"id":1}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Prefer", "return=representation")
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	n, _ := io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || n < 6000000 {
		t.Errorf("update: %s, %d bytes", resp.Status, n)
	}
	s.settles(t)
}

// TestOldProtocol: an HTTP/1.0 client gets the same.
func TestOldProtocol(t *testing.T) {
	s := startTest(t, spooledSchema)
	url := serveTest(t, s)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /big?order=id HTTP/1.0\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != bigRows(t, url) || resp.ContentLength != int64(len(body)) {
		t.Errorf("%d bytes, %d announced, %v", len(body), resp.ContentLength, err)
	}
}

// TestNoRoomTellsNoPath: only the log names the full file.
func TestNoRoomTellsNoPath(t *testing.T) {
	err := fmt.Errorf("%w: %w", spool.ErrFull, &fs.PathError{Op: "write", Path: "/var/spool/fastgrest-1", Err: syscall.ENOSPC})
	p := problemOf(err, false)
	if p.status != 507 || strings.Contains(p.details, "/var") || !strings.Contains(p.details, "no space left") {
		t.Errorf("%+v", p)
	}
}
