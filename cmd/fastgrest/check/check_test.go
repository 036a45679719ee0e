package check

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/config"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// database is a database that a script has filled, with a configuration for it.
type database struct {
	t        *testing.T
	cluster  *pgtest.Cluster
	name     string
	prefix   string // in place of x_ in scripts and settings
	settings map[string]string
}

// newDatabase makes a database of a script of testdata. The settings are in addition to those without findings.
func newDatabase(t *testing.T, file string, settings map[string]string) *database {
	t.Helper()
	c := pgtest.Start(t)
	d := &database{t: t, cluster: c, name: c.NewDB(t)}
	d.prefix = d.name + "_"
	sql, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	c.Exec(t, d.name, d.own(string(sql)))
	d.settings = map[string]string{
		"db-uri": c.URI(d.name, d.own("x_login")), "db-schemas": "api", "db-anon-role": "x_anon",
		"db-max-rows": "1000", "admin-server-port": "3001", "jwt-secret": "fNq0cZ3bVtW1mYx8Kp5sRj2hLd7gAe9u",
	}
	maps.Copy(d.settings, settings)
	return d
}

func (d *database) own(text string) string { return strings.ReplaceAll(text, "x_", d.prefix) }

func (d *database) exec(sql string) {
	d.t.Helper()
	d.cluster.Exec(d.t, d.name, d.own(sql))
}

// check runs all checks. In the findings x_ stands for the prefix again.
func (d *database) check() *Report {
	d.t.Helper()
	flags := map[string]string{}
	for key, value := range d.settings {
		flags[key] = d.own(value)
	}
	report, err := Run(d.t.Context(), Options{Source: config.LoadOptions{Flags: flags}, Version: "test"})
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		f.Found, f.Do = strings.ReplaceAll(f.Found, d.prefix, "x_"), strings.ReplaceAll(f.Do, d.prefix, "x_")
		covered[f.Check] = true
	}
	return report
}

// covered has the names of all checks that have found something in a test.
var covered = map[string]bool{}

var (
	settingLine = regexp.MustCompile(`(?m)(?:^|^-- and in the configuration: )([a-z-]+) = "?([^"\n]*)"?$`)
	words       = regexp.MustCompile(`(?m)^(#|--).*$`)
)

// follow does what findings advise.
func (d *database) follow(list []Finding) {
	d.t.Helper()
	for _, f := range list {
		do := strings.ReplaceAll(f.Do, "web_anon", "x_web_anon")
		for _, m := range settingLine.FindAllStringSubmatch(do, -1) {
			d.settings[m[1]] = m[2]
		}
		d.exec(words.ReplaceAllString(settingLine.ReplaceAllString(do, ""), ""))
	}
}

// inWords reports whether what to do is not complete, such as a secret that the reader has to choose.
func inWords(f Finding) bool {
	return strings.Contains(f.Do, `"..."`) || words.ReplaceAllString(f.Do, "") == ""
}

func names(list []Finding) []string {
	var found []string
	for _, f := range list {
		found = append(found, f.Level.String()+" "+f.Check)
	}
	return slices.Compact(found)
}

func describe(list []Finding) string {
	var b strings.Builder
	for _, f := range list {
		b.WriteString(f.Level.String() + " " + f.Check + "\n  " + f.Found + "\n  " + strings.ReplaceAll(strings.TrimSpace(f.Do), "\n", "\n  ") + "\n")
	}
	return b.String()
}

// TestRight: a database that is right has no findings.
func TestRight(t *testing.T) {
	d := newDatabase(t, "right.sql", map[string]string{"db-pre-request": "ops.before"})
	report := d.check()
	if !report.Database || len(report.Findings) > 0 {
		t.Errorf("found\n%s", describe(report.Findings))
	}
	if strings.Contains(d.cluster.Log(), "ERROR") {
		t.Log(d.cluster.Log())
	}
}

