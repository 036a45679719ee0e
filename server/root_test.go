package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/config"
)

var rootSchema = pgtest.Role("root_owner") + pgtest.Role("root_member") + `
grant root_owner to root_member;
create schema api;
comment on schema api is 'Rooms';
create type api.mood as enum ('fine', 'foul');
create table api.readable (id int primary key, mood api.mood);
create table api.one_column (a int, b int);
create table api.owned (id int);
create table api.secret (id int);
create table api.parts (id int) partition by range (id);
create table api.parts_1 partition of api.parts for values from (0) to (9);
create view api.looked_at as select 1 as one;
create index readable_mood on api.readable (mood);
create function api.anyone(mood api.mood default 'fine') returns int stable language sql as 'select 1';
create function api.someone() returns int language sql as 'select 1';
create function api.triggered() returns trigger language plpgsql as 'begin return new; end';
create function api.unnamed(int) returns int language sql as 'select 1';
create function api.forget() returns void language plpgsql as $$ begin execute 'deallocate all'; end $$;
revoke execute on function api.someone() from public;
grant execute on function api.someone() to test_user, test_other;
alter table api.owned owner to root_owner;
grant select on api.readable, api.parts, api.parts_1 to test_user, test_other;
grant insert (b) on api.one_column to test_user, test_other;
grant truncate on api.looked_at to test_user, test_other;
grant usage on schema api to test_user, test_other, test_serial, test_anon;
`

// ask sends one request and returns the response, valid until the next one.
func (s *testServer) ask(t *testing.T, method, target string, headers map[string]string) *fasthttp.Response {
	t.Helper()
	ctx := newRequestCtx()
	requestReader(t, ctx, rawRequest(method, target, "", headers))()
	s.handle(ctx)
	return &ctx.Response
}

func (s *testServer) as(t *testing.T, role string) map[string]string {
	if role == "" {
		return nil
	}
	return map[string]string{"Authorization": "Bearer " + s.sign(t, `{"role":"`+role+`"}`)}
}

// rootDocument is the part of a document these tests look at.
type rootDocument struct {
	Info        struct{ Title string }
	Paths       map[string]struct{ Get json.RawMessage }
	Definitions map[string]any
}

func (s *testServer) document(t *testing.T, role string) (doc rootDocument, body []byte) {
	t.Helper()
	resp := s.ask(t, "GET", "/", s.as(t, role))
	body = resp.Body()
	if resp.StatusCode() != fasthttp.StatusOK {
		t.Fatalf("as %q: status %d: %s", role, resp.StatusCode(), body)
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatalf("as %q: %v", role, err)
	}
	return doc, body
}

func (d *rootDocument) paths() string {
	return strings.Join(slices.Sorted(maps.Keys(d.Paths)), " ")
}

func TestRootAccess(t *testing.T) {
	s := startTest(t, rootSchema)
	const public = "/rpc/anyone /rpc/forget"
	for _, tt := range []struct{ role, paths string }{
		{"", "/ " + public},
		{"test_user", "/ /looked_at /one_column /parts /readable " + public + " /rpc/someone"},
		{"root_owner", "/ /owned " + public},
		{"root_member", "/ /owned " + public},
		{"test_serial", "/ " + public}, // BEGIN, because of its isolation level
	} {
		doc, _ := s.document(t, tt.role)
		if got := doc.paths(); got != tt.paths {
			t.Errorf("as %q: got %s, want %s", tt.role, got, tt.paths)
		}
		if doc.Info.Title != "Rooms" {
			t.Errorf("as %q: title %q", tt.role, doc.Info.Title)
		}
	}
	s.configure(func(c *config.Config) { c.OpenAPIMode = config.IgnorePrivileges })
	doc, _ := s.document(t, "")
	if got, want := doc.paths(), "/ /looked_at /one_column /owned /parts /readable "+public+" /rpc/someone /secret"; !sameWords(got, want) {
		t.Errorf("everything: got %s, want %s", got, want)
	}
}

func sameWords(a, b string) bool {
	return slices.Equal(slices.Sorted(strings.FieldsSeq(a)), slices.Sorted(strings.FieldsSeq(b)))
}

