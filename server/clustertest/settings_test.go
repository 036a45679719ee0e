package clustertest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// setting has a function that returns a setting.
const setting = `
create function api.setting(name text) returns text language sql stable as 'select current_setting(name, true)';
create schema other;
create function other.setting(name text) returns text language sql stable as 'select current_setting(name, true)';
grant usage on schema other to test_anon;
`

// setting returns the value of a setting for the role in the headers.
func (a *app) setting(name string, headers ...string) string {
	a.t.Helper()
	return a.get("/rpc/setting?name="+name, headers...).Body
}

func (a *app) awaitSetting(name, want string, headers ...string) {
	a.t.Helper()
	last := ""
	if !pgtest.Until(servertest.Patience, func() bool { last = a.setting(name, headers...); return last == want }) {
		a.t.Fatalf("%s never is %s, but %s", name, want, last)
	}
}

func (a *app) loads() float64 { return a.metric(`pgrst_schema_cache_loads_total{status="SUCCESS"}`) }

// settled waits until no reload is running or pending. Reloads run one at a
// time, and pending ones in any order.
func (a *app) settled() {
	a.t.Helper()
	for range 12 {
		done := a.Log.Count("Config reloaded")
		signal(a.t, syscall.SIGUSR2)
		eventually(a.t, "a reload of the configuration", func() bool { return a.Log.Count("Config reloaded") > done })
	}
}

// TestOneLoadAtStart checks that the first catalog is loaded once, although the
// listener also requests a load after it connects.
func TestOneLoadAtStart(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	for _, channel := range []string{"true", "false"} {
		a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-channel-enabled": channel})
		want := 1
		if channel == "true" {
			want = a.awaitListener()
		}
		a.settled()
		for _, line := range []string{"Schema cache queried in ", "Schema cache loaded in ", "Successfully connected to PostgreSQL"} {
			if got := a.Log.Count(line); got != want {
				t.Errorf("channel %s: %q is in the log %d times, want %d\n%s", channel, line, got, want, a.Log.String())
			}
		}
		if got := a.loads(); got != float64(want) {
			t.Errorf("channel %s: %v loads are counted, want %d", channel, got, want)
		}
		a.Stop(nil)
		a.Result()
	}
}

// TestSchemasChange changes db-schemas in the file and in the database. The
// configuration decides at once which schemas requests use; their content is
// known after the next schema load.
func TestSchemasChange(t *testing.T) {
	t.Run("file and signals", func(t *testing.T) {
		conf := filepath.Join(t.TempDir(), "conf")
		write := func(schemas string) {
			t.Helper()
			if err := os.WriteFile(conf, []byte(`db-schemas = "`+schemas+`"`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("api")
		a, _ := own(t, map[string]string{"": conf, "db-schemas": "", "db-config": "false"}, setting)
		a.awaitSetting("search_path", `"\"api\", \"public\""`)
		write("other")
		loads := a.loads()
		a.settled()
		if got := a.loads(); got != loads {
			t.Errorf("SIGUSR2 loaded the schema %v times", got-loads)
		}
		signal(t, syscall.SIGUSR1)
		a.awaitSetting("search_path", `"\"other\", \"public\""`)
		if got := a.get("/item"); got.Code != "PGRST205" {
			t.Errorf("a table of the schema that is not served any more: %v", got)
		}
	})
	t.Run("database and NOTIFY", func(t *testing.T) {
		a, exec := own(t, nil, setting)
		a.awaitSetting("search_path", `"\"api\", \"public\""`)
		exec("alter role test_login set pgrst.db_schemas = 'other'; notify pgrst, 'reload config'; notify pgrst, 'reload schema'")
		a.awaitSetting("search_path", `"\"other\", \"public\""`)
		exec("alter role test_login reset pgrst.db_schemas; notify pgrst")
		a.awaitSetting("search_path", `"\"api\", \"public\""`)
	})
}

// TestSettingsAtStart checks that db-schemas from the database applies to the
// first catalog.
func TestSettingsAtStart(t *testing.T) {
	t.Parallel()
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, db, setting+"alter role test_login set pgrst.db_schemas = 'other'")
	a := launch(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login)})
	a.awaitStatus("/rpc/setting?name=x", 200)
	if got := a.setting("search_path"); got != `"\"other\", \"public\""` {
		t.Errorf("search path %s", got)
	}
}

