package server_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// logLevels returns the levels to test. Each takes a server of its own.
func logLevels() []string {
	if testing.Short() {
		return []string{"crit", "warn"}
	}
	return []string{"crit", "error", "warn", "info", "debug"}
}

// checkAccess compares the whole access log with expressions for what follows the client's address.
func checkAccess(t *testing.T, r *running, want ...string) {
	t.Helper()
	got := r.Out.Lines()
	if len(got) != len(want) {
		t.Fatalf("%d access lines, want %d:\n%s", len(got), len(want), r.Out.String())
	}
	for i, line := range got {
		if !regexp.MustCompile(`^- - ` + want[i] + `$`).MatchString(line) {
			t.Errorf("line %d is\n%s\nwant a match of\n%s", i, line, want[i])
		}
	}
}

const at = ` \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] `

// TestLogLevels: a level chooses access lines by status, and statements with them.
func TestLogLevels(t *testing.T) {
	t.Parallel()
	for _, level := range logLevels() {
		t.Run(level, func(t *testing.T) {
			r := watch(t, map[string]string{"log-level": level, "jwt-secret": "", "log-query": "true"})
			ask(t, r.API, "GET", "/film", "Authorization", "Bearer x.y.z") // no secret to check it with
			ask(t, r.API, "GET", "/nowhere")
			ask(t, r.API, "GET", "/film")
			ask(t, r.API, "HEAD", "/film")
			ask(t, r.API, "GET", "/broken")
			ask(t, r.API, "HEAD", "/nowhere")
			r.Stop(nil)
			lines := []string{
				`-` + at + `"GET /film HTTP/1\.1" 500 \d+ "" "watcher"`,
				`test_anon` + at + `"GET /nowhere HTTP/1\.1" 404 \d+ "" "watcher"`,
				`test_anon` + at + `"GET /film HTTP/1\.1" 200 \d+ "" "watcher"`,
				`test_anon` + at + `"HEAD /film HTTP/1\.1" 200 - "" "watcher"`,
				`test_anon` + at + `"GET /broken HTTP/1\.1" 400 \d+ "" "watcher"`,
				`test_anon` + at + `"HEAD /nowhere HTTP/1\.1" 404 \d+ "" "watcher"`,
			}
			settings, films, broken := 0, 0, 0
			switch level {
			case "crit":
				lines = nil
			case "error":
				lines = lines[:1]
			case "warn":
				lines = []string{lines[0], lines[1], lines[4], lines[5]}
				settings, broken = 1, 1
			default:
				settings, films, broken = 3, 2, 1
			}
			checkAccess(t, r, lines...)
			for expr, want := range map[string]int{
				`^[^ ]+ [+-]\d{4}: .*set_config\('search_path'`: settings,
				`^[^ ]+ [+-]\d{4}: .*"api"\."film"`:             films,
				`^[^ ]+ [+-]\d{4}: .*"api"\."broken"`:           broken,
			} {
				if got := r.Log.Matching(expr); len(got) != want {
					t.Errorf("%d lines match %s, want %d:\n%s", len(got), expr, want, r.Log.String())
				}
			}
		})
	}
}

