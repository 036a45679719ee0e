package server_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

const queryForm = "application/x-www-form-urlencoded"

const querySchema = `
create schema api;
create table api.item (id int primary key, name text);
insert into api.item select i, 'name ' || i from generate_series(1, 200000) i;
create function api.method() returns text stable language sql as
  $$ select current_setting('request.method') || ' ' || current_setting('transaction_read_only') $$;
create function api.twice(n int) returns int stable language sql as 'select 2 * n';
create function api.volatile() returns int volatile language sql as 'select 1';
grant usage on schema api to ` + pgtest.Anon + `;
grant select, insert on api.item to ` + pgtest.Anon + `;
`

func startQuery(t *testing.T, settings map[string]string) *servertest.Server {
	t.Helper()
	db := pgtest.StartOwn(t)
	db.Exec(t, "postgres", querySchema)
	flags := map[string]string{"db-uri": db.URI("postgres", "postgres"), "db-schemas": "api", "db-anon-role": pgtest.Anon}
	for key, value := range settings {
		flags[key] = value
	}
	return servertest.Start(t, flags)
}

// TestQuery: what GET does with the query string of the URL, QUERY does with the body.
func TestQuery(t *testing.T) {
	t.Parallel()
	s := startQuery(t, map[string]string{"server-max-query-size": "2000"})
	for _, test := range []struct {
		target, body string
		headers      []string
		status       int
		want         string // part of the body
	}{
		{"/item", "id=eq.1&select=name", nil, 200, `[{"name":"name 1"}]`},
		{"/item?select=id", "id=eq.1&select=name", nil, 200, `[{"id":1}]`},
		{"/item?select=id&", "id=eq.1", nil, 200, `[{"id":1}]`},
		{"/item?select=id&id=eq.1", "", nil, 200, `[{"id":1}]`},
		{"/item", "name=eq.name+7&select=id", nil, 200, `[{"id":7}]`},
		{"/item", "name=eq.name 7&select=id", []string{"Content-Type", queryForm + "; charset=UTF-8"}, 200, `[{"id":7}]`},
		{"/item", "select=id&order=id", []string{"Range", "2-3"}, 200, `[{"id":3},{"id":4}]`},
		{"/item", "select=id&limit=1&order=id", []string{"Prefer", "count=exact"}, 206, `[{"id":1}]`},
		{"/item", "select=id&id=eq.1", []string{"Accept", "text/csv"}, 200, "id\n1"},
		{"/rpc/method", "", nil, 200, `"QUERY on"`},
		{"/rpc/twice", "n=4", nil, 200, `8`},
		{"/rpc/volatile", "", nil, 200, `1`},
		{"/nowhere", "id=eq.1", nil, 404, "PGRST205"},
		{"/rpc/nowhere", "a=1", nil, 404, "PGRST202"},
		{"/item", "id=eq.x", nil, 400, "22P02"},
		{"/item", "id=1", nil, 400, "PGRST100"},
		{"/item", "id=eq.1\x00", nil, 200, `[{"id":1`},
		{"/item", strings.Repeat("a", 2001), nil, 413, "(server-max-query-size)"},
		{"/item", "id=eq.1", []string{"Content-Type", "application/json"}, 415, "PGRSTX21"},
		{"/item", "id=eq.1", []string{"Content-Type", ""}, 415, "PGRSTX21"},
	} {
		headers := append([]string{"Content-Type", queryForm}, test.headers...)
		for _, sent := range []struct {
			method  string
			headers []string
		}{{"QUERY", headers}, {"POST", append(headers, "X-HTTP-Method-Override", "QUERY")}} {
			got := s.Do(sent.method, test.target, test.body, sent.headers...)
			if got.Status != test.status || !strings.Contains(got.Body, test.want) || got.Header.Get("Content-Location") != "" {
				t.Errorf("%s %s %.50q: %s %v", sent.method, test.target, test.body, got, got.Header)
			}
			if accepted := got.Header.Get("Accept-Query"); (got.Status == 415) != (accepted == `"`+queryForm+`"`) {
				t.Errorf("%s %s: Accept-Query %q with status %d", sent.method, test.target, accepted, got.Status)
			}
		}
	}
	// Only QUERY can be chosen, only in place of POST, and only in these letters.
	for _, headers := range [][]string{{"X-HTTP-Method-Override", "DELETE"}, {"X-HTTP-Method-Override", "query"}, {"X-Http-Method", "QUERY"}} {
		if got := s.Do("POST", "/item", `{"id":1}`, append(headers, "Content-Type", "application/json")...); got.Status != 409 {
			t.Errorf("%v: %s", headers, got)
		}
	}
	if got := s.Do("GET", "/rpc/method", "", "X-HTTP-Method-Override", "QUERY"); got.Body != `"GET on"` {
		t.Errorf("GET is overridden: %s", got)
	}
}

