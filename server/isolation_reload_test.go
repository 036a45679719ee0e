package server

import (
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/config"
)

// TestReloadOnPoisonedSession: configuration and catalog are read as the
// authenticator, whatever role a request set for the session. Otherwise another
// role's settings would apply to us, and the limits of all roles would be lost.
func TestReloadOnPoisonedSession(t *testing.T) {
	w := startWriter(t, isolationSchema+`
		alter role iso_0 set pgrst.jwt_secret = 'stolen stolen stolen stolen stolen stolen';
		alter role iso_0 set pgrst.db_anon_role = 'iso_victim';
		create function api.attack() returns text language plpgsql as $$
		begin
		  perform set_config('role', current_user::text, false), set_config('search_path', 'evil, pg_catalog', false),
		    set_config('default_transaction_isolation', 'serializable', false), set_config('datestyle', 'German', false);
		  return 'done';
		end $$;`, map[string]string{direct: "yes", login: "iso_login", "db-anon-role": "iso_anon", "db-session-reset": "never"})
	t.Cleanup(func() { w.sql("alter role iso_0 reset all") })
	genuine := w.as("iso_0")
	if r := w.ask("POST", "/rpc/attack", "", genuine); r.status != 200 || r.body != `"done"` {
		t.Fatal(r)
	}
	for name, reload := range map[string]func(){
		"configuration": func() { w.reloadConfig(t.Context()) },
		"catalog": func() {
			if err := w.loadCatalog(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		w.ask("POST", "/rpc/attack", "", genuine)
		reload()
		snap := w.snapshot.Load()
		if string(snap.config.JWTSecret) != testSecret || snap.config.DBAnonRole != "iso_anon" {
			t.Errorf("%s: a request has changed the configuration: secret %q, anonymous role %s", name, snap.config.JWTSecret, snap.config.DBAnonRole)
		}
		if len(snap.config.RoleSettings["iso_hurried"]) != 1 || snap.config.RoleIsolation["iso_serial"] != config.Serializable {
			t.Errorf("%s: the limits of roles are gone: %v, %v", name, snap.config.RoleSettings, snap.config.RoleIsolation)
		}
		if snap.session.Isolation != 0 || !catalog.ISOStyle(snap.session.DateStyle) {
			t.Errorf("%s: a request's settings are taken for the session's: %+v", name, snap.session)
		}
		if r := w.ask("GET", "/me?select=who", "", genuine); r.body != `[{"who":"iso_0"}]` {
			t.Errorf("%s: %v", name, r)
		}
	}
}