// TestWrong: each finding of a database with many faults, and its SQL, which removes it.
func TestWrong(t *testing.T) {
	d := newDatabase(t, "wrong.sql", map[string]string{"db-schemas": "api,Odd schema,unused,missing", "db-extra-search-path": "public,nowhere", "db-pool": "300"})
	report := d.check()
	got := describe(report.Findings)
	const golden = "testdata/wrong.txt"
	if os.Getenv("REWRITE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) && d.cluster.Major() == 15 {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
	// Some faults hide others, such as a schema that does not exist, and that no role may use.
	for round := 1; len(report.Findings) > 0 && round <= 3; round++ {
		before := report.Findings
		d.follow(before)
		report = d.check()
		for _, f := range report.Findings {
			if slices.Contains(before, f) {
				t.Errorf("still there after\n%s\n%s", f.Do, describe([]Finding{f}))
			}
		}
	}
	if len(report.Findings) > 0 {
		t.Errorf("left:\n%s", describe(report.Findings))
	}
}

// TestAdviceKeepsRows: row security as advised for anonymous readers takes nothing from the other roles.
func TestAdviceKeepsRows(t *testing.T) {
	d := newDatabase(t, "right.sql", map[string]string{"db-pre-request": "ops.before"})
	d.exec(`create table api.open (id int primary key); insert into api.open values (1);
		grant select on api.open to x_anon; grant select, insert, update on api.open to x_user`)
	report := d.check()
	if got := names(report.Findings); !slices.Equal(got, []string{"advice table-anon-read"}) {
		t.Fatal(got)
	}
	d.follow(report.Findings)
	d.exec(`set role x_user; insert into api.open values (2); update api.open set id = 3 where id = 2;
		do $$ begin assert (select array_agg(id order by id) from api.open) = '{1,3}'; end $$;
		set role x_anon; do $$ begin assert (select count(*) from api.open) = 2; end $$`)
	if report = d.check(); len(report.Findings) > 0 {
		t.Errorf("left:\n%s", describe(report.Findings))
	}
}

// TestAdviceKeepsUse: what roles of requests could call and read, they still can after the advice.
func TestAdviceKeepsUse(t *testing.T) {
	d := newDatabase(t, "right.sql", map[string]string{"db-pre-request": "ops.before"})
	if d.cluster.Major() < 15 {
		t.Skip("security_invoker is from PostgreSQL 15 on")
	}
	d.exec(`create function api.two() returns int language sql as 'select 2';
		create procedure api."Do It"(x int) security definer set search_path = api, pg_temp language sql as 'select';
		create table ops."Hidden rows" (id int primary key, "The text" text, secret text);
		alter table ops."Hidden rows" enable row level security;
		create policy visible on ops."Hidden rows" to x_anon, x_user using (id < 2);
		insert into ops."Hidden rows" values (1, 'a', 's'), (2, 'b', 's');
		create view api.part as select id, "The text" from ops."Hidden rows";
		create view api.number as select count(*) from ops."Hidden rows";
		create view api.entire as select row_to_json(h)->>'id' as j, h.id from ops."Hidden rows" h;
		create view api.outer as select id from api.part;
		grant select on api.part, api.number, api.entire, api.outer to x_anon`)
	report := d.check()
	if got := names(report.Findings); !slices.Equal(got, []string{"warning view-bypasses-rls", "warning function-public-definer", "advice function-public"}) {
		t.Fatalf("%s", describe(report.Findings))
	}
	d.follow(report.Findings)
	d.exec(`set role x_anon; do $$ begin assert api.two() = 2; call api."Do It"(1);
		assert (select array_agg(part::text) from api.part) = array['(1,a)'];
		assert (select sum(count) from api.number) = 1; assert (select array_agg(j) from api.entire) = '{1}'; assert (select count(*) from api.outer) = 1;
		end $$; set role x_user; select api.two()`)
	if report = d.check(); len(report.Findings) > 0 {
		t.Errorf("left:\n%s", describe(report.Findings))
	}
}

// TestEach: faults that exclude each other. Each case changes the database that is right, and has one kind of finding.
func TestEach(t *testing.T) {
	for _, test := range []struct {
		name     string
		sql      string
		settings map[string]string
		want     string // level and check; more than one separated by commas
		left     string // checks that are still there afterwards
	}{
		{name: "anon missing", settings: map[string]string{"db-anon-role": "x_nobody"}, want: "error anon-missing"},
		{name: "anon unreachable", sql: "revoke x_anon from x_login", want: "error anon-unreachable"},
		{name: "no role", sql: "revoke x_anon, x_user from x_login", settings: map[string]string{"db-anon-role": ""}, want: "error roles-missing", left: "error schema-usage"},
		{name: "anon is the login", sql: "grant usage on schema api to x_login; alter role x_login set statement_timeout = '1s'", settings: map[string]string{"db-anon-role": "x_login"}, want: "warning anon-authenticator"},
		{name: "superuser", sql: "alter role x_login superuser", want: "error authenticator-superuser"},
		{name: "no usage", sql: "revoke usage on schema api from x_anon, x_user", want: "error schema-usage"},
		{name: "database limit", sql: "do $$ begin execute format('alter database %I connection limit 3', current_database()); end $$", want: "error pool-connection-limit"},
		{name: "pre-request missing", settings: map[string]string{"db-pre-request": "ops.nothing"}, want: "error db-pre-request-missing"},
		{name: "pre-request denied", sql: "revoke execute on function ops.before() from x_user; revoke usage on schema ops from x_anon", settings: map[string]string{"db-pre-request": "ops.before"}, want: "error db-pre-request-denied"},
		{name: "root spec missing", settings: map[string]string{"db-root-spec": "api.nothing"}, want: "error db-root-spec-missing"},
		{name: "root spec denied", settings: map[string]string{"db-root-spec": "api.secure"}, want: "error db-root-spec-denied"},
		{name: "extension", sql: "create extension citext schema api; revoke execute on all functions in schema api from public; grant execute on function api.touched() to public", want: "advice extension-exposed"},
		{name: "timeout 0", sql: "alter role x_anon set statement_timeout = '0s'", want: "warning role-timeout-missing"},
		{name: "view with the owner's policies", sql: "create view api.all_titles as select title from api.title; create role x_other; grant select on api.book to x_other; alter view api.all_titles owner to x_other; alter view api.title set (security_invoker); grant select on api.all_titles to x_user; grant usage on schema api to x_other; grant select on api.title to x_other;", want: "advice view-owner-rls"},
		{name: "no secret and no role", settings: map[string]string{"db-anon-role": "", "jwt-secret": ""}, want: "error jwt-secret-missing"},
		{name: "known secret", settings: map[string]string{"jwt-secret": "reallyreallyreallyreallyverysafe"}, want: "error jwt-secret-known"},
		{name: "known secret of the tutorial", settings: map[string]string{"jwt-secret": "the-kitchen-is-open-from-six-to-nine"}, want: "error jwt-secret-known"},
		{name: "audience", settings: map[string]string{"jwt-secret": "", "jwt-aud": "us"}, want: "warning jwt-setting-unused"},
		{name: "advice", settings: map[string]string{"db-aggregates-enabled": "true", "db-distinct-enabled": "true", "openapi-mode": "ignore-privileges", "db-max-rows": "", "admin-server-port": "", "db-channel-enabled": "false", "client-error-hints": "grant"},
			want: "advice aggregates-enabled,advice distinct-enabled,advice openapi-all,advice max-rows-missing,advice admin-missing,advice reload-missing,advice error-hints"},
		{name: "dangerous", settings: map[string]string{"db-tx-end": "rollback", "db-plan-enabled": "true"}, want: "warning tx-rollback,warning plan-enabled"},
		{name: "stored settings", sql: "create function ops.configure() returns void language sql as 'insert into ops.note default values'; grant execute on function ops.configure() to x_login; grant usage on schema ops to x_login",
			settings: map[string]string{"db-pre-config": "ops.configure"}, want: "error stored-settings-unreadable"},
		{name: "stored invalid", sql: "alter role x_login set pgrst.openapi_mode = 'none'", want: "error setting-invalid"},
		{name: "stored secret", sql: "alter role x_login set pgrst.jwt_secret = 'short'", want: "error jwt-secret-invalid"},
		{name: "unreachable", settings: map[string]string{"db-uri": "postgresql://127.0.0.1:1/nowhere"}, want: "error connection-failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, "right.sql", test.settings)
			if d.cluster.Major() < 15 && strings.Contains(test.sql, "security_invoker") {
				t.Skip("from PostgreSQL 15 on")
			}
			d.exec(test.sql)
			report := d.check()
			if got := strings.Join(names(report.Findings), ","); got != test.want {
				t.Fatalf("found %q, want %q:\n%s", got, test.want, describe(report.Findings))
			}
			if slices.ContainsFunc(report.Findings, inWords) {
				return
			}
			d.follow(report.Findings)
			if got := strings.Join(names(d.check().Findings), ","); got != test.left {
				t.Errorf("afterwards %q, want %q", got, test.left)
			}
		})
	}
}

