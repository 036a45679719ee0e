package pagetest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/servertest"
)

const pages = `
create schema api;
create table api.item (id int primary key, code text unique not null, rank int not null, name text, after int, hidden text);
insert into api.item select i, 'c' || i, i / 10, nullif('n' || i % 5, 'n0'), i % 3, 'h' from generate_series(1, 30) i;
create index item_rank on api.item (rank, id);
create table api.many (id int primary key, rank int not null, code text unique not null, name text);
insert into api.many select i, i / 10, 'c' || i, 'n' || i from generate_series(1, 20000) i;
create index many_rank on api.many (rank, id);
create table api.part (item int references api.item, n int, primary key (item, n));
insert into api.part select i, n from generate_series(1, 30) i, generate_series(1, 2) n;
create view api.seen as select id, name from api.item;
create view api.joined as select i.id, p.n from api.item i join api.part p on p.item = i.id;
create view api.keyless as select i % 6 as a, i as b from generate_series(1, 20) i;
create table api.long (id int primary key, text text);
insert into api.long select i, repeat('x', 5000) from generate_series(1, 5) i;
create function api.numbers() returns setof api.item stable language sql as 'select * from api.item';
grant usage on schema api to test_anon, test_user;
grant select on all tables in schema api to test_anon;
grant select (code, name) on api.item to test_user;
grant insert on api.item to test_anon;
analyze;
`