// configure puts a changed configuration in force over the same catalog.
func (s *testServer) configure(change func(*config.Config)) {
	old := s.snapshot.Load()
	c := *old.config
	change(&c)
	s.snapshot.Store(newSnapshot(&c, old.auth, old.planner.Catalog(), old.session))
}

// TestRootTypes: the types of arguments are named as the search_path of the
// role lets them be, which leaves out schemas it must not use.
func TestRootTypes(t *testing.T) {
	s := startTest(t, rootSchema)
	for _, tt := range []struct{ role, format string }{
		{"test_user", `"format":"mood"`},
		{"root_owner", `"format":"api.mood"`},
	} {
		doc, _ := s.document(t, tt.role)
		if got := string(doc.Paths["/rpc/anyone"].Get); !strings.Contains(got, tt.format) {
			t.Errorf("as %s: no %s in %s", tt.role, tt.format, got)
		}
	}
}

// TestRootCached: roles with the same privileges get the same cached document,
// until the snapshot changes.
func TestRootCached(t *testing.T) {
	s := startTest(t, rootSchema)
	_, first := s.document(t, "test_user")
	for _, tt := range []struct {
		role string
		same bool
	}{{"test_user", true}, {"test_other", true}, {"root_owner", false}, {"", false}, {"test_user", true}} {
		if _, body := s.document(t, tt.role); (&body[0] == &first[0]) != tt.same {
			t.Errorf("as %q: the same document: %t", tt.role, !tt.same)
		}
	}
	s.configure(func(c *config.Config) { c.OpenAPISecurityActive = true })
	if _, body := s.document(t, "test_user"); !strings.Contains(string(body), `"security"`) {
		t.Error("a document of an earlier configuration")
	}
}

// TestRootAddress: a change of host or port needs a restart, so the document has
// those of the start.
func TestRootAddress(t *testing.T) {
	s := startTest(t, rootSchema, "server-host", "localhost", "server-port", "3001")
	s.configure(func(c *config.Config) { c.ServerHost, c.ServerPort = "example.org", 3002 })
	if _, body := s.document(t, ""); !strings.Contains(string(body), `"host":"localhost:3001"`) {
		t.Errorf("the document has another address: %s", body)
	}
}

func TestRootHead(t *testing.T) {
	s := startTest(t, rootSchema)
	resp := s.ask(t, "HEAD", "/", nil)
	var b strings.Builder
	if _, err := resp.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 200 ") || !strings.Contains(head, "Content-Type: application/openapi+json; charset=utf-8") ||
		strings.Contains(head, "Content-Length") || body != "" {
		t.Errorf("got %q, body %q", head, body)
	}
}

func TestRootRefused(t *testing.T) {
	s := startTest(t, rootSchema)
	for _, tt := range []struct {
		target, accept string
		status         int
		contains       string
	}{
		{"/", "text/html, application/json;q=0.1", 200, `"swagger":"2.0"`},
		{"/", "text/html, image/*", 406, "text/html, image/*"},
		{"/", "", 406, "PGRST107"},
		{"/?x=y", "*/*", 400, "PGRST100"},
		{"/?limit=-1", "*/*", 416, "PGRST103"},
	} {
		resp := s.ask(t, "GET", tt.target, map[string]string{"Accept": tt.accept})
		if resp.StatusCode() != tt.status || !strings.Contains(string(resp.Body()), tt.contains) {
			t.Errorf("%s, Accept: %s: got %d %.200s, want %d with %s", tt.target, tt.accept, resp.StatusCode(), resp.Body(), tt.status, tt.contains)
		}
	}
}

// TestRootPreparedAnew: the prepared statements were deallocated.
func TestRootPreparedAnew(t *testing.T) {
	s := startTest(t, rootSchema)
	for range 3 {
		s.document(t, "")
		if resp := s.ask(t, "POST", "/rpc/forget", nil); resp.StatusCode() != fasthttp.StatusNoContent {
			t.Fatalf("status %d: %s", resp.StatusCode(), resp.Body())
		}
	}
	s.document(t, "")
}

func BenchmarkRoot(b *testing.B) {
	s := startTest(b, rootSchema)
	ctx := newRequestCtx()
	ready := requestReader(b, ctx, rawRequest("GET", "/", "", nil))
	b.ReportAllocs()
	for b.Loop() {
		ready()
		s.handle(ctx)
	}
}