// TestIgnored: values without effect.
func TestIgnored(t *testing.T) {
	report, err := Run(t.Context(), Options{Source: config.LoadOptions{Env: []string{"PGRST_DB_POLL=9", "PGRST_DB_URI=postgresql://127.0.0.1:1/x", "PGRST_LOG_QUERY=perhaps"}}, Skip: []string{"connection-failed"}})
	if err != nil {
		t.Fatal(err)
	}
	got := describe(report.Findings)
	for _, want := range []string{`"PGRST_DB_POLL" is not the name of a setting`, `PGRST_LOG_QUERY is "perhaps"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nis not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "connection-failed") {
		t.Errorf("a check that is to be skipped was not:\n%s", got)
	}
}

// TestReport: the text and the JSON of a report.
func TestReport(t *testing.T) {
	r := &Report{Database: true}
	var text, object bytes.Buffer
	if err := r.WriteText(&text); err != nil || text.String() != "no findings\n" {
		t.Errorf("%q %v", text.String(), err)
	}
	for range mostShown + 2 {
		r.add(nil, Finding{Advice, "one", "Found <it>.", "Because.", "DO IT;\n-- twice"})
	}
	r.add(nil, Finding{Error, "two", "Found.", "So.", "X"})
	r.add([]string{"two"}, Finding{Error, "two", "Found.", "So.", "X"})
	r.sort()
	text.Reset()
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	const head = "ERROR two\n  So.\n\n  Found.\n      X\n\nADVICE one\n  Because.\n\n  Found <it>.\n      DO IT;\n      -- twice\n\n"
	const tail = "  ... and 2 more (--format json has all)\n\n1 error, 0 warnings, 22 advice\n"
	if got := text.String(); !strings.HasPrefix(got, head) || !strings.HasSuffix(got, tail) {
		t.Errorf("got %s", got)
	}
	if err := r.WriteJSON(&object); err != nil {
		t.Fatal(err)
	}
	var decoded struct {
		Findings []map[string]string
		Errors   int
		Advice   int
	}
	if err := json.Unmarshal(object.Bytes(), &decoded); err != nil || len(decoded.Findings) != 23 || decoded.Errors != 1 || decoded.Advice != 22 ||
		decoded.Findings[0]["level"] != "error" || decoded.Findings[1]["found"] != "Found <it>." {
		t.Errorf("%v %s", err, object.String())
	}
}

// TestEveryCheck runs after all others: each check has found something in one of them, and is in the manual.
func TestEveryCheck(t *testing.T) {
	if len(covered) == 0 || flag.Lookup("test.run").Value.String() != "" {
		t.Skip("the other tests were not run")
	}
	version := pgtest.Start(t).Major() * 10000
	var all []string
	for _, r := range slices.Concat(groups...) {
		if version >= r.from && (r.before == 0 || version < r.before) {
			all = append(all, r.name)
		}
	}
	for _, r := range settingRules {
		all = append(all, r.Check)
	}
	for _, name := range all {
		if !covered[name] {
			t.Errorf("no test has a finding of %s", name)
		}
	}
	page, err := os.ReadFile("../manual/check.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the manual does not have %s", name)
		}
	}
	for name := range covered {
		if !slices.Contains(Names(), name) {
			t.Errorf("a finding has the name %s, which Names does not have", name)
		}
	}
}