// TestPages: what is not a plain walk.
func TestPages(t *testing.T) {
	t.Parallel()
	s, _ := start(t, pages, "db-plan-enabled", "true", "db-aggregates-enabled", "true", "db-distinct-enabled", "true")
	after := func(target string) string {
		r := s.Do("GET", target, "", paging...)
		to := next(t, target, r)
		if to == "" {
			t.Fatalf("%s has no next page: %s", target, r)
		}
		u, _ := url.Parse(to)
		return "after=" + u.Query().Get("after")
	}
	byID, byRank := after("/item?limit=3"), after("/item?order=rank.desc,id&limit=3")
	csv := []string{"Accept", "text/csv"}
	for _, test := range []struct {
		target  string
		headers []string
		status  int
		want    string // part of the body
	}{
		{"/item?select=id&limit=2&" + byID, nil, 200, `[{"id":4},{"id":5}]`},
		{"/item?select=id&limit=2&id=gt.10&" + byID, nil, 200, `[{"id":11},{"id":12}]`},
		{"/item?select=id&limit=2&order=rank.desc,id&" + byRank, nil, 200, `[{"id":22},{"id":23}]`},
		{"/item?select=id&order=id.asc.nullsfirst&" + byID, nil, 400, "PGRSTX35"},
		{"/item?select=id&order=id.desc&" + byID, nil, 400, "PGRSTX35"},
		{"/item?select=id&order=rank,id&" + byRank, nil, 400, "PGRSTX35"},
		{"/item?select=id&" + byRank, nil, 400, "PGRSTX35"},
		{"/many?select=id&" + byID, nil, 400, "PGRSTX35"},
		{"/item?after=xyz", nil, 400, "PGRSTX35"},
		{"/item?after=", nil, 400, "PGRSTX35"},
		{"/item?offset=1&" + byID, nil, 400, "PGRSTX35"},
		{"/item?" + byID, []string{"Range", "3-5"}, 400, "PGRSTX35"},
		{"/item?select=id&" + byID, []string{"Range", "0-1"}, 200, `[{"id":4},{"id":5}]`},
		{"/item?select=id,after&after=eq.1&limit=1&" + byID, nil, 200, `[{"id":4,"after":1}]`},
		{"/item?after=not.eq.1&select=after&limit=1", nil, 200, `[{"after":2}]`},
		{"/item?limit=2", csv, 400, "PGRSTX34"},
		{"/item?limit=2", []string{"Accept", "application/x-ndjson"}, 400, "PGRSTX34"},
		{"/item?limit=1", []string{"Accept", "application/vnd.pgrst.object+json"}, 400, "PGRSTX34"},
		{"/item?select=id.count()", nil, 400, "PGRSTX34"},
		{"/item?select=name&distinct=true&order=name", nil, 400, "PGRSTX34"},
		{"/item?select=id,id:name", nil, 400, "PGRSTX34"},
		{"/item?select=*,id&limit=2", nil, 400, "PGRSTX34"},
		{"/item?select=pgrst_key_0:id&limit=2", nil, 400, "PGRSTX34"},
		{"/keyless", nil, 400, "PGRSTX34"},
		{"/keyless?order=b&limit=2", nil, 200, `[{"a":1,"b":1},{"a":2,"b":2}]`},
		{"/keyless?order=a&limit=2", nil, 400, "unique together"},
		{"/joined?limit=3", nil, 400, "unique together"},
		{"/joined?limit=3&order=n", nil, 200, `[{"id":1,"n":1},{"id":2,"n":1}`},
		{"/long?order=text&limit=1", nil, 400, "'text'"},
		{"/long?order=id&limit=1&select=id", nil, 200, `[{"id":1}]`},
		{"/item?order=nothing&limit=1", nil, 400, "42703"},
		{"/item?limit=0", nil, 200, "[]"},
		{"/item?limit=9223372036854775807&id=eq.1&select=id", nil, 200, `[{"id":1}]`},
		{"/item?limit=9223372036854775808", nil, 400, "22003"},
		{"/item?select=id&limit=2&select=id&order=part(n)", nil, 400, "PGRST108"},
		{"/rpc/numbers?limit=2&select=id&order=id", nil, 200, `[{"id":1},{"id":2}]`},
		{"/rpc/numbers?limit=2", []string{"Prefer", "page=cursor, handling=strict"}, 400, "PGRST122"},
	} {
		r := s.Do("GET", test.target, "", append([]string{paging[0], paging[1]}, test.headers...)...)
		if r.Status != test.status || !strings.Contains(r.Body, test.want) {
			t.Errorf("%s %v: %s", test.target, test.headers, r)
		}
		if applied := r.Header.Get("Preference-Applied"); r.OK() && (applied == "page=cursor") == strings.HasPrefix(test.target, "/rpc/") {
			t.Errorf("%s: Preference-Applied is %q", test.target, applied)
		}
	}
	// Without the preference nothing changes.
	for target, want := range map[string]string{"/item?" + byID: "PGRST100", "/item?after=eq.1&select=id&limit=1": `[{"id":1}]`} {
		if r := s.Do("GET", target, ""); !strings.Contains(r.Body, want) || r.Header.Get("Link") != "" {
			t.Errorf("%s: %s", target, r)
		}
	}
	if r := s.Do("POST", "/item", `{"id":100,"code":"x","rank":1}`, paging...); r.Status != 201 || r.Header.Get("Preference-Applied") != "" {
		t.Errorf("%s %v", r, r.Header)
	}
	t.Run("index", func(t *testing.T) { testIndex(t, s) })
	t.Run("links", func(t *testing.T) { testLinks(t, s) })
	t.Run("counts", func(t *testing.T) { testCounts(t, s) })
	t.Run("privileges", func(t *testing.T) { testPrivileges(t, s) })
}

// testIndex: an index finds the first row of a page.
func testIndex(t *testing.T, s *servertest.Server) {
	for order, want := range map[string]string{
		"id":                 "Index Cond: (id > ",
		"id.desc":            "Index Cond: (id < ",
		"rank":               "Index Cond: (ROW(rank, id) > ROW(",
		"rank.desc":          "Index Cond: (ROW(rank, id) < ROW(",
		"rank.desc,id.desc":  "Index Cond: (ROW(rank, id) < ROW(",
		"code":               "Index Cond: (code > ",
		"rank.desc,code.asc": "Index Cond: (rank <= ",
	} {
		target := "/many?limit=5&order=" + order
		to := next(t, target, s.Do("GET", target, "", paging...))
		r := s.Do("GET", to, "", append([]string{"Accept", "application/vnd.pgrst.plan+text"}, paging...)...)
		if !r.OK() || !strings.Contains(r.Body, want) || strings.Contains(r.Body, "Seq Scan") {
			t.Errorf("%s: %s", order, r)
		}
	}
}

