package pgwire

import "testing"

// TestRoleQuery fails if a version of pgconn checks target_session_attrs in a way that
// roleQuery does not recognize.
func TestRoleQuery(t *testing.T) {
	const readOnly, standby = "SELECT current_setting('transaction_read_only')::bool", "SELECT pg_catalog.pg_is_in_recovery()"
	for attrs, want := range map[string]string{
		"any": "", "read-write": readOnly, "primary": standby, "read-only": "", "standby": "", "prefer-standby": "",
	} {
		cfg, err := ParseConfig("host=h user=u target_session_attrs=" + attrs)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.roleQuery != want {
			t.Errorf("target_session_attrs=%s: the role is checked with %q, want %q. "+
				"Does pgconn.ParseConfig still set Config.ValidateConnect to an exported function of pgconn?", attrs, cfg.roleQuery, want)
		}
	}
}
