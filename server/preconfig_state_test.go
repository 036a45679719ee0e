package server

import "testing"

// TestStateOfPreConfig: what db-pre-config leaves in the session reaches neither the statements that
// read the schema cache on the same connection, nor requests.
func TestStateOfPreConfig(t *testing.T) {
	w := startWriter(t, `
create schema api;
create function public.pre_config() returns void language sql as $$
  select set_config('my.left', 'secret', false), set_config('statement_timeout', '1h', false) $$;
`, map[string]string{direct: "yes", "db-pre-config": "public.pre_config"})
	conn, err := w.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if r := w.readConfigOn(t.Context(), conn.Conn); !r.asked {
		t.Fatal("db-pre-config failed")
	}
	const state = "select concat(current_setting('my.left', true), ' ', current_setting('statement_timeout'))"
	if err := conn.Query(t.Context(), state, nil, func(row [][]byte) error {
		if string(row[0]) != " 0" {
			t.Errorf("the session has %q", row[0])
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
