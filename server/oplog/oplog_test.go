package oplog

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"
)

// noon is fixed, so that whole lines can be compared.
var noon = time.Date(2026, time.November, 22, 13, 19, 41, 0, time.FixedZone("", -5*3600))

const stampText = "22/Nov/2026:13:19:41 -0500"

// pair is a logger with readable streams.
type pair struct {
	*Logger
	out, err syncBuffer
}

func newPair(t testing.TB, level Level) *pair {
	p := &pair{}
	p.Logger = New(Options{Out: &p.out, Err: &p.err, Level: level, Now: func() time.Time { return noon }})
	t.Cleanup(p.Close)
	return p
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func tcp(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 40000} }

func TestAccessLine(t *testing.T) {
	f := func(name string, a Access, want string) {
		t.Helper()
		l := newPair(t, Info)
		l.Access(&a)
		l.Flush()
		if got := l.out.String(); got != want+"\n" {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want+"\n")
		}
	}
	get := func(change func(*Access)) Access {
		a := Access{Remote: tcp("127.0.0.1"), Role: []byte("web_anon"), Method: []byte("GET"), Target: []byte("/genre?limit=1"),
			Status: 200, Length: 56, UserAgent: []byte("curl/8.7.1")}
		change(&a)
		return a
	}
	f("plain", get(func(*Access) {}),
		`127.0.0.1 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "curl/8.7.1"`)
	f("no role", get(func(a *Access) { a.Role = nil; a.Status = 401 }),
		`127.0.0.1 - - [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 401 56 "" "curl/8.7.1"`)
	f("no length", get(func(a *Access) { a.Length = -1 }),
		`127.0.0.1 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 - "" "curl/8.7.1"`)
	f("empty body", get(func(a *Access) { a.Length = 0 }),
		`127.0.0.1 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 0 "" "curl/8.7.1"`)
	f("old protocol, referer", get(func(a *Access) { a.HTTP10 = true; a.Referer = []byte("https://a.example/") }),
		`127.0.0.1 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.0" 200 56 "https://a.example/" "curl/8.7.1"`)
	f("unix socket", get(func(a *Access) { a.Remote = &net.UnixAddr{Name: "/tmp/x", Net: "unix"} }),
		`- - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "curl/8.7.1"`)
	f("no address", get(func(a *Access) { a.Remote = nil }),
		`- - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "curl/8.7.1"`)
	f("IPv6 loopback", get(func(a *Access) { a.Remote = tcp("::1") }),
		`::1 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "curl/8.7.1"`)
	f("IPv6", get(func(a *Access) { a.Remote = tcp("2001:db8::ff00:42:8329") }),
		`2001:db8:0:0:0:ff00:42:8329 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "curl/8.7.1"`)
	f("IPv4 in IPv6", get(func(a *Access) { a.Remote = tcp("::ffff:10.1.2.255") }),
		`10.1.2.255 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "curl/8.7.1"`)
	f("hostile bytes", get(func(a *Access) { a.UserAgent = []byte("a\x1b[2J\r\n\"b\" \xff é\x7f") }),
		`127.0.0.1 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "a\x1b[2J\x0d\x0a\"b\" \xff é\u007f"`)
	f("fields that end", get(func(a *Access) {
		a.Role, a.Method, a.Target = []byte(`a [b] "c"`), []byte(`G"T`), []byte(`/\" HTTP/1.1" 200 5 "`)
		a.Referer = []byte(`x" "curl`)
	}), `127.0.0.1 - a\x20[b]\x20\"c\" [`+stampText+`] "G\"T /\\\" HTTP/1.1\" 200 5 \" HTTP/1.1" 200 56 "x\" \"curl" "curl/8.7.1"`)
	f("text that turns and ends lines", get(func(a *Access) { a.UserAgent = []byte("a\u202eb\u2028c\u0085d\u2066é日\U0001f3ac\U000e0041\x9b") }),
		`127.0.0.1 - web_anon [`+stampText+`] "GET /genre?limit=1 HTTP/1.1" 200 56 "" "a\u202eb\u2028c\u0085d\u2066é日🎬\udb40\udc41\x9b"`)
}

func TestAccessLevels(t *testing.T) {
	statuses := []int{200, 302, 400, 404, 499, 500, 503}
	f := func(level Level, want int) {
		t.Helper()
		l := newPair(t, level)
		for _, s := range statuses {
			l.Access(&Access{Status: s})
			l.Query(nil, s, "SELECT 1")
		}
		l.Flush()
		if got := strings.Count(l.out.String(), "\n"); got != want {
			t.Errorf("level %d: %d access lines, want %d", level, got, want)
		}
		if got := strings.Count(l.err.String(), "\n"); got != want {
			t.Errorf("level %d: %d statements, want %d", level, got, want)
		}
	}
	f(Crit, 0)
	f(Error, 2)
	f(Warn, 5)
	f(Info, 7)
	f(Debug, 7)
	f(Level(200), 0)
}

