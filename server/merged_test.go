package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

const mergedSchema = allocSchema + `
create table api.kinds (
  id int primary key, b boolean, s smallint, l bigint, r real, d double precision, n numeric, t text, v varchar(20), c char(5), u uuid,
  day date, at timestamp, zoned timestamptz, clock time, j jsonb, list int[], colour text collate "C");
insert into api.kinds select i, i % 2 = 0, i, i * 10000000000, i / 4.0, i / 8.0, i / 10.0, 'text ' || i, 'v' || i, 'c' || i, lpad(i::text, 32, '0')::uuid,
  date '2024-01-01' + i, timestamp '2024-01-01' + i * interval '1 hour', timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', time '00:00' + i * interval '1 minute',
  jsonb_build_object('k', i, 'w', 'w' || i), array[i, i + 1], chr(64 + i) from generate_series(1, 24) i;
insert into api.kinds (id, t) values (100, 'NULL'), (101, ''), (102, E'"\\{},\' $1'), (103, null), (104, 'é' || chr(10) || 'ü');
create view api.items as select * from api.item;
create table api.secured (id int primary key, owner text);
insert into api.secured select i, 'sub-' || i % 3 from generate_series(1, 30) i;
alter table api.secured enable row level security;
create policy p on api.secured using (owner = current_setting('request.jwt.claims', true)::json->>'sub');
create table api.pgrst_merged as select 1 as id;
create function api.upper_name(api.item) returns text stable language sql as 'select upper($1.name)';
grant all on all tables in schema api to test_anon, test_user;
analyze;
`

// mergedRequest is a request with the operands among which clients choose.
type mergedRequest struct {
	target   string // with %s for the operand
	operands []string
	headers  map[string]string
}

