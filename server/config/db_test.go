package config

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// connect gives a Querier for a database and role.
func connect(t *testing.T, uri string) Querier {
	t.Helper()
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(ctx) })
	return func(ctx context.Context, sql string, args []string, each func([][]byte) error) error {
		params := make([][]byte, len(args))
		for i := range args {
			params[i] = []byte(args[i])
		}
		rows := conn.ExecParams(ctx, sql, params, nil, nil, nil)
		var stop error
		for rows.NextRow() && stop == nil {
			stop = each(rows.Values())
		}
		_, err := rows.Close()
		return errors.Join(stop, err)
	}
}

func TestReadDatabase(t *testing.T) {
	cluster := pgtest.Start(t)
	cluster.CreateDB(t, "cfg_one")
	cluster.CreateDB(t, "cfg_two")
	cluster.Exec(t, "cfg_one", `
		create role "Cfg""Authenticator" login noinherit;
		alter role "Cfg""Authenticator" set pgrst.db_max_rows = '100';
		alter role "Cfg""Authenticator" set pgrst.db_schemas = 'a, b';
		alter role "Cfg""Authenticator" set pgrst.jwt_secret = 'REALLY=REALLY=SAFE';
		alter role "Cfg""Authenticator" set pgrst.not_existing = 'ignored';
		alter role "Cfg""Authenticator" set pgrst.db_uri = 'ignored';
		alter role "Cfg""Authenticator" set pgrst.server_port = 'ignored';
		alter role "Cfg""Authenticator" set pgrst.max_rows = 'ignored';
		alter role "Cfg""Authenticator" set "pgrst.app.settings.x" = 'ignored';
		alter role "Cfg""Authenticator" set statement_timeout = '5s';
		alter role "Cfg""Authenticator" in database cfg_one set pgrst.db_max_rows = '200';
		alter role "Cfg""Authenticator" in database cfg_two set pgrst.db_max_rows = '300';
		alter database cfg_one set pgrst.jwt_aud = 'of the database';
		create schema "Ops; drop";
		create function "Ops; drop"."conf""igure"() returns void language sql as $$
			select set_config('pgrst.db_max_rows', '1', true), set_config('pgrst.db_schemas', 'overridden', true),
			       set_config('pgrst.db_anon_role', 'from_function', true), set_config('pgrst.db_extra_search_path', '', true),
			       set_config('pgrst.db_pool', '1', true) $$;
		create function fails() returns void language plpgsql as $$ begin raise exception 'no configuration today'; end $$;
		grant usage on schema "Ops; drop" to "Cfg""Authenticator";`)
	t.Cleanup(func() {
		cluster.Exec(t, "cfg_one",
			`drop owned by "Cfg""Authenticator"; alter database cfg_one reset all; drop role "Cfg""Authenticator"`)
	})

	f := func(database string, function QualifiedName, want map[string]string) {
		t.Helper()
		query := connect(t, cluster.URI(database, `Cfg"Authenticator`))
		for range 2 { // what a function sets does not outlive the call
			got, err := ReadDatabase(context.Background(), query, function)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %v: %s", database, function, diff)
			}
		}
		got, err := ReadDatabase(context.Background(), query, QualifiedName{})
		if err != nil || got["db_anon_role"] != "" {
			t.Errorf("%s: %v, %v", database, got, err)
		}
	}
	one := map[string]string{"db_max_rows": "200", "db_schemas": "a, b", "jwt_secret": "REALLY=REALLY=SAFE"}
	f("cfg_one", QualifiedName{}, one)
	f("cfg_two", QualifiedName{}, map[string]string{"db_max_rows": "300", "db_schemas": "a, b", "jwt_secret": "REALLY=REALLY=SAFE"})
	// With a function all settings are read as they stand after it, so that
	// those of the database count too: PostgREST's doing.
	f("cfg_one", QualifiedName{"Ops; drop", `conf"igure`}, map[string]string{
		"db_max_rows": "200", "db_schemas": "a, b", "jwt_secret": "REALLY=REALLY=SAFE", "db_anon_role": "from_function",
		"db_extra_search_path": "", "jwt_aud": "of the database"})

	query := connect(t, cluster.URI("cfg_one", `Cfg"Authenticator`))
	for name, want := range map[string]string{"fails": "no configuration today", "select": `function select() does not exist`} {
		_, err := ReadDatabase(context.Background(), query, QualifiedName{Name: name})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}

	// And into a Config: the empty text is a value of the list that may be empty.
	found, err := ReadDatabase(context.Background(), query, QualifiedName{"Ops; drop", `conf"igure`})
	if err != nil {
		t.Fatal(err)
	}
	found["jwt_secret"] += "=AND=LONG=ENOUGH=TOO"
	c, err := Load(LoadOptions{Database: found, Env: []string{"PGRST_DB_EXTRA_SEARCH_PATH=x", "PGRST_DB_MAX_ROWS=5"}})
	if err != nil || c.DBMaxRows != 200 || c.DBExtraSearchPath != nil || c.DBAnonRole != "from_function" || len(c.DBSchemas) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestTokenCacheInDatabase: the setting may be in the database, as in PostgREST 16.4.