// TestQueryPlan: a QUERY has the plan of the GET, and a long list is one parameter of it.
func TestQueryPlan(t *testing.T) {
	t.Parallel()
	s := startQuery(t, nil)
	plans := func() string {
		figures, err := servertest.Send(s.Admin, "GET", "/metrics", "")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(figures.Body, "\nfastgrest_plan_cache_misses_total ")
		line, _, _ := strings.Cut(after, "\n")
		return line
	}
	if got := s.Do("GET", "/item?select=id&id=in.(1,2)", ""); got.Status != 200 {
		t.Fatal(got)
	}
	before := plans()
	var list strings.Builder
	for id := 100_001; id <= 200_000; id++ {
		list.WriteString(strconv.Itoa(id) + ",")
	}
	body := "select=id&id=in.(" + list.String() + "5)"
	for _, headers := range [][]string{{"Content-Type", queryForm}, {"Content-Type", queryForm, "X-HTTP-Method-Override", "QUERY"}} {
		method := "QUERY"
		if len(headers) > 2 {
			method = "POST"
		}
		if got := s.Do(method, "/item", body, headers...); got.Status != 200 || strings.Count(got.Body, "id") != 100_001 {
			t.Errorf("%s: %.200s", method, got)
		}
	}
	if after := plans(); after != before {
		t.Errorf("there were %s plans, and there are %s", before, after)
	}
}

// TestQueryAdvertised: only with server-advertise-query do responses to other requests
// differ from those of PostgREST. A preflight for QUERY is always granted.
func TestQueryAdvertised(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		s := startQuery(t, map[string]string{"server-advertise-query": strconv.FormatBool(on)})
		for _, test := range []struct{ method, target, allow string }{
			{"OPTIONS", "/item", "OPTIONS,GET,HEAD,QUERY,POST,PUT,PATCH,DELETE"},
			{"OPTIONS", "/", "OPTIONS,GET,HEAD,QUERY"},
			{"OPTIONS", "/rpc/method", "OPTIONS,GET,HEAD,QUERY,POST"},
			{"OPTIONS", "/rpc/volatile", "OPTIONS,POST"},
			{"BREW", "/item", ""},
			{"DELETE", "/rpc/twice", ""},
		} {
			allow, accepted := test.allow, ""
			if strings.Contains(allow, "QUERY") || allow == "" {
				accepted = `"` + queryForm + `"`
			}
			if !on {
				allow, accepted = strings.Replace(allow, "QUERY,", "", 1), ""
				allow = strings.TrimSuffix(allow, ",QUERY")
			}
			got := s.Do(test.method, test.target, "")
			if got.Header.Get("Allow") != allow || got.Header.Get("Accept-Query") != accepted {
				t.Errorf("advertised %t: %s %s: %v", on, test.method, test.target, got.Header)
			}
		}
		for _, method := range []string{"QUERY", "PATCH"} {
			got := s.Do("OPTIONS", "/item", "", "Origin", "https://a.example", "Access-Control-Request-Method", method,
				"Access-Control-Request-Headers", "content-type")
			if methods := got.Header.Get("Access-Control-Allow-Methods"); !strings.Contains(methods, method) ||
				strings.Contains(methods, "QUERY") != (method == "QUERY") {
				t.Errorf("preflight for %s: %q", method, methods)
			}
		}
	}
}