// TestLogQuery: which statements of which requests are logged.
func TestLogQuery(t *testing.T) {
	t.Parallel()
	r := watch(t, map[string]string{"log-level": "info", "log-query": "true", "db-pre-request": "api.prepare_request"})
	f := func(method, target string, headers []string, want ...string) {
		t.Helper()
		before := len(r.Log.Lines())
		ask(t, r.API, method, target, headers...)
		path, _, _ := strings.Cut(target, "?")
		r.Out.Await(t, regexp.QuoteMeta(method+" "+path)) // errors are written first
		got := r.Log.Lines()[before:]
		r.Out.Reset()
		if len(got) != len(want) {
			t.Errorf("%s %s: %d statements, want %d:\n%s", method, target, len(got), len(want), strings.Join(got, "\n"))
			return
		}
		for i, expr := range want {
			if !regexp.MustCompile(`^\d\d/\w+/\d{4}:[0-9:]{8} [+-]\d{4}: ` + expr).MatchString(got[i]) {
				t.Errorf("%s %s: statement %d is %s, want a match of %s", method, target, i, got[i], expr)
			}
		}
	}
	const settings, pre = `(?i)select .*set_config\('search_path'`, `(?i)select .*"prepare_request"`
	const response = `(?i)select .*response\.headers`
	f("GET", "/film?title=eq.Nosferatu", nil, settings, pre, `.*FROM "api"\."film".*\$1`, response)
	f("GET", "/film", []string{"Prefer", "count=planned"}, settings, pre, `.*"api"\."film"`, `(?i)explain .*"api"\."film"`, response)
	f("GET", "/rpc/greet", nil, settings, pre, `.*"api"\."greet"`, response)
	f("GET", "/secret", nil, settings, pre, `.*"api"\."secret"`, response)
	f("GET", "/", nil, settings, pre, `.*obj_description`, `.*pg_class`, `.*pg_proc`)
	f("GET", "/nowhere", nil)
	f("OPTIONS", "/film", nil)
	f("GET", "/film?select=a:title%0A;drop", nil)
	for _, line := range r.Log.Lines() {
		if strings.Contains(line, "Nosferatu") {
			t.Errorf("a value is logged: %s", line)
		}
	}
}

// TestLogQueryNames: names that clients choose are in the SQL, and do not end the line.
func TestLogQueryNames(t *testing.T) {
	r := watch(t, map[string]string{"log-level": "info", "log-query": "true"})
	ask(t, r.API, "GET", "/film?select=%22a%0A%1B%5Bb%22:title")
	r.Stop(nil)
	if got := r.Log.Matching(`^[^ ]+ [+-]\d{4}: .*a \\x1b\[b.*film`); len(got) != 1 {
		t.Errorf("not one line:\n%q", r.Log.String())
	}
}

// TestLogQueryOff: nothing of it without the setting.
func TestLogQueryOff(t *testing.T) {
	t.Parallel()
	r := watch(t, map[string]string{"log-level": "debug"})
	ask(t, r.API, "GET", "/film")
	ask(t, r.API, "GET", "/secret")
	r.Stop(nil)
	if got := r.Log.Matching(`(?i)set_config|"api"\.`); len(got) != 0 {
		t.Errorf("logged: %q", got)
	}
}

// TestLogRoles: the role is logged as far as it is known.
func TestLogRoles(t *testing.T) {
	t.Parallel()
	t.Run("known", func(t *testing.T) {
		r := watch(t, map[string]string{"log-level": "info"})
		name, token := as(t, "test_user")
		ask(t, r.API, "GET", "/film", name, token)
		ask(t, r.API, "PUT", "/rpc/volatile")
		ask(t, r.API, "GET", "/film", name, expired(t))
		ask(t, r.API, "POST", "/film?columns=id")
		r.Stop(nil)
		checkAccess(t, r,
			`test_user`+at+`"GET /film HTTP/1\.1" 200 \d+ "" "watcher"`,
			`test_anon`+at+`"PUT /rpc/volatile HTTP/1\.1" 405 \d+ "" "watcher"`,
			`-`+at+`"GET /film HTTP/1\.1" 401 \d+ "" "watcher"`,
			`test_anon`+at+`"POST /film\?columns=id HTTP/1\.1" 400 \d+ "" "watcher"`,
		)
	})
	t.Run("no anonymous role", func(t *testing.T) {
		r := watch(t, map[string]string{"log-level": "info", "db-anon-role": ""})
		ask(t, r.API, "GET", "/film")
		r.Stop(nil)
		checkAccess(t, r, `-`+at+`"GET /film HTTP/1\.1" 401 \d+ "" "watcher"`)
	})
	t.Run("no schema cache", func(t *testing.T) {
		r := watch(t, map[string]string{"log-level": "info", "db-extra-search-path": "nowhere"})
		name, token := as(t, "test_user")
		status, _ := ask(t, r.API, "GET", "/film", name, token)
		if status != http.StatusServiceUnavailable {
			t.Errorf("status %d", status)
		}
		r.Stop(nil)
		checkAccess(t, r, `test_user`+at+`"GET /film HTTP/1\.1" 503 \d+ "" "watcher"`)
		if len(r.Log.Matching(`Failed to load the schema cache using db-schemas=api and db-extra-search-path=nowhere\. \{"code":`)) == 0 {
			t.Errorf("the failure is not told:\n%s", r.Log.String())
		}
		if len(r.Log.Matching(`: \{"code":"PGRST002","details":null,"hint":null,"message":"Could not query the database for the schema cache\. Retrying\."\}$`)) != 1 {
			t.Errorf("the answer's error is not told:\n%s", r.Log.String())
		}
	})
}

