package classic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const rows = `
insert into bench.item select n, 's' || n, 'n' || n, n / 10.0, n, 0.5, true, '{a}', '2024-01-01 00:00+00', '{"a":1}' from generate_series(1, 9) n;
insert into bench.customer select n, 'c' || n, 'e', '2020-01-01' from generate_series(1, 3) n;
insert into bench.purchase select n, 1 + n % 2, '2025-01-01 00:00+00', 'open', n from generate_series(1, 4) n;
`

// start runs the server on a database with a few rows and returns its address.
func start(t *testing.T, cluster *pgtest.Cluster, db string) string {
	t.Helper()
	env := map[string]string{
		"PGRST_DB_URI": cluster.URI(db, "authenticator"), "PGRST_DB_POOL": "2", "PGRST_DB_SCHEMAS": "bench", "PGRST_DB_ANON_ROLE": "anon",
		"PGRST_SERVER_HOST": "127.0.0.1", "PGRST_SERVER_PORT": pgtest.FreePort(t, "127.0.0.1"), "PGRST_ADMIN_SERVER_HOST": "127.0.0.1", "PGRST_ADMIN_SERVER_PORT": pgtest.FreePort(t, "127.0.0.1"),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, func(name string) string { return env[name] }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get("http://127.0.0.1:" + env["PGRST_ADMIN_SERVER_PORT"] + "/ready")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return "http://127.0.0.1:" + env["PGRST_SERVER_PORT"]
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready in a minute: %v", err)
		}
	}
}

func TestRequests(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.LoadSQL(t, db, "../schema.sql")
	t.Cleanup(func() {
		cluster.Exec(t, db, "drop schema bench cascade; drop role authenticator; drop role anon; drop role member")
	})
	cluster.Exec(t, db, rows)
	base := start(t, cluster, db)

	ask := func(method, path, body, header string) (int, string, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if name, value, ok := strings.Cut(header, ": "); ok {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header.Get("Content-Range"), string(text)
	}
	f := func(method, path, body string, status int, contentRange, want string) {
		t.Helper()
		for range 3 { // the first request on each connection prepares the statements
			gotStatus, gotRange, got := ask(method, path, body, "")
			if gotStatus != status || gotRange != contentRange {
				t.Errorf("%s %s: got %d and %q (%s), want %d and %q", method, path, gotStatus, gotRange, got, status, contentRange)
			}
			if diff := cmp.Diff(compact(want), compact(got)); status == http.StatusOK && diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", method, path, diff)
			}
		}
	}
	item := func(n int) string {
		return fmt.Sprintf(`{"id":%d,"sku":"s%d","name":"n%d","price":0.%d0,"stock":%d,"weight":0.5,"active":true,"tags":["a"],"created":"2024-01-01T00:00:00+00:00","details":{"a":1}}`, n, n, n, n, n)
	}
	purchase := func(n int) string {
		return fmt.Sprintf(`{"id":%d,"customer_id":%d,"placed":"2025-01-01T00:00:00+00:00","status":"open","total":%d.00}`, n, 1+n%2, n)
	}
	customer := func(n int, purchases ...string) string {
		return fmt.Sprintf(`{"id":%d,"name":"c%d","email":"e","since":"2020-01-01","purchase":[%s]}`, n, n, strings.Join(purchases, ","))
	}
	f("GET", "/item?id=eq.3", "", 200, "0-0/*", "["+item(3)+"]")
	f("GET", "/item?id=eq.33", "", 200, "*/*", "[]")
	f("GET", "/item?id=gte.2&order=id&limit=2", "", 200, "0-1/*", "["+item(2)+","+item(3)+"]")
	f("GET", "/customer?id=gte.1&order=id&limit=20&select=*,purchase(*)", "", 200, "0-2/*",
		"["+customer(1, purchase(2), purchase(4))+","+customer(2, purchase(1), purchase(3))+","+customer(3)+"]")
	f("POST", "/reading", `{"device": 7, "taken": "2025-06-01T12:30:00+00:00", "celsius": 21.75, "note": null}`, 201, "", "")

	f("GET", "/", "", 404, "", "")
	f("GET", "/item", "", 404, "", "")
	f("GET", "/item?id=eq.x", "", 404, "", "")
	f("GET", "/item?id=eq.3&x=1", "", 404, "", "")
	f("GET", "/item?id=gte.2&order=name&limit=2", "", 404, "", "")
	f("PATCH", "/item?id=eq.3", "{}", 404, "", "")
	f("POST", "/reading", `[]`, 400, "", "")
	f("POST", "/reading", `{"device": 7, "taken": "2025-06-01T12:30:00+00:00", "celsius": 123456789}`, 400, "", "")
	if status, _, body := ask("GET", "/item?id=eq.3", "", "Authorization: Bearer x"); status != http.StatusUnauthorized {
		t.Errorf("with a token: got %d %s, want a refusal", status, body)
	}
	cluster.Exec(t, db, `do $$ begin
		if (select count(*) from bench.reading where device = 7 and celsius = 21.75 and note is null) <> 3 then raise 'not three rows'; end if;
	end $$`)

	// Settings belong to the request and end with it.
	cluster.Exec(t, db, `alter table bench.item enable row level security;
		create policy p on bench.item using (current_user = 'anon' and current_setting('request.jwt.claims')::json->>'role' = 'anon'
			and current_setting('request.method') = 'GET' and current_setting('request.path') = '/item'
			and current_setting('request.headers')::json->>'x-who' = 'me' and current_setting('request.cookies')::json->>'a' = 'b'
			and current_setting('transaction_read_only') = 'on')`)
	if _, _, body := ask("GET", "/item?id=eq.3", "", "X-Who: you"); body != "[]" {
		t.Errorf("the row of another request: %s", body)
	}
	request, _ := http.NewRequestWithContext(t.Context(), "GET", base+"/item?id=eq.3", nil)
	request.Header.Set("X-Who", "me")
	request.Header.Set("Cookie", "a=b")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || compact(string(body)) != "["+item(3)+"]" {
		t.Errorf("with the settings that the policy wants: %s, %v", body, err)
	}
}

// compact removes the white space of JSON, because json_agg writes more than
// necessary.
func compact(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}

func TestRefusesToStart(t *testing.T) {
	f := func(uri, pool, want string) {
		t.Helper()
		env := map[string]string{"PGRST_DB_URI": uri, "PGRST_DB_POOL": pool}
		if err := Run(t.Context(), func(name string) string { return env[name] }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, %s: got %v, want %q", uri, pool, err, want)
		}
	}
	f("postgresql://%zz", "1", "parse")
	f("postgresql:///x", "", "PGRST_DB_POOL")
	f("postgresql:///x", "0", "PGRST_DB_POOL")
}