// mergeable are requests of plans that merge.
var mergeable = []mergedRequest{
	{target: "/item?id=eq.%s", operands: []string{"1", "2", "3", "199", "1000", "-1", " 7 "}},
	{target: "/item?id=eq.%s", operands: []string{"1", "2", "3"}, headers: map[string]string{"Accept": "application/vnd.pgrst.object+json"}},
	{target: "/item?id=gt.%s&order=id&limit=3", operands: []string{"1", "2", "198", "199", "200"}, headers: map[string]string{"Prefer": "count=exact"}},
	{target: "/item?id=lt.%s&order=price.desc&select=id,name", operands: []string{"1", "2", "9"}, headers: map[string]string{"Prefer": "count=exact"}},
	{target: "/item?maker_id=eq.%s&order=id&limit=2&offset=1", operands: []string{"1", "2", "11"}},
	{target: "/item?id=in.(%s)&order=id", operands: []string{"1,2", "3", "", "2,1"}},
	{target: "/item?or=(id.eq.%s,name.eq.%s)&order=id", operands: []string{"1", "2", "3"}},
	{target: "/maker?select=id,item(id,part(id,maker(name)))&id=eq.%s&item.limit=1", operands: []string{"1", "2", "77"}},
	{target: "/maker?select=name,item(id.count())&id=eq.%s", operands: []string{"1", "2", "77"}},
	{target: "/item?select=id.sum(),price.max()&id=lt.%s", operands: []string{"1", "2", "77"}},
	{target: "/kinds?b=is.%s&id=lt.5", operands: []string{"true"}},
	{target: "/kinds?b=eq.%s&id=lt.5&order=id", operands: []string{"t", "false", "1", "no"}},
	{target: "/kinds?s=eq.%s", operands: []string{"1", "2", "3"}},
	{target: "/kinds?l=gte.%s&order=l.desc&limit=2", operands: []string{"10000000000", "0", "230000000000"}},
	{target: "/kinds?r=eq.%s", operands: []string{"0.25", ".5", "1e0"}},
	{target: "/kinds?d=gt.%s&order=id&limit=1", operands: []string{"0.25", "-Infinity", "NaN"}},
	{target: "/kinds?n=eq.%s", operands: []string{"0.1", "0.10", "2"}},
	{target: "/kinds?t=eq.%s", operands: []string{"text 1", "text 2", "NULL", "null", "", `"\{},' $1`, "é\nü", `"`, `\`}},
	{target: "/kinds?t=like.*%s&order=id&limit=4", operands: []string{"1", "2", "text 1", "%"}},
	{target: "/kinds?v=eq.%s", operands: []string{"v1", "v2", "v2 "}},
	{target: "/kinds?c=eq.%s", operands: []string{"c1", "c2", "c2   "}},
	{target: "/kinds?u=eq.%s", operands: []string{"00000000-0000-0000-0000-000000000001", "00000000000000000000000000000002"}},
	{target: "/kinds?day=eq.%s", operands: []string{"2024-01-02", "20240103", "today"}},
	{target: "/kinds?at=lt.%s&order=id&limit=2", operands: []string{"2024-01-01 05:00", "now", "infinity"}},
	{target: "/kinds?zoned=lt.%s&order=id&limit=2", operands: []string{"2024-01-01 05:00", "2024-01-01T05:00:00Z"}, headers: map[string]string{"Prefer": "timezone=Asia/Tokyo"}},
	{target: "/kinds?clock=eq.%s", operands: []string{"00:01", "00:02:00"}},
	{target: "/kinds?j->>w=eq.%s", operands: []string{"w1", "w2", "w"}},
	{target: "/kinds?j->k=eq.%s", operands: []string{"1", "2", `"x"`}},
	{target: "/kinds?list=cs.{%s}&order=id", operands: []string{"2", "3,4", ""}},
	{target: "/kinds?colour=gt.%s&order=colour&limit=2&select=colour", operands: []string{"A", "a", "W"}},
	{target: "/kinds?t=fts.%s&order=id&limit=2", operands: []string{"text", "nothing"}},
	{target: "/kinds?t=isdistinct.%s&order=id&limit=2", operands: []string{"text 1", "x"}},
	{target: "/kinds?id=eq(any).{%s}&order=id", operands: []string{"1,2", "3"}},
	{target: "/pgrst_merged?id=eq.%s", operands: []string{"1", "2"}},
}

// crowd has clients that send requests without a pause.
type crowd struct {
	*testServer
	t       *testing.T
	clients []func(r mergedRequest, operand string) string
}

const crowdSize = 24

func newCrowd(t *testing.T, s *testServer) *crowd {
	c := &crowd{testServer: s, t: t}
	for range crowdSize {
		c.clients = append(c.clients, client(t, s))
	}
	return c
}

var dates = regexp.MustCompile(`(?m)^(Date|Server-Timing): .*\r\n`)

// client returns a function that sends a request and returns all of the response.
func client(t *testing.T, s *testServer) func(r mergedRequest, operand string) string {
	ctx := newRequestCtx()
	escape := strings.NewReplacer("%", "%25", " ", "%20", "\n", "%0A", `"`, "%22", `\`, "%5C", "+", "%2B")
	return func(r mergedRequest, operand string) string {
		target := strings.ReplaceAll(strings.NewReplacer(">", "%3E").Replace(r.target), "%s", escape.Replace(operand))
		requestReader(t, ctx, rawRequest("GET", target, "", r.headers))()
		s.handle(ctx)
		var b bytes.Buffer
		_, _ = ctx.Response.WriteTo(&b)
		return dates.ReplaceAllString(b.String(), "")
	}
}

// run sends each client's share of requests, and compares the responses with those in want.
func (c *crowd) run(r mergedRequest, want map[string]string) {
	var over sync.WaitGroup
	for i, ask := range c.clients {
		over.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for range 8 {
				operand := r.operands[random.IntN(len(r.operands))]
				if got := ask(r, operand); got != want[operand] {
					c.t.Errorf("%s with %q:\n%s\nwant:\n%s", r.target, operand, got, want[operand])
				}
			}
		})
	}
	over.Wait()
}

// alone has the response to a request with each operand, sent while no others wait.
func (c *crowd) alone(r mergedRequest) map[string]string {
	want := map[string]string{}
	for range 2 {
		for _, operand := range r.operands {
			want[operand] = c.clients[0](r, operand)
		}
	}
	return want
}