// TestLogPreflight: a preflight is not logged, other OPTIONS are.
func TestLogPreflight(t *testing.T) {
	r := watch(t, map[string]string{"log-level": "info", "server-cors-allowed-origins": "http://a.example"})
	ask(t, r.API, "OPTIONS", "/film")
	ask(t, r.API, "OPTIONS", "/film", "Origin", "http://a.example", "Access-Control-Request-Method", "POST")
	r.Stop(nil)
	checkAccess(t, r, `test_anon`+at+`"OPTIONS /film HTTP/1\.1" 200 \d+ "" "watcher"`)
}

// TestLogDatabaseErrors: an error of the database that is a 5xx is told, above its access line.
func TestLogDatabaseErrors(t *testing.T) {
	t.Parallel()
	for _, level := range logLevels() {
		r := watch(t, map[string]string{"log-level": level})
		if status, body := ask(t, r.API, "GET", "/rpc/too_slow"); status != http.StatusInternalServerError {
			t.Errorf("%d %s", status, body)
		}
		r.Stop(nil)
		want := 1
		if level == "crit" {
			want = 0
		}
		told := r.Log.Matching(`^[^ ]+ [+-]\d{4}: \{"code":"57014","details":null,"hint":null,"message":"canceling statement due to statement timeout"\}$`)
		if len(told) != want || len(r.Out.Matching(`"GET /rpc/too_slow HTTP/1\.1" 500 `)) != want {
			t.Errorf("%s: want %d of each:\n%s%s", level, want, r.Log.String(), r.Out.String())
		}
	}
}

// TestLogLife: the first and the last lines of a process.
func TestLogLife(t *testing.T) {
	adminHost, adminAddress := "127.0.0.1", `127\.0\.0\.1`
	if hasIPv6(t) {
		adminHost, adminAddress = "::1", `\[::1\]`
	}
	r := watch(t, map[string]string{
		"server-unix-socket": "", "admin-server-unix-socket": "", "server-host": "127.0.0.1", "server-port": "0",
		"admin-server-host": adminHost, "admin-server-port": pgtest.FreePort(t, adminHost), "db-channel-enabled": "true",
	})
	r.Stop(server.Terminated("SIGTERM"))
	var at int
	for _, want := range []string{
		`: Starting fastgrest 1\.2\.3\.\.\.$`,
		`: Admin server listening on ` + adminAddress + `:\d+$`,
		`: Admin page at http://` + adminAddress + `:\d+/ui$`,
		`: Listener connected to PostgreSQL .* on ".*" and listening for database notifications on the "pgrst" channel$`,
		`: Successfully connected to PostgreSQL `,
		`: Connection Pool initialized with a maximum size of 10 connections$`,
		`: Schema cache queried in \d+\.\d milliseconds $`,
		`: Schema cache loaded 4 Relations, `,
		`: API server listening on 127\.0\.0\.1:\d+$`,
		`: Received termination unix signal SIGTERM$`,
	} {
		lines := r.Log.Lines()
		for ; at < len(lines) && !regexp.MustCompile(want).MatchString(lines[at]); at++ {
		}
		if at == len(lines) {
			t.Fatalf("no line matches %s, in this order, in:\n%s", want, r.Log.String())
		}
	}
}