func TestTokenCacheInDatabase(t *testing.T) {
	c, err := Load(LoadOptions{Database: map[string]string{"jwt_cache_max_entries": "7"}, Env: []string{"PGRST_JWT_CACHE_MAX_ENTRIES=5"}})
	if err != nil || c.JWTCacheMaxEntries != 7 || !strings.Contains(databaseNames(), "pgrst.jwt_cache_max_entries") {
		t.Errorf("%d, %v", c.JWTCacheMaxEntries, err)
	}
}

// TestCheckRole checks whether requests can run as a role.
func TestCheckRole(t *testing.T) {
	cluster := pgtest.Start(t)
	cluster.CreateDB(t, "cfg_check")
	cluster.Exec(t, "cfg_check", `create role "CheckAuth" login noinherit; create role "check ""anon"""; create role check_stranger; grant "check ""anon""" to "CheckAuth"`)
	query := connect(t, cluster.URI("cfg_check", "CheckAuth"))
	for role, want := range map[string][2]bool{`check "anon"`: {true, true}, "check_stranger": {true, false}, "check_nobody": {false, false}, "x' or true --": {false, false}} {
		exists, member, err := CheckRole(context.Background(), query, role)
		if err != nil || exists != want[0] || member != want[1] {
			t.Errorf("%s: %t %t %v, want %v", role, exists, member, err, want)
		}
	}
}

