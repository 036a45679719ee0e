package server

import "testing"

// TestIsolation looks at the transaction from inside.
func TestIsolation(t *testing.T) {
	t.Run("usual", func(t *testing.T) { testIsolation(t, startWriter(t, transactionSchema, nil)) })
	// The database's default transaction settings do not apply to ours.
	t.Run("other defaults", func(t *testing.T) {
		testIsolation(t, startWriter(t, transactionSchema+`
			do $$ begin
			    execute format('alter database %I set default_transaction_isolation = serializable', current_database());
			    execute format('alter database %I set default_transaction_read_only = on', current_database());
			end $$;`, nil))
	})
}

func testIsolation(t *testing.T, w *writer) {
	t.Helper()
	for _, test := range []struct{ role, method, target, want string }{
		{"test_anon", "POST", "/rpc/level", "read committed, read write"},
		{"test_anon", "GET", "/rpc/level", "read committed, read only"},
		{"test_anon", "POST", "/rpc/stable_level", "read committed, read only"},
		{"test_serial", "POST", "/rpc/level", "serializable, read write"},
		{"test_serial", "GET", "/rpc/level", "serializable, read only"},
		{"test_serial", "POST", "/rpc/stable_level", "serializable, read only"},
		{"test_serial", "POST", "/rpc/repeatable_level", "repeatable read"},
		{"test_anon", "POST", "/rpc/repeatable_level", "repeatable read"},
	} {
		r := w.ask(test.method, test.target, "", w.as(test.role))
		if want := `"` + test.want + `"`; r.status != 200 || r.body != want {
			t.Errorf("%s %s as %s: %v, want %s", test.method, test.target, test.role, r, want)
		}
	}
}
