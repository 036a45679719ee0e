package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

const batchSchema = `
create schema api;
create table api.author (id int generated always as identity primary key, name text not null, unique (name) deferrable initially deferred);
create table api.book (id int generated always as identity primary key, author int references api.author, title text, meta jsonb, note text);
create table api.plain (n int);
create function api.state() returns text volatile language sql as $$
  select concat_ws(' ', current_setting('request.method'), current_setting('transaction_read_only'), current_setting('transaction_isolation'),
    current_setting('timezone'), current_setting('request.path'), nullif(current_setting('request.headers')::json->>'x-part', ''),
    nullif(current_setting('response.status', true), ''), current_setting('work_mem')) $$;
create function api.tired() returns text stable language sql set work_mem = '5MB' as 'select 1::text';
create function api.teapot() returns void volatile language plpgsql as $$ begin
  perform set_config('response.status', '418', true); perform set_config('response.headers', '[{"X-Tea": "1"}]', true); end $$;
create function api.broken() returns void volatile language plpgsql as $$ begin perform set_config('response.status', 'x', true); end $$;
create function api.fail() returns void volatile language plpgsql as $$ begin raise exception 'no' using errcode = 'PT402', detail = 'd', hint = 'h'; end $$;
create function api.spoiled(n int) returns text language plpgsql as $$ begin
  perform set_config('response.status', 'x', true); return repeat('s', n); end $$;
create domain api."application/vnd.x+json" as text;
create domain api."text/vnd.y" as bytea;
create function api.forged() returns api."application/vnd.x+json" language sql as $$ select ('null},{"id":"b","status":200,"body":1' || repeat(' ', 100000))::api."application/vnd.x+json" $$;
create function api.bytes() returns api."text/vnd.y" language sql as $$ select decode(repeat('ff', 100000), 'hex')::api."text/vnd.y" $$;
create function api.mistaken() returns setof text language plpgsql as $$ begin
  perform set_config('response.headers', '[{"Content-Type": "application/json"}]', true); return query select repeat('x', 1000) from generate_series(1, 200); end $$;
create function api.slices(n int) returns setof text language sql stable as 'select repeat(''a"é'', 100) from generate_series(1, n)';
grant usage on schema api to ` + pgtest.Anon + `;
grant all on all tables in schema api to ` + pgtest.Anon + `;
`

func startBatch(t *testing.T, settings ...string) *servertest.Server {
	t.Helper()
	db := pgtest.StartOwn(t)
	db.Exec(t, "postgres", batchSchema)
	flags := map[string]string{"db-uri": db.URI("postgres", "postgres"), "db-schemas": "api", "db-anon-role": pgtest.Anon,
		"db-hoisted-tx-settings": "work_mem", "db-tx-end": "commit-allow-override"}
	for i := 0; i < len(settings); i += 2 {
		flags[settings[i]] = settings[i+1]
	}
	return servertest.Start(t, flags)
}

type batchEntry struct {
	ID      string
	Status  int
	Headers map[string]any
	Body    json.RawMessage
}

// sendBatch sends a batch and returns its status, its entries and the whole body.
func sendBatch(t *testing.T, s *servertest.Server, body string, headers ...string) (int, []batchEntry, string) {
	t.Helper()
	got, err := servertest.Send(s.API, "POST", "/", body, append([]string{"Content-Type", "application/vnd.pgrst.batch+json"}, headers...)...)
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Responses []batchEntry }
	if err := json.Unmarshal([]byte(got.Body), &out); err != nil {
		t.Fatalf("%v in %.300s", err, got.Body)
	}
	return got.Status, out.Responses, got.Body
}

// summary is the statuses and bodies of entries, one a line.
func summary(entries []batchEntry) string {
	var b strings.Builder
	for _, e := range entries {
		var body bytes.Buffer // rows come in lines
		if e.Body != nil {
			_ = json.Compact(&body, e.Body)
		}
		fmt.Fprintf(&b, "%s %d %s\n", e.ID, e.Status, &body)
	}
	return strings.TrimSpace(b.String())
}