func TestSetLevel(t *testing.T) {
	l := newPair(t, Crit)
	l.Access(&Access{Status: 500})
	l.SetLevel(Error)
	l.Access(&Access{Status: 500})
	l.Flush()
	if got := strings.Count(l.out.String(), "\n"); got != 1 {
		t.Errorf("%d lines, want 1", got)
	}
}

// TestWords compares every diagnostic with PostgREST's wording.
func TestWords(t *testing.T) {
	const problem = `{"code":"PGRST000","details":null,"hint":null,"message":"x"}`
	f := func(log func(*Logger), want ...string) {
		t.Helper()
		l := newPair(t, Debug)
		log(l.Logger)
		l.Flush()
		var all string
		for _, w := range want {
			all += stampText + ": " + w + "\n"
		}
		if got := l.err.String(); got != all {
			t.Errorf("got %q\nwant %q", got, all)
		}
		if l.out.String() != "" {
			t.Errorf("standard output got %q", l.out.String())
		}
	}
	f(func(l *Logger) { l.Starting("1.2") }, "Starting fastgrest 1.2...")
	f(func(l *Logger) { l.Listening("127.0.0.1:3000") }, "API server listening on 127.0.0.1:3000")
	f(func(l *Logger) { l.AdminListening("[::1]:3001") }, "Admin server listening on [::1]:3001")
	f(func(l *Logger) { l.AdminPage("[::1]:3001") }, "Admin page at http://[::1]:3001/ui")
	f(func(l *Logger) { l.AdminCrashed(errors.New("bind:\n\tin use")) }, "Admin server crashed unexpectedly: bind: in use")
	f(func(l *Logger) { l.Ending(errors.New("port 1 is taken")) }, "port 1 is taken")
	f(func(l *Logger) { l.Terminating("SIGTERM") }, "Received termination unix signal SIGTERM")

	f(func(l *Logger) { l.ConfigReloaded() }, "Config reloaded")
	f(func(l *Logger) { l.ConfigInvalid(errors.New("bad port")) }, "Failed reloading config: bad port")
	f(func(l *Logger) { l.ConfigReadFailed(problem) }, "Failed to query database settings for the config parameters."+problem)
	f(func(l *Logger) { l.RoleSettingsFailed(problem) }, "Failed to query the role settings. "+problem)
	f(func(l *Logger) { l.DeprecatedRolePath(".a.b") },
		"WARNING: The config `jwt-role-claim-key=.a.b` is using the deprecated JSPath syntax.",
		"Update `jwt-role-claim-key=.a.b` to the new JSONPath syntax as support for JSPath will be removed in a future release. "+
			"See the migration guide on how to update: https://github.com/PostgREST/postgrest/blob/main/CHANGELOG.md#migration-to-v16")

	f(func(l *Logger) { l.Connected("PostgreSQL 15.8") }, "Successfully connected to PostgreSQL 15.8")
	f(func(l *Logger) { l.VersionFailed(problem) }, "Failed to query the PostgreSQL version. "+problem)
	f(func(l *Logger) { l.UnsupportedVersion("12.1", "14.0") }, "Cannot run in this PostgreSQL version (12.1), fastgrest needs at least 14.0")
	f(func(l *Logger) { l.Reconnecting(32 * time.Second) }, "Attempting to reconnect to the database in 32 seconds...")
	f(func(l *Logger) { l.NoRecovery() }, "Automatic recovery disabled, exiting.")
	f(func(l *Logger) { l.FatalError(FatalAuth, problem) }, "Failed to establish a connection. "+problem)
	f(func(l *Logger) { l.FatalError(FatalBug, problem) },
		"This is probably a bug in fastgrest, please report it at https://github.com/fastgrest/fastgrest/issues. "+problem)
	f(func(l *Logger) { l.FatalError(FatalTransactionPooler, problem) },
		"If you are using connection poolers in transaction mode, try setting db-prepared-statements to false. "+problem)
	f(func(l *Logger) { l.FatalError(FatalStatementPooler, problem) }, "Connection poolers in statement mode are not supported."+problem)
	f(func(l *Logger) { l.QueryFailed([]byte("7"), problem) }, problem)
	f(func(l *Logger) { l.Query(nil, 200, "SELECT\n 1\x1b", "SELECT 2") }, "SELECT  1\\x1b", "SELECT 2")

	f(func(l *Logger) { l.SchemaCacheQueried(3840*time.Microsecond, nil) }, "Schema cache queried in 3.8 milliseconds ")
	f(func(l *Logger) {
		l.SchemaCacheQueried(1500*time.Millisecond, []Timing{{"tables", 2 * time.Millisecond}, {"keydeps", 150 * time.Microsecond}})
	}, "Schema cache queried in 1500.0 milliseconds ", "tables: 2.0 ms, keydeps: 0.1 ms")
	f(func(l *Logger) { l.SchemaCacheLoaded(60*time.Microsecond, "15 Relations, 8 Relationships") },
		"Schema cache loaded 15 Relations, 8 Relationships", "Schema cache loaded in 0.1 milliseconds")
	f(func(l *Logger) { l.SchemaCacheFailed([]string{"a", "b"}, []string{"public"}, problem) },
		"Failed to load the schema cache using db-schemas=a,b and db-extra-search-path=public. "+problem)
	f(func(l *Logger) { l.SchemaCacheEmpty([]byte("7"), problem) }, problem)
	f(func(l *Logger) {
		l.LegacyTargetNames([][2]string{{"movie", "films"}, {"genre", "kind"}}, "GET", "/a?select=films:movie(id)")
	}, "WARNING: "+LegacyTargetNamesText,
		"Update filters, orders or limits that use `movie` to `films`, `genre` to `kind` in `GET /a?select=films:movie(id)`")

	f(func(l *Logger) { l.ListenerStarted("PostgreSQL 15.8", "db", "5432", "pgrst") },
		`Listener connected to PostgreSQL 15.8 on "db:5432" and listening for database notifications on the "pgrst" channel`)
	f(func(l *Logger) { l.ListenerStarted("PostgreSQL 15.8", "/run/pg", "", "pgrst") },
		`Listener connected to PostgreSQL 15.8 on "/run/pg" and listening for database notifications on the "pgrst" channel`)
	f(func(l *Logger) { l.ListenerFailed("pgrst", errors.New("connection refused\n\tis it running?\n")) },
		`Failed listening for database notifications on the "pgrst" channel. connection refused is it running?`)
	f(func(l *Logger) { l.ListenerRetrying(time.Second) }, "Retrying listening for database notifications in 1 seconds...")
	f(func(l *Logger) { l.ListenerQueueFix() },
		"This is likely a PostgreSQL bug in the notification queue, executing the following to try to solve it: SELECT pg_notification_queue_usage();")
	f(func(l *Logger) { l.ListenerSchemaReload("pgrst") }, `Received a schema cache reload message on the "pgrst" channel`)
	f(func(l *Logger) { l.ListenerConfigReload("pgrst") }, `Received a config reload message on the "pgrst" channel`)

	f(func(l *Logger) { l.PoolInit(10) }, "Connection Pool initialized with a maximum size of 10 connections")
	f(func(l *Logger) { l.PoolTimeout(problem) }, problem)
	f(func(l *Logger) { l.PoolConn("7", ConnUsed) }, "Connection 7 is used")
	f(func(l *Logger) { l.PoolConn("7", ConnAged) }, "Connection 7 is terminated due to max lifetime")
	f(func(l *Logger) { l.PoolRequest(); l.PoolBorrowed() }, "Trying to borrow a connection from pool", "Borrowed a connection from the pool")
	f(func(l *Logger) { l.PoolFlushed() }, "Database connection pool flushed")
	f(func(l *Logger) { l.TokenLookup() }, "Looked up a JWT in JWT cache")
	f(func(l *Logger) { l.TokenEvicted() }, "Evicted entry from JWT cache")
	f(func(l *Logger) { l.Printf("error %d\nat %q", 1, "\x1b") }, `HTTP server: error 1 at "\x1b"`)
}