// TestReloadDatabaseSettings checks that SIGUSR2 reads the settings in the
// database again, including the settings of roles.
func TestReloadDatabaseSettings(t *testing.T) {
	a, exec := own(t, nil, setting+"alter role test_user set statement_timeout = '5s'; alter role test_other set work_mem = '3MB'")
	one, two := bearer(t, "test_user", ""), bearer(t, "test_other", "")
	for name, want := range map[string]string{a.setting("statement_timeout", one...): `"5s"`, a.setting("work_mem", two...): `"3MB"`, a.setting("statement_timeout"): `"0"`} {
		if name != want {
			t.Errorf("at the start %s, want %s", name, want)
		}
	}
	loads := a.loads()
	exec(`alter role test_user set statement_timeout = '8s'; alter role test_other reset work_mem;
		alter role test_login set pgrst.db_max_rows = 3; alter role test_login set pgrst.app_settings_colour = 'red'`)
	if got, n := a.setting("statement_timeout", one...), a.rows("/item"); got != `"5s"` || n != 100 {
		t.Errorf("before the reload: %s, %d rows", got, n)
	}
	signal(t, syscall.SIGUSR2)
	a.awaitSetting("statement_timeout", `"8s"`, one...)
	if got := a.setting("work_mem", two...); got == `"3MB"` {
		t.Errorf("work_mem is %s still", got)
	}
	if got := a.get("/item").Header.Get("Content-Range"); got != "0-2/*" {
		t.Errorf("Content-Range %q", got)
	}
	a.settled()
	if got := a.loads(); got != loads {
		t.Errorf("the schema was loaded %v times", got-loads)
	}
}

// TestReloadFile checks settings of the file that a reload changes and that
// survive the replacement of all connections.
func TestReloadFile(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const listening = "listening for database notifications on the \"pgrst\" channel"
	const borrowed = "Trying to borrow a connection from pool"
	write("app.settings.name = \"John\"\nlog-level = \"error\"\ndb-channel-enabled = false\n")
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, db, setting)
	a := start(t, map[string]string{"": conf, "log-level": "", "db-uri": cluster.URI(db, pgtest.Login)})
	a.awaitSetting("app.settings.name", `"John"`)
	loads := a.loads()
	signal(t, syscall.SIGUSR1)
	eventually(t, "another catalog", func() bool { return a.loads() > loads })
	if got := a.setting("app.settings.name"); got != `"John"` {
		t.Errorf("over new connections: %s", got)
	}
	if n := a.Log.Count(borrowed) + a.Log.Count(listening); n > 0 {
		t.Errorf("%d lines that should not be there", n)
	}

	write("app.settings.name = \"Jane\"\nlog-level = \"debug\"\ndb-channel-enabled = true\n")
	signal(t, syscall.SIGUSR2)
	a.awaitSetting("app.settings.name", `"Jane"`)
	a.awaitLog(listening)
	a.awaitLog(borrowed)

	// With settings in the database, a schema load reads the file as well.
	write("app.settings.name = \"Joan\"\nlog-level = \"error\"\ndb-channel-enabled = false\n")
	signal(t, syscall.SIGUSR1)
	a.awaitSetting("app.settings.name", `"Joan"`)
	listeners := func() string {
		return value(t, cluster, db, "select count(*) from pg_stat_activity where query = 'LISTEN \"pgrst\"'")
	}
	eventually(t, "no listener", func() bool { return listeners() == "0" })
	if n := a.Log.Count(listening); n != 1 {
		t.Errorf("said %d times that it listens", n)
	}
	quiet := a.Log.Count(borrowed)
	a.get("/item?limit=1")
	if n := a.Log.Count(borrowed) - quiet; n != 0 {
		t.Errorf("%d lines of the debug level", n)
	}
}

// TestRoleClaimKeyReload checks that a key in the old syntax gives a warning
// each time it is read, and that an invalid key changes nothing.
func TestRoleClaimKeyReload(t *testing.T) {
	t.Parallel()
	a, exec := own(t, map[string]string{"jwt-role-claim-key": ".role"})
	const deprecated = "is using the deprecated JSPath syntax."
	key := func(path string) string { return "WARNING: The config `jwt-role-claim-key=" + path + "` " + deprecated }
	reload := func(key string) {
		t.Helper()
		done := a.Log.Count("Config reloaded")
		if key != "" {
			exec("alter role test_login set pgrst.jwt_role_claim_key = '" + key + "'")
		}
		exec("notify pgrst, 'reload config'")
		eventually(t, "the configuration is reloaded", func() bool { return a.Log.Count("Config reloaded") > done })
	}
	a.awaitLog(key(`."role"`))
	before := a.Log.Count(key(`."role"`))
	reload("")
	if n := a.Log.Count(key(`."role"`)) - before; n != 1 {
		t.Errorf("the same key once more: %d warnings", n)
	}
	reload(".again.old")
	if n := a.Log.Count(key(`."again"."old"`)); n != 1 {
		t.Errorf("another: %d warnings", n)
	}
	all := a.Log.Count(deprecated)
	reload("$.role")
	if n := a.Log.Count(deprecated) - all; n != 0 {
		t.Errorf("in the new syntax: %d warnings", n)
	}

	token := bearer(t, "test_user", "x")
	exec("alter role test_login set pgrst.jwt_role_claim_key = 'role;'; notify pgrst, 'reload config'")
	a.awaitLog("Failed reloading config: ")
	if n := a.Log.Count("failed to parse role-claim-key value (role;)"); n != 1 {
		t.Errorf("%d lines about the unknown key", n)
	}
	if got := a.get("/rpc/who", token...); !strings.Contains(got.Body, "test_user") {
		t.Errorf("with the key from before: %v", got)
	}
}