func TestBatch(t *testing.T) {
	t.Parallel()
	s := startBatch(t)
	f := func(requests string, status int, want string, headers ...string) {
		t.Helper()
		got, entries, body := sendBatch(t, s, `{"requests":[`+requests+`]}`, headers...)
		if text := summary(entries); got != status || text != want {
			t.Errorf("%s\ngot %d\n%s\nwant %d\n%s\n(%s)", requests, got, text, status, want, body)
		}
	}
	// A part refers to the rows of another one, in a body and in a query string.
	f(`{"id":"a","method":"POST","url":"/author?select=id","headers":{"Prefer":"return=representation"},"body":{"name":"Ada"}},
	   {"id":"b","method":"POST","url":"book","body":[{"author":{"$ref":"a#/0/id"},"title":"One","meta":{"$$ref":"a#/0/id"}},{"author":{"$ref":"a#/0/id"},"title":"Two","meta":null}]},
	   {"id":"c","method":"GET","url":"/book?select=title,meta&author=eq.$ref(a%23/0/id)&order=id"},
	   {"id":"d","method":"GET","url":"/book?select=id&title=in.(%22$ref(c%23/1/title)%22,x)"},
	   {"id":"e","method":"QUERY","url":"/book","headers":{"Content-Type":"application/x-www-form-urlencoded"},"body":"select=title&or=(title.eq.\"$ref(c#/0/title)\",title.eq.$$ref(c)"}`,
		200, `a 201 [{"id":1}]
b 201 
c 200 [{"title":"One","meta":{"$ref":"a#/0/id"}},{"title":"Two","meta":null}]
d 200 [{"id":2}]
e 200 [{"title":"One"}]`)
	// A part that fails undoes all of them.
	undone := `{"code":"PGRSTX41","details":"Part \"b\" failed.","hint":null,"message":"The batch was rolled back"}`
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},
	   {"id":"b","method":"POST","url":"/book","body":{"author":99}},
	   {"id":"c","method":"GET","url":"/author"}`,
		409, `a 424 `+undone+`
b 409 {"code":"23503","details":"Key (author)=(99) is not present in table \"author\".","hint":null,"message":"insert or update on table \"book\" violates foreign key constraint \"book_author_fkey\""}
c 424 `+undone)
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},{"id":"b","method":"POST","url":"/rpc/fail"}`,
		402, `a 424 `+undone+`
b 402 {"code":"PT402","details":"d","hint":"h","message":"no"}`)
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},{"id":"b","method":"POST","url":"/rpc/broken"}`,
		500, `a 424 `+undone+`
b 500 {"code":"PGRST112","details":null,"hint":null,"message":"response.status guc must be a valid status code"}`)
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},{"id":"b","method":"PATCH","url":"/author?id=gt.0","headers":{"Accept":"application/vnd.pgrst.object+json","Prefer":"return=representation"},"body":{"name":"x"}}`,
		406, `a 424 `+undone+`
b 406 {"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}`)
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},{"id":"b","method":"GET","url":"/author?offset=9","headers":{"Prefer":"count=exact"}}`,
		416, `a 424 `+undone+`
b 416 {"code":"PGRST103","details":"An offset of 9 was requested, but there are only 2 rows.","hint":null,"message":"Requested range not satisfiable"}`)
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},{"id":"b","method":"GET","url":"/author?id=eq.$ref(a%23/0/id)"}`,
		400, `a 424 `+undone+`
b 400 {"code":"PGRSTX40","details":"part \"b\": the reference \"a#/0/id\" has no value: the response is not JSON","hint":null,"message":"The batch is not valid"}`)
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},{"id":"b","method":"GET","url":"/nowhere"}`,
		404, `a 424 `+undone+`