// TestQuiet lists the events that a level suppresses. All others are always
// logged.
func TestQuiet(t *testing.T) {
	f := func(name string, lowest Level, log func(*Logger)) {
		t.Helper()
		for level := Crit; level <= Debug; level++ {
			l := newPair(t, level)
			log(l.Logger)
			l.Flush()
			if got, want := l.err.String() != "", level >= lowest; got != want {
				t.Errorf("%s at level %d: logged %t, want %t", name, level, got, want)
			}
		}
	}
	f("starting", Crit, func(l *Logger) { l.Starting("") })
	f("reloaded", Crit, func(l *Logger) { l.ConfigReloaded() })
	f("query failed", Error, func(l *Logger) { l.QueryFailed(nil, "") })
	f("cache empty", Error, func(l *Logger) { l.SchemaCacheEmpty(nil, "") })
	f("pool timeout", Error, func(l *Logger) { l.PoolTimeout("") })
	f("pool connection", Debug, func(l *Logger) { l.PoolConn("", ConnUsed) })
	f("pool request", Debug, func(l *Logger) { l.PoolRequest() })
	f("pool flushed", Debug, func(l *Logger) { l.PoolFlushed() })
	f("token lookup", Debug, func(l *Logger) { l.TokenLookup() })
	f("token evicted", Debug, func(l *Logger) { l.TokenEvicted() })
	f("http", Debug, func(l *Logger) { l.Printf("x") })
	f("timings", Crit, func(l *Logger) { l.SchemaCacheQueried(0, []Timing{{Name: "a"}}) })
	l := newPair(t, Info)
	l.SchemaCacheQueried(0, []Timing{{Name: "a"}})
	if got := strings.Count(l.err.String(), "\n"); got != 1 {
		t.Errorf("timings at info: %d lines, want 1", got)
	}
}