func testLinks(t *testing.T, s *servertest.Server) {
	send := func(method, target, body string, headers ...string) string {
		t.Helper()
		r := s.Do(method, target, body, append([]string{"Prefer", "page=cursor", "Origin", "http://example.com"}, headers...)...)
		if !r.OK() {
			t.Errorf("%s: %s", target, r)
		}
		link := r.Header.Get("Link")
		if exposed := r.Header.Get("Access-Control-Expose-Headers"); strings.HasSuffix(exposed, ", Link") != (link != "") {
			t.Errorf("%s: link %q, exposed %q", target, link, exposed)
		}
		before, _, _ := strings.Cut(link, "after=")
		return before
	}
	for _, test := range []struct {
		method, target, body string
		headers              []string
		want                 string
	}{
		{"GET", "/item?limit=3", "", nil, "<?limit=3&"},
		{"HEAD", "/item?limit=3", "", nil, "<?limit=3&"},
		{"GET", "/item?limit=3&select=id&offset=4&order=id", "", nil, "<?select=id&order=id&limit=3&"},
		{"GET", "/item?%6Cimit=3;select=id", "", nil, "<?select=id&limit=3&"},
		{"GET", "/item?select=id", "", []string{"Range", "2-5"}, "<?select=id&limit=4&"},
		{"GET", `/item?name=neq.a%20">ü&limit=3`, "", nil, "<?name=neq.a%20%22%3E%C3%BC&limit=3&"},
		{"GET", "/item?part.limit=1&select=id,part(n)&limit=3", "", nil, "<?part.limit=1&select=id,part(n)&limit=3&"},
		{"GET", "/item?limit=30", "", nil, "<?limit=30&"}, // there is a row 100
		{"GET", "/item?limit=31", "", nil, ""},
		{"GET", "/item?limit=0", "", nil, ""},
		{"GET", "/item", "", nil, ""},
		{"QUERY", "/item?select=id", "limit=3&order=rank", []string{"Content-Type", "application/x-www-form-urlencoded"}, "<?select=id&"},
	} {
		if got := send(test.method, test.target, test.body, test.headers...); got != test.want {
			t.Errorf("%s %s: %s", test.method, test.target, got)
		}
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Prefer", "page=cursor"}
	to := next(t, "/item", s.Do("QUERY", "/item", "limit=3&order=id&select=id", form...))
	if r := s.Do("QUERY", to, "limit=3&order=id&select=id", form...); r.Body != `[{"id":4},{"id":5},{"id":6}]` {
		t.Error(r)
	}
	batch := `{"requests":[{"id":"a","method":"GET","url":"/item?limit=3","headers":{"Prefer":"page=cursor"}}]}`
	if r := s.Do("POST", "/", batch, "Content-Type", "application/vnd.pgrst.batch+json"); !strings.Contains(r.Body, "PGRSTX34") {
		t.Error(r)
	}
}

// testCounts: the total is that of all pages, and a page behind the first has no known
// position.
func testCounts(t *testing.T, s *servertest.Server) {
	target := "/item?id=lte.10&select=id&limit=4"
	var got []string
	for target != "" {
		r := s.Do("GET", target, "", "Prefer", "page=cursor, count=exact")
		got = append(got, fmt.Sprint(r.Status, " ", r.Header.Get("Content-Range"), " ", len(r.Body)))
		target = next(t, target, r)
	}
	if text := strings.Join(got, ", "); text != "206 0-3/10 37, 206 */10 37, 206 */10 20" {
		t.Error(text)
	}
}

// testPrivileges: a role that may not read the primary key orders by another key.
func testPrivileges(t *testing.T, s *servertest.Server) {
	name, value := servertest.Bearer(`{"role":"test_user"}`)
	if r := s.Do("GET", "/item?select=name&order=name&limit=2", "", "Prefer", "page=cursor", name, value); r.Status != 403 || r.Code != "42501" {
		t.Error(r)
	}
	r := s.Do("GET", "/item?select=name&order=name,code&limit=2", "", "Prefer", "page=cursor", name, value)
	if r.Status != 200 || r.Header.Get("Link") == "" {
		t.Error(r)
	}
	// The cursor of another role compares with what it has, and opens nothing.
	target := "/item?select=name&order=id&limit=2"
	to := next(t, target, s.Do("GET", target, "", paging...))
	if r := s.Do("GET", to, "", "Prefer", "page=cursor", name, value); r.Status != 403 {
		t.Error(r)
	}
}