b 404 {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'api.nowhere' in the schema cache"}`)
	// Nothing of these remains, and what a client asks to be rolled back is.
	f(`{"id":"a","method":"POST","url":"/author","body":{"name":"Ben"}},{"id":"b","method":"GET","url":"/author?select=name"}`,
		200, "a 201 \nb 200 "+`[{"name":"Ada"},{"name":"Ben"}]`, "Prefer", "tx=rollback")
	f(`{"id":"a","method":"GET","url":"/author?select=name"}`, 200, `a 200 [{"name":"Ada"}]`)
	// What one part sets for itself, the next one does not see.
	f(`{"id":"a","method":"POST","url":"/rpc/state","headers":{"X-Part":"1","Prefer":"timezone=Asia/Tokyo"}},
	   {"id":"b","method":"POST","url":"/rpc/teapot"},
	   {"id":"c","method":"GET","url":"/rpc/tired"},
	   {"id":"d","method":"POST","url":"/rpc/state"},
	   {"id":"e","method":"GET","url":"/author?select=name"}`,
		200, `a 200 "POST off read committed Asia/Tokyo /rpc/state 1 4MB"
b 418 
c 200 "1"
d 200 "POST off read committed UTC /rpc/state 4MB"
e 200 [{"name":"Ada"}]`)
	f(`{"id":"a","method":"GET","url":"/rpc/state"}`, 200, `a 200 "GET on serializable UTC /rpc/state 4MB"`, "Prefer", "isolation=serializable")
}

// TestBatchCommit: a constraint that is checked at the commit is an error of no part.
func TestBatchCommit(t *testing.T) {
	t.Parallel()
	s := startBatch(t)
	got := s.Do("POST", "/", `{"requests":[{"id":"a","method":"POST","url":"/author","body":[{"name":"Ada"},{"name":"Ada"}]}]}`,
		"Content-Type", "application/vnd.pgrst.batch+json")
	if got.Status != 409 || got.Code != "23505" {
		t.Error(got)
	}
	if got := s.Do("GET", "/author", ""); got.Body != "[]" {
		t.Error(got)
	}
}

// TestBatchInvalid: the envelope is checked before anything runs.
func TestBatchInvalid(t *testing.T) {
	t.Parallel()
	s := startBatch(t, "batch-max-requests", "2")
	const post = `"method":"POST","url":"/author","body":{"name":"x"}`
	for _, test := range []struct{ body, want string }{
		{`{"requests":[]}`, "has no requests"},
		{`[]`, `the only key \"requests\"`},
		{`{"requests":[{"id":"a",` + post + `}]} x`, "text follows"},
		{`{"requests":[{"id":"a",` + post + `}`, "ends early"},
		{`{"requests":[{"id":"a",` + post + `},{"id":"a",` + post + `}]}`, "two parts"},
		{`{"requests":[{"id":"a",` + post + `},{"id":"b",` + post + `},{"id":"c",` + post + `}]}`, "at most 2"},
		{`{"requests":[{` + post + `}]}`, `needs an \"id\"`},
		{`{"requests":[{"id":"a#",` + post + `}]}`, `needs an \"id\"`},
		{`{"requests":[{"id":"a","method":"OPTIONS","url":"/author"}]}`, "the method must be"},
		{`{"requests":[{"id":"a","method":"GET","url":"/"}]}`, "must be relative"},
		{`{"requests":[{"id":"a","method":"GET","url":"//host/x"}]}`, "must be relative"},
		{`{"requests":[{"id":"a","method":"GET","url":"/author?id=eq.1 or"}]}`, "must be relative"},
		{`{"requests":[{"id":"a","method":"GET"}]}`, "must be relative"},
		{`{"requests":[{"id":"a","atomicityGroup":"g",` + post + `}]}`, "unknown field"},
		{`{"requests":[{"id":"a","headers":{"Authorization":"Bearer x"},` + post + `}]}`, "not allowed in a part"},
		{`{"requests":[{"id":"a","headers":{"X":"a\r\nB: c"},` + post + `}]}`, "no valid value"},
		{`{"requests":[{"id":"a","headers":{"X Y":"a"},` + post + `}]}`, "no valid name"},
		{`{"requests":[{"id":"a","headers":{"Content-Type":"text/csv"},` + post + `}]}`, "must be a string"},
		{`{"requests":[{"id":"a",` + post + `},{"id":"b","method":"POST","url":"/author","body":{"name":{"$ref":"b#/0"}}}]}`, "to no earlier part"},
		{`{"requests":[{"id":"a",` + post + `},{"id":"b","method":"POST","url":"/author","body":{"name":{"$ref":1}}}]}`, "must be a string"},
		{`{"requests":[{"id":"a",` + post + `},{"id":"b","method":"POST","url":"/author","body":{"name":{"\u0024ref":"a"}}}]}`, "is not a reference"},
		{`{"requests":[{"id":"a",` + post + `},{"id":"b","method":"GET","url":"/author?name=eq.$ref(c%23)"}]}`, "to no earlier part"},
		{`{"requests":` + strings.Repeat("[", 100000) + `]}`, "cannot be read"},
	} {
		got := s.Do("POST", "/", test.body, "Content-Type", "application/vnd.pgrst.batch+json; charset=utf-8")
		if got.Status != 400 || got.Code != "PGRSTX40" || !strings.Contains(got.Body, test.want) {
			t.Errorf("%.200s\n%.300s\nwant %s", test.body, got, test.want)
		}
	}
	if got := s.Do("GET", "/author", ""); got.Body != "[]" {
		t.Errorf("a batch that is not valid has run: %s", got)
	}
	off := startBatch(t, "batch-enabled", "false")
	if got := off.Do("POST", "/", `{}`, "Content-Type", "application/vnd.pgrst.batch+json"); got.Status != 405 || got.Code != "PGRST117" {
		t.Error(got)
	}
}