func (c *crowd) merged() int64 { return c.pool.Stats().Merged }

// TestMergedResponses: merged requests get the same bytes as requests that run alone.
func TestMergedResponses(t *testing.T) {
	t.Parallel()
	s := startTest(t, mergedSchema, "db-pool", "1", "db-aggregates-enabled", "true")
	c := newCrowd(t, s)
	for _, r := range mergeable {
		want := c.alone(r)
		before := c.merged()
		if !pgtest.Until(time.Minute, func() bool { c.run(r, want); return c.merged() > before || t.Failed() }) {
			t.Errorf("%s: no requests were merged", r.target)
		}
		if t.Failed() {
			return
		}
	}
}

// TestNotMerged: requests are not merged whose statement runs code of the database's
// owners, reads views, or has row security; and none with the setting off.
func TestNotMerged(t *testing.T) {
	t.Parallel()
	s := startTest(t, mergedSchema, "db-pool", "1")
	c := newCrowd(t, s)
	token := "Bearer " + s.sign(t, `{"role":"test_user","sub":"sub-1"}`)
	for _, r := range []mergedRequest{
		{target: "/items?id=eq.%s", operands: []string{"1", "2"}},
		{target: "/secured?id=eq.%s", operands: []string{"1", "2"}, headers: map[string]string{"Authorization": token}},
		{target: "/item?id=eq.%s&select=upper_name", operands: []string{"1", "2"}},
		{target: "/rpc/add?a=1&b=%s", operands: []string{"1", "2"}},
		{target: "/item?id=eq.%s", operands: []string{"1", "2"}, headers: map[string]string{"Accept": "text/csv"}},
		{target: "/item?id=eq.%s", operands: []string{"1", "2"}, headers: map[string]string{"Prefer": "count=planned"}},
	} {
		want := c.alone(r)
		for range 20 { // until the plan counts as quick
			_ = c.alone(r)
		}
		before := c.merged()
		c.run(r, want)
		if n := c.merged() - before; n != 0 {
			t.Errorf("%s: %d requests were merged", r.target, n)
		}
	}
	off := newCrowd(t, startTest(t, mergedSchema, "db-pool", "1", "db-coalescing", "false"))
	r := mergeable[0]
	want := off.alone(r)
	for range 5 {
		off.run(r, want)
	}
	if n := off.merged(); n != 0 {
		t.Errorf("%d requests were merged with the setting off", n)
	}
}

// TestMergedIdentities: only requests with equal settings are merged, and an error of one
// request is not that of others.
func TestMergedIdentities(t *testing.T) {
	t.Parallel()
	s := startTest(t, mergedSchema+"revoke select on api.part from test_user", "db-pool", "1")
	c := newCrowd(t, s)
	type sent struct {
		r       mergedRequest
		operand string
		want    string
	}
	var all []sent
	for i := range 4 {
		headers := map[string]string{"X-Tag": fmt.Sprint(i % 2)}
		if i > 1 {
			headers["Authorization"] = "Bearer " + s.sign(t, fmt.Sprintf(`{"role":"test_user","sub":"sub-%d"}`, i))
		}
		for _, target := range []string{"/part?id=eq.%s", "/item?id=eq.%s", "/item?name=eq.%s"} {
			r := mergedRequest{target, []string{"1", "2", "name 3", "99999999999999"}, headers}
			for operand, want := range c.alone(r) {
				all = append(all, sent{r, operand, want})
			}
		}
	}
	before := c.merged()
	enough := func() bool {
		var over sync.WaitGroup
		for i, ask := range c.clients {
			over.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 2))
				for range 20 {
					x := all[random.IntN(len(all))]
					if got := ask(x.r, x.operand); got != x.want {
						t.Errorf("%s %v with %q:\n%s\nwant:\n%s", x.r.target, x.r.headers, x.operand, got, x.want)
					}
				}
			})
		}
		over.Wait()
		return c.merged() > before+100 || t.Failed()
	}
	if !pgtest.Until(time.Minute, enough) {
		t.Error("no requests were merged")
	}
}
