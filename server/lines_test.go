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

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

const ingestSchema = allocSchema + `
create table api.goods (id int primary key, name text default 'nameless', at int default 7);
create table api.audit (n bigint);
create function public.note_it() returns trigger language plpgsql security definer as $$ begin insert into api.audit select count(*) from added; return null; end $$;
create trigger noted after insert on api.goods referencing new table as added for each statement execute function public.note_it();
create table api.late_key (id int, name text, parent int default 0 references api.goods deferrable initially deferred);
grant all on all tables in schema api to test_anon;
`

// goods are n rows of about 2,000 bytes, from the first id on.
func goods(first, n int) string {
	var b strings.Builder
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&b, "{\"id\":%d,\"name\":\"%s\"}\n", i, strings.Repeat("n", 1980))
	}
	return b.String()
}

// TestIngest: rows as NDJSON are written like those of an array, also if they come in
// several pieces.
func TestIngest(t *testing.T) {
	s := startTest(t, ingestSchema, "db-tx-end", "commit-allow-override", "server-max-body-size", "12000000", "db-pool", "1")
	url := serveTest(t, s)
	db := pgtest.Connect(t, s.config().DBURI)
	const many = piece/2000 + 100 // rows, more than a piece
	for name, test := range map[string]struct {
		target, body, prefer string
		status               int
		want                 string // what the response begins with
		rows                 int
		header, value        string
		type_                string
	}{
		"small":                   {"/goods", "{\"id\":1}\n{\"id\":2}\n", "return=representation", 201, `[{"id":1,"name":"nameless"`, 2, "", "", ""},
		"defaults":                {"/goods", "{\"id\":1}\n{\"id\":2}\n", "return=representation, missing=default", 201, `[{"id":1,"name":"nameless"`, 2, "Preference-Applied", "missing=default, return=representation", ""},
		"columns":                 {"/goods?columns=id", "{\"id\":1}\n{\"id\":2,\"x\":3}\n", "", 201, "", 2, "", "", ""},
		"empty":                   {"/goods", "\n", "count=exact", 201, "", 0, "Content-Range", "*/0", ""},
		"charset":                 {"/goods", "{\"id\":1}", "", 201, "", 1, "", "", "application/x-ndjson; charset=utf-8"},
		"keys differ":             {"/goods", "{\"id\":1}\n{\"name\":\"x\"}\n", "", 400, `{"code":"PGRST102"`, 0, "", "", ""},
		"invalid":                 {"/goods", "{\"id\":1}\n\n{\"id\":\n", "", 400, `{"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json in line 3"}`, 0, "", "", ""},
		"pieces":                  {"/goods", goods(1, many), "count=exact", 201, "", many, "Content-Range", fmt.Sprintf("*/%d", many), ""},
		"pieces, rolled back":     {"/goods", goods(1, many), "tx=rollback, count=exact", 201, "", 0, "Content-Range", fmt.Sprintf("*/%d", many), ""},
		"pieces, merged":          {"/goods", goods(1, many) + goods(1, 5), "resolution=merge-duplicates", 201, "", many, "", "", ""},
		"pieces, representation":  {"/goods?select=id", goods(1, many), "return=representation", 201, `[{"id":1},`, many, "", "", ""},
		"pieces, key differs":     {"/goods", goods(1, many) + "{\"id\":0}", "", 400, `{"code":"PGRST102"`, 0, "", "", ""},
		"pieces, invalid":         {"/goods", goods(1, many) + "{", "", 400, fmt.Sprintf(`{"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json in line %d"}`, many+1), 0, "", "", ""},
		"pieces, duplicate":       {"/goods", goods(1, many) + goods(1, 1), "", 409, `{"code":"23505"`, 0, "", "", ""},
		"pieces, late constraint": {"/late_key", goods(1, many), "", 409, `{"code":"23503"`, 0, "", "", ""},
		"a long line":             {"/goods", "{\"id\":1,\"name\":\"" + strings.Repeat("x", 9<<20) + "\"}\n" + goods(2, 1), "", 201, "", 2, "", "", ""},
		"blank piece":             {"/goods", strings.Repeat("\n", piece+1) + "{\"id\":1}\n{\"id\":2}\n", "", 201, "", 2, "", "", ""},
		"blank piece, columns":    {"/goods?columns=id", strings.Repeat("\n", piece+1) + "{\"id\":1}\n", "return=representation", 201, `[{"id":1,`, 1, "", "", ""},
		"blank pieces":            {"/goods", strings.Repeat(" \n", piece), "", 201, "", 0, "", "", ""},
		"too large":               {"/goods", goods(1, 6500), "", 413, "", 0, "", "", ""},
		"update":                  {"PATCH /goods", "{\"id\":1}", "", 400, `{"code":"PGRST102","details":null,"hint":null,"message":"Content-Type not acceptable: application/x-ndjson"}`, 0, "", "", ""},
	} {
		for _, chunked := range []bool{false, true} {
			if chunked && strings.HasPrefix(name, "pieces,") {
				continue // "pieces" is sent in chunks, too
			}
			if _, err := db.Exec(t.Context(), "truncate api.audit, api.goods, api.late_key").ReadAll(); err != nil {
				t.Fatal(err)
			}
			var body io.Reader = strings.NewReader(test.body)
			if chunked {
				body = io.MultiReader(body)
			}
			method, target, other := strings.Cut(test.target, " ")
			if !other {
				method, target = "POST", test.target
			}
			req, err := http.NewRequest(method, url+target, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", ndjson)
			if test.type_ != "" {
				req.Header.Set("Content-Type", test.type_)
			}
			req.Header.Set("Prefer", test.prefer)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got := readAll(t, resp)
			if resp.StatusCode != test.status || !strings.HasPrefix(got, test.want) || test.header != "" && resp.Header.Get(test.header) != test.value {
				t.Errorf("%s: %s %v %.200s", name, resp.Status, resp.Header, got)
			}
			if n := db.Count("select count(*) from api.goods"); n != test.rows {
				t.Errorf("%s: %d rows, want %d", name, n, test.rows)
			}
			if n := db.Count("select coalesce(sum(n), 0) from api.audit"); n < test.rows {
				t.Errorf("%s: the trigger saw %d rows", name, n)
			}
			if strings.Contains(test.prefer, "representation") && strings.Count(got, "\"id\"") != test.rows {
				t.Errorf("%s: %d rows in the response", name, strings.Count(got, "\"id\""))
			}
		}
	}
	if used := s.bodies.Used(); used != 0 {
		t.Errorf("%d bytes of bodies are in use", used)
	}
}

// TestIngestAbandoned: a client that goes away before the end of its rows has written
// nothing, and the connection is free again.
func TestIngestAbandoned(t *testing.T) {
	t.Parallel()
	s := startTest(t, ingestSchema, "db-pool", "1")
	url := serveTest(t, s)
	db := pgtest.Connect(t, s.config().DBURI)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	w := bufio.NewWriter(conn)
	fmt.Fprintf(w, "POST /goods HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 90000000\r\n\r\n%s", ndjson, goods(1, 5000))
	_ = w.Flush()
	if !pgtest.Until(time.Minute, func() bool {
		return db.Value("select count(*) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'") == "1"
	}) {
		t.Error("no transaction has begun")
	}
	conn.Close()
	s.settles(t)
	if n := db.Count("select count(*) from api.goods"); n != 0 {
		t.Errorf("%d rows", n)
	}
	if readAll(t, get(t, url+"/item?id=eq.1&select=id", "application/json")) != `[{"id":1}]` {
		t.Error("no ordinary response")
	}
}

// TestIngestRefused: a number of rows that the request does not allow is refused before
// the commit, also if the first piece has an allowed number.
func TestIngestRefused(t *testing.T) {
	s := startTest(t, ingestSchema)
	url := serveTest(t, s)
	req, err := http.NewRequest("POST", url+"/goods", strings.NewReader("{\"id\":1,\"name\":\""+strings.Repeat("x", piece-100)+"\"}\n"+goods(2, 2)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", ndjson)
	req.Header.Set("Accept", "application/vnd.pgrst.object+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, resp); resp.StatusCode != 406 || !strings.Contains(body, "The result contains 3 rows") {
		t.Errorf("%s %s", resp.Status, body)
	}
	if n := pgtest.Connect(t, s.config().DBURI).Count("select count(*) from api.goods"); n != 0 {
		t.Errorf("%d rows were inserted", n)
	}
}