// TestBatchLarge: large bodies come in the entries, whatever their type.
func TestBatchLarge(t *testing.T) {
	t.Parallel()
	s := startBatch(t)
	const rows = 3000
	status, entries, body := sendBatch(t, s, fmt.Sprintf(`{"requests":[{"id":"a","method":"GET","url":"/rpc/slices?n=%d"},
		{"id":"b","method":"GET","url":"/rpc/slices?n=%[1]d","headers":{"Accept":"text/csv"}},{"id":"c","method":"GET","url":"/rpc/slices?n=2"}]}`, rows))
	if status != 200 || len(entries) != 3 {
		t.Fatalf("%d %.300s", status, body)
	}
	line := strings.Repeat(`a"é`, 100)
	var list []string
	var text string
	if err := json.Unmarshal(entries[0].Body, &list); err != nil || len(list) != rows || list[rows-1] != line {
		t.Errorf("%v, %d rows", err, len(list))
	}
	got, err := servertest.Send(s.API, "POST", "/", fmt.Sprintf(`{"requests":[{"id":"a","method":"GET","url":"/rpc/slices?n=%d"}]}`, rows),
		"Content-Type", "application/vnd.pgrst.batch+json")
	if err != nil || got.Header.Get("Content-Length") != strconv.Itoa(len(got.Body)) {
		t.Errorf("%v, the length is %q", err, got.Header.Get("Content-Length"))
	}
	if err := json.Unmarshal(entries[1].Body, &text); err != nil || strings.Count(text, strings.ReplaceAll(line, `"`, `""`)) != rows {
		t.Errorf("%v, %.300s", err, text)
	}
}

// TestBatchForeign: a large body that is not the JSON or the text that its type says
// leaves the other entries as they are.
func TestBatchForeign(t *testing.T) {
	t.Parallel()
	s := startBatch(t)
	for name, accept := range map[string]string{"forged": "application/vnd.x+json", "bytes": "text/vnd.y", "mistaken": "text/csv"} {
		status, entries, body := sendBatch(t, s, `{"requests":[{"id":"a","method":"GET","url":"/rpc/`+name+`","headers":{"Accept":"`+accept+`"}},
			{"id":"b","method":"GET","url":"/plain"}]}`)
		if status != 200 || len(entries) != 2 || string(entries[1].Body) != "[]" || !utf8.ValidString(body) {
			t.Errorf("%s: %d, %d entries, %.200s", name, status, len(entries), body)
		}
	}
}