// TestLogDebug: what goes on below requests.
func TestLogDebug(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"info", "debug"} {
		r := watch(t, map[string]string{"log-level": level})
		name, token := as(t, "test_user")
		ask(t, r.API, "GET", "/film", name, token)
		r.Stop(nil)
		for _, expr := range []string{
			`: Trying to borrow a connection from pool$`, `: Borrowed a connection from the pool$`,
			`: Connection \d+ is being established$`, `: Connection \d+ is available due to connection establishment$`,
			`: Connection \d+ is used$`, `: Connection \d+ is available due to session success$`,
			`: Connection \d+ is terminated due to release$`,
			`: Looked up a JWT in JWT cache$`, `: Database connection pool flushed$`,
			`: tables: [0-9.]+ ms, keydeps: [0-9.]+ ms, rels: [0-9.]+ ms, funcs: [0-9.]+ ms, comprels: [0-9.]+ ms, dreps: [0-9.]+ ms, mhandlers: [0-9.]+ ms`,
		} {
			if got := len(r.Log.Matching(expr)) > 0; got != (level == "debug") {
				t.Errorf("level %s: %s is logged: %t", level, expr, got)
			}
		}
	}
}

// TestLogWarnings: what should be changed before it stops working.
func TestLogWarnings(t *testing.T) {
	t.Parallel()
	r := watch(t, map[string]string{"jwt-role-claim-key": ".role", "db-pre-config": "api.no_such_function", "log-level": "crit"})
	for _, expr := range []string{
		": WARNING: The config `jwt-role-claim-key=\\.\"role\"` is using the deprecated JSPath syntax\\.$",
		": Update `jwt-role-claim-key=\\.\"role\"` to the new JSONPath syntax ",
		`: Failed to query database settings for the config parameters\.\{"code":"42883",.*no_such_function`,
	} {
		if got := r.Log.Matching(expr); len(got) == 0 {
			t.Errorf("no line matches %s:\n%s", expr, r.Log.String())
		}
	}
	if text := r.Log.String(); strings.Index(text, ": Starting ") > strings.Index(text, ": WARNING: ") {
		t.Errorf("a warning comes before the start:\n%s", text)
	}
	for use, want := range map[string]int{"true": 1, "false": 0} {
		r := watch(t, map[string]string{"url-use-legacy-target-names": use})
		ask(t, r.API, "GET", "/film?select=id,made:maker(name)&maker.name=eq.x")
		r.Stop(nil)
		warned := len(r.Log.Matching(": WARNING: Embedded resource was referenced by relation name even though it has an alias\\."))
		told := len(r.Log.Matching(": Update filters, orders or limits that use `maker` to `made` in `GET /film\\?select=id,made:maker\\(name\\)&maker\\.name=eq\\.x`$"))
		if warned != want || told != want {
			t.Errorf("url-use-legacy-target-names %s: %d warnings, %d hints:\n%s", use, warned, told, r.Log.String())
		}
	}
}

// TestLogLostConnection: what a client is told of a lost connection, the log is told.
func TestLogLostConnection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ method, target, details string }{
		{"GET", "/rpc/die_reading", `no connection to the server\n`},
		{"POST", "/rpc/die", "no connection to the server. It is unknown whether the transaction was committed."},
	} {
		r := watch(t, nil)
		status, body := ask(t, r.API, test.method, test.target)
		want := `{"code":"PGRST001","details":"` + test.details + `","hint":null,"message":"Database client error. Retrying the connection."}`
		if status != http.StatusServiceUnavailable || body != want {
			t.Errorf("%d %s, want %s", status, body, want)
		}
		r.Stop(nil)
		if got := r.Log.Matching(`: ` + regexp.QuoteMeta(body) + `$`); len(got) != 1 {
			t.Errorf("%d lines say %s:\n%s", len(got), body, r.Log.String())
		}
	}
}

