package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// load parses the text of a file with the given environment.
func load(t *testing.T, text string, env ...string) *Config {
	t.Helper()
	c, err := Load(LoadOptions{File: write(t, "server.conf", text), Env: env})
	if err != nil {
		t.Fatalf("loading %q: %v", text, err)
	}
	return c
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// line returns the dump's line for one key.
func line(c *Config, key string) string {
	for l := range strings.Lines(string(c.AppendDump(nil, false))) {
		if strings.HasPrefix(l, key+" = ") {
			return strings.TrimSuffix(l, "\n")
		}
	}
	return ""
}

func TestPrecedence(t *testing.T) {
	file := write(t, "c", "db-max-rows = 1\ndb-anon-role = \"f\"\ndb-pool = 1\nlog-level = \"info\"\nserver-port = 1\n")
	c, err := Load(LoadOptions{
		File:     file,
		Env:      []string{"PGRST_DB_MAX_ROWS=2", "PGRST_DB_ANON_ROLE=e", "PGRST_DB_POOL=2", "PGRST_LOG_LEVEL=warn", "DB_POOL=9"},
		Flags:    map[string]string{"db-max-rows": "3", "db-anon-role": "c", "db-pool": "3"},
		Database: map[string]string{"db_max_rows": "4", "db_pool": "4", "unheard_of": "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{line(c, "db-max-rows"), line(c, "db-anon-role"), line(c, "db-pool"), line(c, "log-level"), line(c, "server-port")}
	want := []string{"db-max-rows = 4", `db-anon-role = "c"`, "db-pool = 3", `log-level = "warn"`, "server-port = 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A value that does not parse still hides those of weaker sources, and the default
// applies.
func TestUselessValues(t *testing.T) {
	f := func(key, text, env, want string) {
		t.Helper()
		var list []string
		if env != "" {
			list = []string{envName(key) + "=" + strings.TrimPrefix(env, "=")}
		}
		if got := line(load(t, text, list...), key); got != want {
			t.Errorf("%s with %q and %q: got %s, want %s", key, text, env, got, want)
		}
	}
	f("db-pool", "db-pool = 7", "many", "db-pool = 10")
	f("db-pool", "db-pool = 7", "=", "db-pool = 10")
	f("db-pool", "db-pool = 7", " 8 ", "db-pool = 8")
	f("db-pool", "db-pool = 7", "-8", "db-pool = -8")
	f("db-pool", "db-pool = 7", "8.0", "db-pool = 10")
	f("db-pool", "db-pool = 7", "- 8", "db-pool = -8")
	f("db-pool", "db-pool = 7", " ( (-8) )", "db-pool = -8")
	f("db-pool", "db-pool = 7", "-(8)", "db-pool = 10")
	f("db-pool", "db-pool = 7", "0x1F", "db-pool = 31")
	f("db-pool", "db-pool = 7", "0o17", "db-pool = 15")
	f("db-pool", "db-pool = 7", "017", "db-pool = 17")
	f("db-pool", `db-pool = "0x"`, "", "db-pool = 10")
	f("db-pool", `db-pool = "+8"`, "", "db-pool = 10")
	f("db-pool", `db-pool = "--8"`, "", "db-pool = 10")
	f("db-pool", `db-pool = "1_0"`, "", "db-pool = 10")
	f("db-pool", "db-pool = 7", "99999999999999999999", "db-pool = 10")
	f("db-pool", "db-pool = 8.0", "", "db-pool = 8")
	f("db-pool", "db-pool = 8.5", "", "db-pool = 10")
	f("db-pool", "db-pool = 1e1", "", "db-pool = 10")
	f("db-pool", "db-pool = 0e99999999999", "", "db-pool = 0")
	f("db-pool", "db-pool = 1e99999999999", "", "db-pool = 10")
	f("db-pool", `db-pool = "x"`, "", "db-pool = 10")
	f("db-pool", "db-pool = true", "", "db-pool = 10")
	f("db-max-rows", "db-max-rows = 7", "-1", `db-max-rows = ""`)
	f("db-max-rows", "db-max-rows = true", "", `db-max-rows = ""`)
	f("db-pool-max-lifetime", "", "999999999999999999", "db-pool-max-lifetime = 9223372036")

	for _, yes := range []string{"true", "True", "TRUE", "tRuE", `"true"`, "'true'", " true ", "1", "2", "0x1", "(1)", "99999999999999999999"} {
		f("db-plan-enabled", "", yes, "db-plan-enabled = true")
	}
	for _, no := range []string{"false", "FALSE", `"false"`, "0", "-1"} {
		f("db-config", "", no, "db-config = false")
	}
	for _, neither := range []string{"=", "yes", "on", "off", "1.0", "tr ue x"} {
		f("db-plan-enabled", "db-plan-enabled = true", neither, "db-plan-enabled = false")
		f("db-config", "db-config = false", neither, "db-config = true")
	}
	f("db-plan-enabled", "db-plan-enabled = on", "", "db-plan-enabled = true")
	f("db-plan-enabled", "db-plan-enabled = 1", "", "db-plan-enabled = false")
	f("db-plan-enabled", "db-plan-enabled = [true]", "", "db-plan-enabled = false")

	f("db-anon-role", "db-anon-role = off", "", `db-anon-role = "Bool False"`)
	f("db-anon-role", "db-anon-role = 15000000", "", `db-anon-role = "Number 1.5e7"`)
	f("db-anon-role", `db-anon-role = [1,"a"]`, "", `db-anon-role = "List [Number 1.0,String \"a\"]"`)
	f("db-anon-role", `db-anon-role = "x"`, "=", `db-anon-role = ""`)
	f("db-anon-role", "", "a\xffb", "db-anon-role = \"a\uFFFDb\"")
}

func TestOlderNames(t *testing.T) {
	c := load(t, `db-schema = "via_alias"
db-pool-timeout = 5
db-pool-max-idletime = 6
max-rows = 1000
pre-request = "ops.check"
role-claim-key = "$$.aliased"
root-spec = "open"
secret-is-base64 = true`)
	for _, want := range []string{
		`db-schemas = "via_alias"`, "db-pool-max-idletime = 5", "db-max-rows = 1000", `db-pre-request = "ops.check"`,
		`jwt-role-claim-key = "$$.aliased"`, `db-root-spec = "open"`, "jwt-secret-is-base64 = true",
	} {
		if !strings.Contains(string(c.AppendDump(nil, false)), want+"\n") {
			t.Errorf("the dump lacks %s", want)
		}
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %q", c.Warnings)
	}
	// The newer name has precedence in every source, unless its value is empty.
	if got := line(load(t, `db-schemas = "new"`, "PGRST_DB_SCHEMA=old"), "db-schemas"); got != `db-schemas = "new"` {
		t.Error(got)
	}
	if got := line(load(t, `db-schemas = ""`, "PGRST_DB_SCHEMA=old"), "db-schemas"); got != `db-schemas = "old"` {
		t.Error(got)
	}
	// Older names do not exist in the database.
	c, err := Load(LoadOptions{Database: map[string]string{"max_rows": "5", "db_schema": "x"}})
	if err != nil || c.DBMaxRows != -1 || c.DBSchemas[0] != "public" {
		t.Error(c, err)
	}
}

func TestLists(t *testing.T) {
	f := func(text, key, want string) {
		t.Helper()
		if got := line(load(t, text), key); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	f(`db-schemas = "a,b , c"`, "db-schemas", `db-schemas = "a,b,c"`)
	f(`db-schemas = ""`, "db-schemas", `db-schemas = "public"`)
	f(`db-schemas = "a,,b"`, "db-schemas", `db-schemas = "a,,b"`)
	f(`db-extra-search-path = ""`, "db-extra-search-path", `db-extra-search-path = ""`)
	f(`db-extra-search-path = "x"`, "db-extra-search-path", `db-extra-search-path = "x"`)
	f(``, "db-extra-search-path", `db-extra-search-path = "public"`)
	f(`db-hoisted-tx-settings = " work_mem ,x"`, "db-hoisted-tx-settings", `db-hoisted-tx-settings = "work_mem,x"`)
	f(`server-cors-allowed-origins = ""`, "server-cors-allowed-origins", `server-cors-allowed-origins = ""`)
	f(`server-cors-allowed-origins = "http://a, http://b"`, "server-cors-allowed-origins", `server-cors-allowed-origins = "http://a,http://b"`)

	c, err := Load(LoadOptions{Env: []string{"PGRST_DB_EXTRA_SEARCH_PATH="}})
	if err != nil || len(c.DBExtraSearchPath) != 0 {
		t.Errorf("got %q, %v", c.DBExtraSearchPath, err)
	}
}

func TestValueErrors(t *testing.T) {
	f := func(key, text, want string) {
		t.Helper()
		_, err := Load(LoadOptions{Env: []string{envName(key) + "=" + text}})
		var e *Error
		if !errors.As(err, &e) || e.Kind != ValueError || e.Key != key || err.Error() != "Error in config "+want {
			t.Errorf("%s = %q: got %v, want %s", key, text, err, want)
		}
	}
	f("client-error-verbosity", "loud", "Invalid client-error-verbosity. Check your configuration. client-error-verbosity is \"loud\", and can be: verbose, minimal")
	f("log-level", "never", "Invalid logging level. Check your configuration. log-level is \"never\", and can be: crit, error, warn, info, debug")
	f("openapi-mode", "follow-", "Invalid openapi-mode. Check your configuration. openapi-mode is \"follow-\", and can be: follow-privileges, ignore-privileges, disabled")
	f("db-tx-end", "random", "Invalid transaction termination. Check your configuration. db-tx-end is \"random\", and can be: commit, commit-allow-override, rollback, rollback-allow-override")
	f("db-schemas", "pg_catalog", "db-schemas does not allow schema: 'pg_catalog'")
	f("db-schemas", "public, information_schema", "db-schemas does not allow schema: 'information_schema'")
	f("server-unix-socket-mode", "800", "Invalid server-unix-socket-mode: not an octal")
	f("server-unix-socket-mode", "599", "Invalid server-unix-socket-mode: needs to be between 600 and 777")
	f("server-unix-socket-mode", "7777777777777777777777777", "Invalid server-unix-socket-mode: needs to be between 600 and 777")
	f("admin-server-unix-socket-mode", "x", "Invalid admin-server-unix-socket-mode: not an octal")
	f("openapi-server-proxy-uri", "htp:/@@localhorst.invalid", "Malformed proxy uri, a correct example: https://example.com:8443/basePath")
	f("jwt-aud", "http://%%localhorst.invalid", "jwt-aud should be a string or a valid URI")
	f("jwt-role-claim-key", "role", "failed to parse role-claim-key value (role): expecting '.' or '[' at position 1")
	f("jwt-role-claim-key", "$.my_role;;domain", "failed to parse role-claim-key value ($.my_role;;domain): jsonpath: unexpected ';' at position 10")
	f("jwt-role-claim-key", "@@.role.other", "failed to parse role-claim-key value (@@.role.other): expecting '.' or '[' at position 1")
	f("db-pool-reserve", "-1", "db-pool-reserve cannot be less than 0")
	f("db-flight-timeout", "-1", "db-flight-timeout cannot be less than 0")
	f("db-schema-poll-interval", "-1", "db-schema-poll-interval cannot be less than 0")
	f("server-port", "65536", "server-port cannot be more than 65535")
	f("server-port", "-1", "server-port cannot be less than 0")
	f("admin-server-port", "65536", "admin-server-port cannot be more than 65535")
	f("admin-server-port", "-1", "admin-server-port cannot be less than 0")
	f("server-read-buffer-size", "100", "server-read-buffer-size cannot be less than 4096")

	_, err := Load(LoadOptions{Env: []string{"PGRST_SERVER_PORT=3000", "PGRST_ADMIN_SERVER_PORT=3000"}})
	if err == nil || err.Error() != "Error in config admin-server-port cannot be the same as server-port" {
		t.Error(err)
	}
	_, err = Load(LoadOptions{File: filepath.Join(t.TempDir(), "gone.conf")})
	if err == nil || !strings.HasPrefix(err.Error(), "Error in config ") || !strings.Contains(err.Error(), "gone.conf: no such file") ||
		!errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestSecrets(t *testing.T) {
	const plain = "0123456789abcdef0123456789abcdef"
	f := func(text, file string, base64 bool, want string) {
		t.Helper()
		if file != "" {
			text = "@" + write(t, "secret", file)
		}
		env := []string{"PGRST_JWT_SECRET=" + text}
		if base64 {
			env = append(env, "PGRST_JWT_SECRET_IS_BASE64=true")
		}
		c, err := Load(LoadOptions{Env: env})
		switch {
		case err != nil && err.Error() != want:
			t.Errorf("%q %q: got error %v, want %s", text, file, err, want)
		case err == nil && string(c.JWTSecret) != want:
			t.Errorf("%q %q: got %q, want %s", text, file, c.JWTSecret, want)
		}
	}
	f(plain, "", false, plain)
	f("", plain, false, plain)
	f("", plain+"\n", false, plain)
	f("", plain+"\n\n", false, plain+"\n")
	f("", plain+"\xff\xfe\n", false, plain+"\xff\xfe")
	f(plain[1:], "", false, "The JWT secret must be at least 32 characters long.")
	f("", "\n", false, "The JWT secret must be at least 32 characters long.")

	const encoded = "+/AxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMw=="
	const decoded = "\xfb\xf0123456789abcdef0123456789abcdef0123"
	f(encoded, "", true, decoded)
	f(strings.NewReplacer("+", "-", "/", "_", "=", ".").Replace(encoded), "", true, decoded)
	f("", "  "+encoded+"\n\n", true, decoded)
	f("no base-64!", "", true, "The JWT secret is not valid base64")
	f(strings.TrimRight(encoded, "="), "", true, "The JWT secret is not valid base64")
	f("", encoded[:8]+"\n"+encoded[8:], true, "The JWT secret is not valid base64")
	f("\xff", "", true, "The JWT secret is not valid base64")
	f("AAAA", "", true, "The JWT secret must be at least 32 characters long.")

	f(`{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZg"}`, "", false, `{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZg"}`)
	f(`{"kty":"oct"}`, "", false, "The JWT secret is not a usable JSON Web Key: oct key: k is required")

	_, err := Load(LoadOptions{Env: []string{"PGRST_JWT_SECRET=@nowhere/nope"}})
	if err == nil || err.Error() != "the file of jwt-secret cannot be read: nowhere/nope: no such file or directory" {
		t.Error(err)
	}
}

func TestURIFile(t *testing.T) {
	file := write(t, "uri", "\n postgres://ada@db/x \n\n")
	c, err := Load(LoadOptions{Env: []string{"PGRST_DB_URI=@" + file}})
	if err != nil || c.DBURI != "postgres://ada@db/x" {
		t.Errorf("got %q, %v", c.DBURI, err)
	}
	// A reload keeps the address in force and does not read its file.
	c, err = Load(LoadOptions{Env: []string{"PGRST_DB_URI=@gone"}, PreviousURI: "postgres://before"})
	if err != nil || c.DBURI != "postgres://before" {
		t.Errorf("got %q, %v", c.DBURI, err)
	}
	if _, err = Load(LoadOptions{Env: []string{"PGRST_DB_URI=@gone"}}); err == nil || err.Error() != "the file of db-uri cannot be read: gone: no such file or directory" {
		t.Error(err)
	}
}

func TestAppSettings(t *testing.T) {
	c, err := Load(LoadOptions{
		File: write(t, "c", `app.settings.colour = "red"
app.settings.shape = "round"
app.settings.deep.er = "ignored"
app.settings.number = 5
app.settings.quoted = "a \"b\" $(COLOUR)"
app.settings.same = "file"
app.other = "ignored"`),
		Env:   []string{"COLOUR=teal", "PGRST_APP_SETTINGS_COLOUR=blue", "PGRST_APP_SETTINGS_same=env", "PGRST_APP_SETTINGS_My_Mixed=Value"},
		Flags: map[string]string{"app.settings.flag": "f"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Setting{
		{"app.settings.COLOUR", "blue"}, {"app.settings.My_Mixed", "Value"}, {"app.settings.colour", "red"}, {"app.settings.flag", "f"},
		{"app.settings.number", "Number 5.0"}, {"app.settings.quoted", `a "b" teal`}, {"app.settings.same", "env"}, {"app.settings.shape", "round"},
	}
	if diff := cmp.Diff(want, c.AppSettings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`"app.other" is not the name of a setting, so it has no effect`}, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestTypedFields(t *testing.T) {
	c := load(t, `db-pre-request = "a.b.c"
db-root-spec = "plain"
db-pool-acquisition-timeout = 8
server-unix-socket-mode = "777"
db-tx-end = "rollback-allow-override"
log-level = "debug"
client-error-verbosity = "minimal"
openapi-mode = "disabled"
server-host = "::1"
admin-server-port = 3001
DB-SCHEMAS = "caps"
internal-schema-cache-query-sleep = 5`)
	if c.DBPreRequest != (QualifiedName{"a", "b.c"}) || c.DBRootSpec != (QualifiedName{"", "plain"}) || !c.DBPreConfig.IsZero() {
		t.Errorf("names: %v %v %v", c.DBPreRequest, c.DBRootSpec, c.DBPreConfig)
	}
	if c.DBPoolAcquisitionTimeout != 8*time.Second || c.ServerUnixSocketMode != 0o777 || c.AdminServerUnixSocketMode != 0o660 {
		t.Errorf("%v %o %o", c.DBPoolAcquisitionTimeout, c.ServerUnixSocketMode, c.AdminServerUnixSocketMode)
	}
	if c.DBTxEnd != (TxEnd{true, true}) || c.LogLevel != LogDebug || c.ClientErrorVerbosity != Minimal || c.OpenAPIMode != OpenAPIDisabled {
		t.Errorf("%v %v %v %v", c.DBTxEnd, c.LogLevel, c.ClientErrorVerbosity, c.OpenAPIMode)
	}
	if c.AdminServerHost != "::1" || c.AdminServerPort != 3001 || c.DBMaxRows != -1 || !slices.Equal(c.DBSchemas, []string{"public"}) {
		t.Errorf("%v %v %v %v", c.AdminServerHost, c.AdminServerPort, c.DBMaxRows, c.DBSchemas)
	}
	if !slices.Equal(c.Warnings, []string{`"DB-SCHEMAS" is not the name of a setting, so it has no effect; did you mean db-schemas?`}) {
		t.Errorf("warnings: %q", c.Warnings)
	}
}

func TestNeedsRestart(t *testing.T) {
	before := load(t, "")
	after := load(t, "db-pool = 3\nserver-port = 4\ndb-max-rows = 5\nlog-level = \"debug\"\ndb-tx-end = \"rollback\"")
	if diff := cmp.Diff([]string{"db-pool", "server-port"}, NeedsRestart(before, after)); diff != "" {
		t.Error(diff)
	}
	if keys := NeedsRestart(before, before); keys != nil {
		t.Error(keys)
	}
}

// TestNeedsRestartURI: a reload keeps the address in force and reports that it
// has changed.
func TestNeedsRestartURI(t *testing.T) {
	before, err := Load(LoadOptions{Flags: map[string]string{"db-uri": "postgresql://a"}})
	if err != nil {
		t.Fatal(err)
	}
	after, err := Load(LoadOptions{Flags: map[string]string{"db-uri": "postgresql://b"}, PreviousURI: "postgresql://a"})
	if err != nil {
		t.Fatal(err)
	}
	if keys := NeedsRestart(before, after); after.DBURI != "postgresql://a" || !slices.Equal(keys, []string{"db-uri"}) {
		t.Error(after.DBURI, keys)
	}
}

// TestWarnings: unknown names and unusable values get a warning, and unusable
// values count as absent.
func TestWarnings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(path, []byte("db-anon-rol = \"web\"\ndb-max-rows = \"lots\"\nlog-query = \"perhaps\"\nserver-port = \"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(LoadOptions{
		File: path, Database: map[string]string{"db_plan_enabled": "maybe"},
		Env: []string{"PGRST_DB_POOL=ten", "PGRST_DB_POL=5", "PGRST_APP_SETTINGS_X=1", "PGRST_NOTHING_LIKE_IT=2", "PGRST_DB_USE_LEGACY_GUCS=false", "OTHER=3", "PGRST_db_pool=4", "PGRST_MAX_ROWS=" + strings.Repeat("x", 100)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`db-max-rows is "lots", which is not an integer, so it has no effect`,
		`PGRST_MAX_ROWS is "` + strings.Repeat("x", 60) + `...", which is not an integer, so it has no effect`,
		`pgrst.db_plan_enabled (in the database) is "maybe", which is not true or false, so it has no effect`,
		`PGRST_DB_POOL is "ten", which is not an integer, so it has no effect`,
		`log-query is "perhaps", which is not true or false, so it has no effect`,
		`"PGRST_DB_POL" is not the name of a setting, so it has no effect; did you mean PGRST_DB_POOL?`,
		`"PGRST_NOTHING_LIKE_IT" is not the name of a setting, so it has no effect`,
		`"PGRST_db_pool" is not the name of a setting, so it has no effect; did you mean PGRST_DB_POOL?`,
		`"db-anon-rol" is not the name of a setting, so it has no effect; did you mean db-anon-role?`,
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Error(diff)
	}
	if c.DBPool != 10 || c.DBMaxRows != -1 || c.LogQuery || c.ServerPort != 3000 {
		t.Errorf("%+v", c)
	}
}

// TestFlagsAreStrict: a flag whose value does not parse is an error.
func TestFlagsAreStrict(t *testing.T) {
	for name, c := range map[string][2]string{
		"db-pool":              {"ten", `--db-pool is "ten", which is not an integer`},
		"max-rows":             {"1.5", `--max-rows is "1.5", which is not an integer`},
		"log-query":            {"perhaps", `--log-query is "perhaps", which is not true or false`},
		"server-drain-timeout": {"1m", `--server-drain-timeout is "1m", which is not an integer`},
		"log-level":            {"loud", `Invalid logging level. Check your configuration. log-level is "loud", and can be: crit, error, warn, info, debug`},
	} {
		_, err := Load(LoadOptions{Flags: map[string]string{name: c[0]}})
		if err == nil || err.Error() != "Error in config "+c[1] {
			t.Errorf("--%s %s: %v", name, c[0], err)
		}
	}
}