func TestReadRoles(t *testing.T) {
	cluster := pgtest.Start(t)
	cluster.CreateDB(t, "cfg_roles")
	super := cluster.URI("cfg_roles", pgtest.Superuser)
	cluster.Exec(t, "cfg_roles", `
		create role cfg_auth login noinherit;
		create role cfg_plain; create role cfg_serial; create role cfg_mixed; create role cfg_other; create role cfg_indirect;
		grant cfg_plain, cfg_serial, cfg_mixed to cfg_auth;
		grant cfg_indirect to cfg_mixed;
		alter role cfg_serial set default_transaction_isolation = 'SERIALIZABLE';
		alter role cfg_mixed set statement_timeout = '1s';
		alter role cfg_mixed set "TimeZone" = 'Europe/Paris';
		alter role cfg_mixed set search_path = 'a', 'b=c';
		alter role cfg_mixed set default_transaction_isolation = 'repeatable read';
		alter role cfg_mixed set log_min_duration_statement = '7';
		alter role cfg_mixed set custom.setting = 'not known to the server';
		alter role cfg_other set statement_timeout = '2s';
		alter role cfg_indirect set statement_timeout = '3s';`)
	t.Cleanup(func() {
		cluster.Exec(t, "cfg_roles", `do $$ begin if current_setting('server_version_num')::int >= 150000 then
				revoke set on parameter log_min_duration_statement from cfg_auth; end if; end $$;
			drop role cfg_auth, cfg_plain, cfg_serial, cfg_mixed, cfg_other, cfg_indirect`)
	})
	f := func(want []Setting) {
		t.Helper()
		list, isolation, err := ReadRoles(context.Background(), connect(t, cluster.URI("cfg_roles", "cfg_auth")))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string][]Setting{"cfg_mixed": want}, list); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]Isolation{"cfg_serial": Serializable, "cfg_mixed": RepeatableRead}, isolation); diff != "" {
			t.Error(diff)
		}
	}
	allowed := []Setting{{"TimeZone", "Europe/Paris"}, {"search_path", `a, "b=c"`}, {"statement_timeout", "1s"}}
	f(allowed)

	// Roles can hold a privilege to set a parameter from version 15 on.
	version := ""
	err := connect(t, super)(context.Background(), "select current_setting('server_version_num')", nil,
		func(columns [][]byte) error { version = string(columns[0]); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if version >= "150000" {
		cluster.Exec(t, "cfg_roles", `grant set on parameter log_min_duration_statement to cfg_auth`)
		f([]Setting{allowed[0], {"log_min_duration_statement", "7"}, allowed[1], allowed[2]})
	}
}

func TestIsolation(t *testing.T) {
	for text, want := range map[string]Isolation{
		"serializable": Serializable, "SERIALIZABLE": Serializable, "repeatable read": RepeatableRead, "Repeatable Read": RepeatableRead,
		"read committed": ReadCommitted, "read uncommitted": ReadCommitted, "": ReadCommitted,
	} {
		if got := parseIsolation(text); got != want {
			t.Errorf("parseIsolation(%q) = %v", text, got)
		}
	}
}

// TestTrappedOperators: a role that may create objects in a schema of the search
// path cannot make the authenticator run them, which may become any role.
func TestTrappedOperators(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `
		create role trap_role; alter role trap_role set statement_timeout = '7s';
		create role trap_login login noinherit; grant trap_role to trap_login; alter role trap_login set pgrst.db_max_rows = '5';
		create table public.caught (who text, what text); grant insert on public.caught to public;
		create function public.conf() returns void language sql as 'select';`)
	t.Cleanup(func() {
		cluster.Exec(t, db, "drop owned by trap_login, trap_role; drop role trap_login, trap_role")
	})
	// PostgreSQL prefers a function without argument conversions over a built-in one
	// that needs some.
	var traps strings.Builder
	trap := func(name, args, result, value string) {
		fmt.Fprintf(&traps, "create function public.%s(%s) returns %s language plpgsql as $$ begin insert into public.caught values (current_user, %s); return %s; end $$;\n",
			name, args, result, pgQuote(name+"("+args+")"), value)
	}
	for i, operands := range [][2]string{{"oid", "int4"}, {"int4", "oid"}, {"name", "varchar"}, {"varchar", "name"}, {"text", "varchar"}, {"varchar", "text"}, {"name", "name[]"}, {"int8", "oid"}} {
		name := fmt.Sprintf("trap_%d", i)
		trap(name, operands[0]+", "+operands[1], "bool", "true")
		fmt.Fprintf(&traps, "create operator public.= (leftarg = %s, rightarg = %s, function = public.%s);\n", operands[0], operands[1], name)
	}
	trap("strpos", "text, varchar", "int4", "1")
	trap("split_part", "text, varchar, int4", "text", "'x'")
	trap("substr", "varchar, int4", "text", "'x'")
	trap("current_setting", "varchar, bool", "text", "'x'")
	trap("has_parameter_privilege", "text, varchar", "bool", "true")
	cluster.Exec(t, db, traps.String())

	query := connect(t, cluster.URI(db, "trap_login"))
	for _, function := range []QualifiedName{{}, {Schema: "public", Name: "conf"}} {
		got, err := ReadDatabase(context.Background(), query, function)
		if err != nil || got["db_max_rows"] != "5" {
			t.Errorf("%v: %v, %v", function, got, err)
		}
	}
	if roles, _, err := ReadRoles(context.Background(), query); err != nil || len(roles["trap_role"]) != 1 {
		t.Errorf("%v, %v", roles, err)
	}
	var caught []string
	if err := connect(t, cluster.URI(db, pgtest.Superuser))(context.Background(), "select concat_ws(' ', who, what) from public.caught", nil, func(row [][]byte) error {
		caught = append(caught, string(row[0]))
		return nil
	}); err != nil || caught != nil {
		t.Errorf("called: %q, %v", caught, err)
	}
}

func pgQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