// TestLogPoolTimeouts: requests that find no connection in time are told once for all of a burst.
func TestLogPoolTimeouts(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"crit", "error"} {
		r := watch(t, map[string]string{"log-level": level, "db-pool": "1", "db-pool-acquisition-timeout": "2"})
		query := r.cluster.Connect(t, r.database).Value
		query("select pg_advisory_lock(1)")
		var requests sync.WaitGroup
		requests.Go(func() {
			for status := http.StatusGatewayTimeout; status == http.StatusGatewayTimeout; {
				status, _ = ask(t, r.API, "POST", "/rpc/blocked")
			}
		})
		for began := time.Now(); query("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())") != "1"; time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > servertest.Patience {
				t.Fatal("no request waits for the lock")
			}
		}
		told := func() int {
			return len(r.Log.Matching(`: \{"code":"PGRST003","details":null,"hint":null,"message":"Timed out acquiring connection from connection pool\."\}$`))
		}
		// On a busy machine connecting may have taken too long, too, and have been told.
		_, all := ask(t, r.Admin, "GET", "/metrics")
		before := figure(t, all, "pgrst_db_pool_timeouts_total")
		const burst = 20
		var burstDone sync.WaitGroup
		for range burst {
			burstDone.Go(func() {
				if status, body := ask(t, r.API, "GET", "/film"); status != http.StatusGatewayTimeout {
					t.Errorf("%d %s", status, body)
				}
			})
		}
		burstDone.Wait()
		query("select pg_advisory_unlock(1)")
		requests.Wait()
		_, all = ask(t, r.Admin, "GET", "/metrics")
		r.Stop(nil)
		got := told()
		if level == "crit" && got != 0 || level == "error" && (got < 1 || got >= burst) {
			t.Errorf("%s: told %d times:\n%s", level, got, r.Log.String())
		}
		if n := figure(t, all, "pgrst_db_pool_timeouts_total"); n-before != burst {
			t.Errorf("%g timeouts are counted after %g", n, before)
		}
		if n := figure(t, all, "fastgrest_db_pool_wait_seconds_sum"); n < 2*burst*0.9 {
			t.Errorf("%d requests waited for two seconds each, and %g are counted", burst, n)
		}
	}
}

// TestAdminHosts: the admin server is reached whatever word the API's host is.
func TestAdminHosts(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"*", "*4", "!4", "*6", "!6"} {
		at := "127.0.0.1"
		if strings.HasSuffix(host, "6") {
			if !hasIPv6(t) {
				continue
			}
			at = "::1"
		}
		port := pgtest.FreePort(t, at)
		r := watch(t, map[string]string{"server-unix-socket": "", "admin-server-unix-socket": "", "server-host": host, "server-port": "0", "admin-server-port": port})
		for _, path := range []string{"/live", "/ready"} {
			response, err := http.Get("http://" + net.JoinHostPort(at, port) + path)
			if err != nil {
				t.Errorf("%s: %v", host, err)
				continue
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s: %s says %d", host, path, response.StatusCode)
			}
		}
		r.Stop(nil)
	}
}

// TestAdminWithoutAPI: without the API's socket the process is neither live nor ready.
func TestAdminWithoutAPI(t *testing.T) {
	r := watch(t, nil)
	for _, step := range []struct{ want int }{{http.StatusOK}, {http.StatusInternalServerError}} {
		for _, path := range []string{"/live", "/ready"} {
			if status, _ := ask(t, r.Admin, "GET", path); status != step.want {
				t.Errorf("%s says %d, want %d", path, status, step.want)
			}
		}
		if err := os.Remove(r.Socket); err != nil && step.want == http.StatusOK {
			t.Error(err)
		}
	}
}

func expired(t *testing.T) string {
	t.Helper()
	_, token := servertest.Bearer(fmt.Sprintf(`{"role":"test_user","exp":%d}`, time.Now().Add(-time.Hour).Unix()))
	return token
}
