package server_test

import "testing"

// TestLogOfFailures: a request that fails has its access line, and a second line
// only where the database has failed.
func TestLogOfFailures(t *testing.T) {
	t.Parallel()
	r := watch(t, map[string]string{"log-level": "info"})
	for target, want := range map[string]struct {
		status int
		second string
		lines  int
	}{
		"/rpc/bad_headers": {500, `"code":"PGRST111"`, 0},
		"/rpc/bad_status":  {500, `"code":"PGRST112"`, 0},
		"/rpc/too_slow":    {500, `"code":"57014"`, 1},
		"/secret":          {401, `"code":"42501"`, 0},
	} {
		if status, body := ask(t, r.API, "GET", target); status != want.status {
			t.Errorf("%s: %d %s", target, status, body)
		}
		r.Out.Await(t, `"GET `+target+` HTTP/1\.1" `) // errors are written first
		if got := r.Log.Matching(want.second); len(got) != want.lines {
			t.Errorf("%s: %d lines with the body, want %d:\n%s", target, len(got), want.lines, r.Log.String())
		}
	}
}