// TestBatchLargeFailed: a part that fails has the error as its body, however large the
// body was before.
func TestBatchLargeFailed(t *testing.T) {
	t.Parallel()
	s := startBatch(t)
	for _, n := range []int{10, 100_000} {
		status, entries, body := sendBatch(t, s, fmt.Sprintf(`{"requests":[{"id":"a","method":"GET","url":"/rpc/spoiled?n=%d"}]}`, n))
		if status != 500 || len(entries) != 1 || !strings.Contains(string(entries[0].Body), "PGRST112") {
			t.Errorf("%d: %d %.300s", n, status, body)
		}
	}
}

// TestBatchReferences: a backslash and percent-encoding hide no references from the bound.
func TestBatchReferences(t *testing.T) {
	t.Parallel()
	s := startBatch(t)
	for _, hidden := range []string{`"$r\\ef(a%23/0)"`, `"$%72ef(a%23/0)"`} {
		_, _, body := sendBatch(t, s, `{"requests":[{"id":"a","method":"GET","url":"/rpc/slices?n=1"},
			{"id":"b","method":"QUERY","url":"/book","headers":{"Content-Type":"application/x-www-form-urlencoded"},
			"body":"note=eq.$ref(a%23/0)&title=in.(`+strings.ReplaceAll(strings.Repeat(hidden+",", 1000)+hidden, `"`, `\"`)+`)"}]}`)
		if !strings.Contains(body, "at most 1000 references") {
			t.Errorf("%s: %.300s", hidden, body)
		}
	}
}

// TestBatchFlights: the log has the statements of all flights, and a commit that is a
// flight of its own. Only a batch that fails the check of PostgreSQL has one.
func TestBatchFlights(t *testing.T) {
	t.Parallel()
	s := startBatch(t, "log-query", "true", "log-level", "info")
	insert := func(id, number string) string {
		return `{"id":"` + id + `","method":"POST","url":"/plain","body":{"n":` + number + `}}`
	}
	f := func(parts string, inserts, commits int) {
		t.Helper()
		count := func() [3]int {
			return [3]int{s.Log.Count("INSERT INTO"), s.Log.Count(": commit\n"), s.Out.Count("\"POST / HTTP/1.1\" 200")}
		}
		before := count()
		if status, entries, _ := sendBatch(t, s, `{"requests":[`+parts+`]}`); status != 200 {
			t.Fatal(summary(entries))
		}
		want := [3]int{before[0] + inserts, before[1] + commits, before[2] + 1}
		if !pgtest.Until(servertest.Patience, func() bool { return count()[2] == want[2] }) {
			t.Fatalf("%s: the log has %d batches, want %d", parts, count()[2], want[2])
		}
		if got := count(); got != want {
			t.Errorf("%s: inserts, commits and batches are %d, want %d", parts, got, want)
		}
	}
	f(insert("a", "1")+","+insert("b", "2")+","+insert("c", "3"), 3, 0)
	f(`{"id":"a","method":"GET","url":"/plain?limit=1"},{"id":"b","method":"GET","url":"/plain?limit=2"}`, 0, 0)
	f(`{"id":"a","method":"GET","url":"/plain?limit=1"},`+insert("b", `{"$ref":"a#/0/n"}`)+","+insert("c", "4"), 2, 0)
	f(`{"id":"a","method":"PATCH","url":"/plain?n=eq.1","headers":{"Prefer":"max-affected=9, handling=strict"},"body":{"n":5}},`+insert("c", "4"), 1, 0)
	f(insert("a", "5")+`,{"id":"b","method":"GET","url":"/plain?offset=1","headers":{"Prefer":"count=planned"}}`, 1, 1)
}