func TestClockFollowsTheSecond(t *testing.T) {
	var c clock
	for _, at := range []time.Time{noon, noon.Add(999 * time.Millisecond), noon.Add(time.Second), noon} {
		if got, want := string(c.append(nil, at)), at.Format(timeLayout); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestDebounce runs in a synctest bubble, so its pauses take no time.
func TestDebounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d debouncer
		var calls atomic.Int64
		f := func() { calls.Add(1) }
		after := func(pause time.Duration, want int64) {
			t.Helper()
			time.Sleep(pause)
			synctest.Wait()
			if got := calls.Load(); got != want {
				t.Errorf("%d calls, want %d", got, want)
			}
		}
		for range 10 {
			d.do(50*time.Millisecond, f)
		}
		after(0, 1)
		after(49*time.Millisecond, 1)
		after(time.Millisecond, 2) // the rest of the burst
		d.do(time.Hour, f)
		after(49*time.Millisecond, 2)
		after(time.Millisecond, 3)
		d.do(time.Hour, f)
		d.stop()
		d.do(0, f)
		after(2*time.Hour, 3)
	})
}

func FuzzAccessIsOneLine(f *testing.F) {
	f.Add([]byte("GET"), []byte("/genre"), []byte("anon"), []byte("curl"))
	f.Add([]byte("G\nT"), []byte("/\r\n\x00"), []byte("\x7f"), []byte(`"`))
	l := newPair(f, Info)
	f.Fuzz(func(t *testing.T, method, target, role, agent []byte) {
		l.out.b.Reset()
		l.Access(&Access{Status: 200, Method: method, Target: target, Role: role, Referer: agent, UserAgent: agent})
		l.Flush()
		for i, c := range l.out.b.Bytes() {
			last := i == l.out.b.Len()-1
			if (c < 0x20 || c == 0x7f) != last {
				t.Fatalf("byte %d of %q", i, l.out.String())
			}
		}
	})
}

// TestVisible checks that foreign text cannot end a line or change its
// direction, in either format.
func TestVisible(t *testing.T) {
	const evil = "a\nb\x1b[2J\u2028c\u202ed\x7f`\x9b"
	for _, asJSON := range []bool{false, true} {
		l := newPair(t, Debug)
		l.SetJSON(asJSON)
		l.Query(nil, 200, "SELECT 1 AS \""+evil+"\"")
		l.LegacyTargetNames([][2]string{{evil, evil}}, "GET", "/"+evil)
		l.QueryFailed([]byte(evil), `{"message":"x`+"\u2028\u202e\x7f"+`"}`)
		l.ListenerFailed(evil, errors.New(evil))
		l.ConfigInvalid(errors.New(evil))
		l.ConfigWarning(evil)
		l.Access(&Access{Status: 200, Method: []byte("GET"), Target: []byte("/" + evil), UserAgent: []byte(evil), Role: []byte(evil), ID: []byte(evil)})
		l.Flush()
		all := l.err.String() + l.out.String()
		if n := strings.Count(all, "\n"); n != 8 {
			t.Errorf("json %t: %d lines, want 8", asJSON, n)
		}
		for _, r := range strings.ReplaceAll(all, "\n", "") {
			if !unicode.IsPrint(r) || r == utf8.RuneError && !asJSON {
				t.Errorf("json %t: %U in the log", asJSON, r)
			}
		}
		for _, line := range strings.Split(strings.TrimSpace(all), "\n") {
			if asJSON && !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		}
	}
}
