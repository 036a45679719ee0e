package sqlgen

import (
	"context"
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

func TestSettingsStatement(t *testing.T) {
	for _, test := range []struct {
		settings Settings
		want     string
	}{
		{
			Settings{SearchPath: []string{"api"}},
			`SELECT pg_catalog.num_nonnulls(pg_catalog.set_config('search_path', '"api"', true), pg_catalog.set_config('role', $1, true), pg_catalog.set_config('request.jwt.claims', $2, true), ` +
				`pg_catalog.set_config('request.method', $3, true), pg_catalog.set_config('request.path', $4, true), pg_catalog.set_config('request.headers', $5, true), ` +
				`pg_catalog.set_config('request.cookies', $6, true))`,
		},
		{
			Settings{SearchPath: []string{"api"}, Without: Details},
			`SELECT pg_catalog.num_nonnulls(pg_catalog.set_config('search_path', '"api"', true), pg_catalog.set_config('role', $1, true), pg_catalog.set_config('request.jwt.claims', $2, true))`,
		},
		{
			Settings{SearchPath: []string{"api"}, Timezone: true, Without: 1<<SettingHeaders | 1<<SettingPath},
			`SELECT pg_catalog.num_nonnulls(pg_catalog.set_config('search_path', '"api"', true), pg_catalog.set_config('role', $1, true), pg_catalog.set_config('request.jwt.claims', $2, true), ` +
				`pg_catalog.set_config('request.method', $3, true), pg_catalog.set_config('request.cookies', $4, true), pg_catalog.set_config('timezone', $5, true))`,
		},
		{
			Settings{
				ReadOnly: true, SearchPath: []string{`o"dd`, "it's"}, Timezone: true,
				Role: []catalog.Setting{{Name: "work_mem", Value: "1MB"}}, App: []string{"app.x", "app.y"},
			},
			`SELECT pg_catalog.num_nonnulls(pg_catalog.set_config('transaction_read_only', 'on', true), pg_catalog.set_config('search_path', '"o""dd", "it''s"', true), ` +
				`pg_catalog.set_config('work_mem', '1MB', true), pg_catalog.set_config('role', $1, true), pg_catalog.set_config('request.jwt.claims', $2, true), ` +
				`pg_catalog.set_config('request.method', $3, true), pg_catalog.set_config('request.path', $4, true), pg_catalog.set_config('request.headers', $5, true), ` +
				`pg_catalog.set_config('request.cookies', $6, true), pg_catalog.set_config('timezone', $7, true), pg_catalog.set_config('app.x', $8, true), pg_catalog.set_config('app.y', $9, true))`,
		},
	} {
		if got := SettingsStatement(test.settings).SQL; got != test.want {
			t.Errorf("%s\nwant\n%s", got, test.want)
		}
	}
}

// TestSettingsOnServer: the settings are made in the right order, hold in the
// transaction, and end with it.
func TestSettingsOnServer(t *testing.T) {
	ctx := context.Background()
	conn := connect(t)
	run(t, conn, `do $$ begin if not exists (select from pg_roles where rolname = 'settings_test') then create role settings_test; end if; end $$`)
	run(t, conn, "begin")
	statement := SettingsStatement(Settings{
		ReadOnly: true, SearchPath: []string{`o"dd`, "public"}, Timezone: true,
		Role: []catalog.Setting{{Name: "log_min_messages", Value: "error"}}, // only superusers may set it: it is set before the role
		App:  []string{"app.secret", "timezone"},
	})
	request := [RequestSettings][]byte{
		SettingRole: []byte("settings_test"), SettingClaims: []byte(`{"a":1}`), SettingMethod: []byte("GET"), SettingPath: []byte("/x"),
		SettingHeaders: []byte("{}"), SettingCookies: []byte(""), SettingTimezone: []byte("Europe/Oslo"),
	}
	app := [...][]byte{[]byte(`a'b\`), []byte("Asia/Tokyo")}
	var args [][]byte
	for _, a := range statement.Args {
		switch a.Kind {
		case ArgSetting:
			args = append(args, request[a.Index])
		case ArgApp:
			args = append(args, app[a.Index])
		default:
			t.Fatalf("parameter %+v", a)
		}
	}
	result := conn.ExecParams(ctx, statement.SQL, args, nil, nil, nil).Read()
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	if got := string(result.Rows[0][0]); got != "12" {
		t.Errorf("%s settings made, want 12", got)
	}
	show := func(name string) string {
		r := conn.ExecParams(ctx, "select coalesce(current_setting($1, true), 'none')", [][]byte{[]byte(name)}, nil, nil, nil).Read()
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return string(r.Rows[0][0])
	}
	for name, want := range map[string]string{
		"role": "settings_test", "transaction_read_only": "on", "search_path": `"o""dd", "public"`, "log_min_messages": "error",
		"request.jwt.claims": `{"a":1}`, "request.method": "GET", "request.path": "/x", "request.headers": "{}", "request.cookies": "",
		"app.secret": `a'b\`, "timezone": "Asia/Tokyo",
	} {
		if got := show(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	run(t, conn, "commit")
	for name, want := range map[string]string{"role": "none", "transaction_read_only": "off", "request.method": "", "app.secret": ""} {
		if got := show(name); got != want {
			t.Errorf("%s is still %q", name, got)
		}
	}
}

func TestResponseSettingsOnServer(t *testing.T) {
	ctx := context.Background()
	conn := connect(t)
	read := func() [][]byte {
		r := conn.ExecParams(ctx, ResponseSettings, nil, nil, nil, nil).Read()
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return r.Rows[0]
	}
	for i, value := range read() {
		if value != nil {
			t.Errorf("column %d is %q before the settings are made", i, value)
		}
	}
	run(t, conn, "select pg_catalog.set_config('response.headers', '[]', false), pg_catalog.set_config('response.status', '', false), pg_catalog.set_config('"+InsertedSetting+"', '3', false)")
	if r := read(); string(r[0]) != "[]" || r[1] != nil || string(r[2]) != "3" {
		t.Errorf("%q", r)
	}
}

func TestOtherStatements(t *testing.T) {
	if got, want := PreRequest(catalog.QI{Schema: "a b", Name: `f"`}), `SELECT "a b"."f"""()`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got := FunctionSettings([]catalog.Setting{{Name: "work_mem", Value: "1MB"}, {Name: "Own.x", Value: "a'b"}})
	if want := `SELECT pg_catalog.num_nonnulls(pg_catalog.set_config('work_mem', '1MB', true), pg_catalog.set_config('Own.x', 'a''b', true))`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