// TestSessionSettings checks that the authenticator's settings apply to new
// connections after a reload. A connection in use during the reload is not used
// again.
func TestSessionSettings(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	exec := func(sql string) { cluster.Exec(t, db, sql) }
	exec(setting + "create function api.hold() returns text language sql volatile as 'select pg_advisory_xact_lock_shared(1); select ''held'''")
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-channel-enabled": "false", "db-pool": "2"})
	a.awaitSetting("statement_timeout", `"0"`)

	lock := cluster.Connect(t, db).Value
	lock("select pg_advisory_lock(1)")
	answers := a.Later("POST", "/rpc/hold", "{}")
	eventually(t, "a request is under way", func() bool {
		return lock("select count(*) from pg_locks where locktype = 'advisory' and not granted") == "1"
	})
	exec("alter role test_login set statement_timeout = '61s'")
	loads := a.loads()
	signal(t, syscall.SIGUSR1)
	eventually(t, "another catalog", func() bool { return a.loads() > loads })
	if got := a.setting("statement_timeout"); got != `"61s"` {
		t.Errorf("statement_timeout %s", got)
	}
	lock("select pg_advisory_unlock(1)")
	if got := <-answers; got.Body != `"held"` {
		t.Errorf("a request from before: %v", got)
	}
	// Use both connections several times.
	results := make(chan string)
	for range 20 {
		go func() {
			got, err := a.Try("GET", "/rpc/setting?name=statement_timeout", "")
			if err != nil {
				t.Error(err)
			}
			results <- got.Body
		}()
	}
	for range 20 {
		if got := <-results; got != `"61s"` {
			t.Errorf("a connection from before is in use: statement_timeout %s", got)
		}
	}
	exec("alter role test_login set statement_timeout = '50ms'")
	signal(t, syscall.SIGUSR1)
	eventually(t, "it is in force", func() bool {
		got, err := a.Try("POST", "/rpc/nap", `{"seconds":1}`)
		return err == nil && got.Status == 500 && got.Code == "57014" && got.Header.Get("Proxy-Status") == "PostgREST; error=57014"
	})
}

// TestColumnTypeChanges checks that connections drop statements whose column
// types have changed.
func TestColumnTypeChanges(t *testing.T) {
	t.Parallel()
	a, exec := own(t, nil, "create table api.cat (id uuid primary key); insert into api.cat values ('dea27321-f988-4a57-93e4-8eeb38f3cf1e'); grant select on api.cat to test_anon")
	for range 20 { // on every connection
		if got := a.get("/cat?id=eq.dea27321-f988-4a57-93e4-8eeb38f3cf1e"); got.Body != `[{"id":"dea27321-f988-4a57-93e4-8eeb38f3cf1e"}]` {
			t.Fatal(got)
		}
	}
	exec("drop table api.cat; create table api.cat (id bigint primary key); insert into api.cat values (1); grant select on api.cat to test_anon; notify pgrst")
	a.awaitBody("GET", "/cat?id=eq.1", `[{"id":1}]`)
}

// TestLoadTime checks the load time of the catalog in the log.
func TestLoadTime(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-channel-enabled": "false"})
	lock := cluster.Connect(t, db).Value
	lock("begin")
	lock("lock table pg_catalog.pg_description in access exclusive mode")
	loads := a.loads()
	signal(t, syscall.SIGUSR1)
	eventually(t, "a session waits for the lock", func() bool {
		return lock("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and usename = '"+pgtest.Login+"'") == "1"
	})
	lock("select pg_sleep(0.5)")
	lock("commit")
	eventually(t, "another catalog", func() bool { return a.loads() > loads })
	eventually(t, "its line in the log", func() bool { return a.Log.Count("Schema cache loaded in ") == 2 })
	if got := a.metric("pgrst_schema_cache_query_time_seconds"); got < 0.5 {
		t.Errorf("the metrics say %v seconds", got)
	}
	var said []float64
	for _, m := range regexp.MustCompile(`Schema cache queried in ([0-9.]+) milliseconds`).FindAllStringSubmatch(a.Log.String(), -1) {
		ms, _ := strconv.ParseFloat(m[1], 64)
		said = append(said, ms)
	}
	if len(said) != 2 || said[1] < 500 {
		t.Errorf("the log says %v ms", said)
	}
}
