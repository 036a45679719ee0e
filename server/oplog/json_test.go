package oplog

import (
	"encoding/json"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newJSON is newPair in the JSON format.
func newJSON(tb testing.TB) *pair {
	l := newPair(tb, Debug)
	l.SetJSON(true)
	return l
}

const jsonStart = `{"time":"2026-11-22T13:19:41.000-05:00","level":`

func TestAccessJSON(t *testing.T) {
	f := func(a *Access, want string) {
		t.Helper()
		l := newJSON(t)
		l.Access(a)
		l.Flush()
		if d := cmp.Diff(jsonStart+want+"}\n", l.out.String()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	f(&Access{
		Remote: tcp("127.0.0.1"), Role: []byte("anon"), Method: []byte("GET"), Target: []byte("/film?id=eq.1"), Status: 200, Length: 56,
		UserAgent: []byte("curl/8"), ID: []byte("a-1"), Route: "/film",
		Total: 1234567 * time.Nanosecond, UsedDatabase: true, Database: time.Second, Waited: 999 * time.Nanosecond,
	}, `"info","request_id":"a-1","client":"127.0.0.1","role":"anon","method":"GET","route":"/film","target":"/film?id=eq.1","status":200,"code":null,`+
		`"bytes":56,"truncated":false,"total_ms":1.234,"database_ms":1000.000,"pool_wait_ms":0.000,"referer":null,"user_agent":"curl/8"`)
	f(&Access{Status: 404, Length: -1, Code: "PGRST205", Route: "unknown", Total: -time.Second},
		`"warn","request_id":"","client":null,"role":null,"method":"","route":"unknown","target":"","status":404,"code":"PGRST205",`+
			`"bytes":null,"truncated":false,"total_ms":0.000,"database_ms":null,"pool_wait_ms":null,"referer":null,"user_agent":null`)
	f(&Access{Remote: &net.UnixAddr{}, Status: 503, Referer: []byte("\"\n\xff\x7f")},
		`"error","request_id":"","client":null,"role":null,"method":"","route":"","target":"","status":503,"code":null,`+
			`"bytes":0,"truncated":false,"total_ms":0.000,"database_ms":null,"pool_wait_ms":null,"referer":"\"\n`+"\ufffd"+`\u007f","user_agent":null`)
}

func TestWordsJSON(t *testing.T) {
	const problem = `{"code":"PGRST000","details":null,"hint":null,"message":"x"}`
	f := func(log func(*Logger), want ...string) {
		t.Helper()
		l := newJSON(t)
		log(l.Logger)
		l.Flush()
		var all string
		for _, w := range want {
			all += jsonStart + w + "}\n"
		}
		if d := cmp.Diff(all, l.err.String()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	f(func(l *Logger) { l.Starting("1.2") }, `"info","message":"Starting fastgrest 1.2..."`)
	f(func(l *Logger) { l.AdminCrashed(errors.New("bind:\n\t\"in use\"")) }, `"crit","message":"Admin server crashed unexpectedly: bind: \"in use\""`)
	f(func(l *Logger) { l.ConfigReadFailed(problem) }, `"error","message":"Failed to query database settings for the config parameters.","error":`+problem)
	f(func(l *Logger) { l.FatalError(FatalAuth, problem) }, `"crit","message":"Failed to establish a connection.","error":`+problem)
	f(func(l *Logger) { l.QueryFailed([]byte("a-1"), problem) }, `"error","error":`+problem+`,"request_id":"a-1"`)
	f(func(l *Logger) { l.PoolTimeout(problem) }, `"error","error":`+problem)
	f(func(l *Logger) { l.SchemaCacheQueried(time.Millisecond, nil) }, `"info","message":"Schema cache queried in 1.0 milliseconds"`)
	f(func(l *Logger) { l.Query([]byte("a-1"), 200, "SELECT\n 1", "SELECT '\"'") },
		`"info","status":200,"sql":"SELECT\n 1","request_id":"a-1"`, `"info","status":200,"sql":"SELECT '\"'","request_id":"a-1"`)
	f(func(l *Logger) { l.PoolConn("7", ConnUsed) }, `"debug","message":"Connection 7 is used"`)
	f(func(l *Logger) { l.DeprecatedRolePath(".a") },
		"\"warn\",\"message\":\"WARNING: The config `jwt-role-claim-key=.a` is using the deprecated JSPath syntax.\"",
		"\"warn\",\"message\":\"Update `jwt-role-claim-key=.a` to the new JSONPath syntax as support for JSPath will be removed in a future release. "+
			"See the migration guide on how to update: https://github.com/PostgREST/postgrest/blob/main/CHANGELOG.md#migration-to-v16\"")
}

// TestEveryWordIsJSON calls every method with texts that would break a line.
func TestEveryWordIsJSON(t *testing.T) {
	l := newJSON(t)
	called := callAll(t, l.Logger, "\"},{\"\n\r\x00\x1b\xff\\", `{"code":"x"}`)
	l.Flush()
	lines := strings.Split(strings.TrimSuffix(l.err.String(), "\n"), "\n")
	if called < 35 || len(lines) < called {
		t.Errorf("%d lines of %d methods", len(lines), called)
	}
	for _, line := range lines {
		var object struct {
			Time, Level, Message, SQL string
			Error                     map[string]any
		}
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Errorf("%v: %q", err, line)
		}
		if object.Message == "" && object.Error == nil && object.SQL == "" || object.Level == "" {
			t.Errorf("neither a message nor an error: %q", line)
		}
		if _, err := time.Parse(time.RFC3339, object.Time); err != nil {
			t.Errorf("%v: %q", err, line)
		}
	}
}

// callAll calls every method that logs a diagnostic once, with the text for
// each value and the error object for each problem. It returns their number.
func callAll(t *testing.T, l *Logger, text, problem string) (called int) {
	t.Helper()
	fill := map[reflect.Type]any{
		reflect.TypeFor[string](): text, reflect.TypeFor[[]string](): []string{text, text}, reflect.TypeFor[error](): errors.New(text),
		reflect.TypeFor[[]byte](): []byte(text), reflect.TypeFor[[]Timing](): []Timing{{Name: text}},
		reflect.TypeFor[[][2]string](): [][2]string{{text, text}}, reflect.TypeFor[int](): 500, reflect.TypeFor[[]any](): []any{},
		reflect.TypeFor[time.Duration](): time.Second, reflect.TypeFor[Fatal](): FatalBug, reflect.TypeFor[ConnState](): ConnUsed,
	}
	leave := []string{"Access", "Close", "Flush", "JSON", "Level", "LogsStatus", "SetJSON", "SetLevel"}
	// These methods take the text of an error object unchanged.
	problems := []string{"ConfigReadFailed", "RoleSettingsFailed", "VersionFailed", "FatalError", "QueryFailed", "SchemaCacheFailed", "SchemaCacheEmpty", "PoolTimeout", "PollFailed"}
	v := reflect.ValueOf(l)
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		if contains(leave, name) {
			continue
		}
		method := v.Method(i)
		var args []reflect.Value
		for p := range method.Type().NumIn() {
			in := method.Type().In(p)
			if method.Type().IsVariadic() && p == method.Type().NumIn()-1 {
				in = in.Elem()
			}
			value, ok := fill[in]
			if !ok && in.Kind() == reflect.Interface {
				value, ok = text, true
			}
			if !ok {
				t.Fatalf("%s takes a %s", name, in)
			}
			if in.Kind() == reflect.String && contains(problems, name) && p == lastText(method.Type()) {
				value = problem
			}
			args = append(args, reflect.ValueOf(value))
		}
		method.Call(args)
		called++
	}
	return called
}

func lastText(method reflect.Type) int {
	for p := method.NumIn() - 1; ; p-- {
		if method.In(p).Kind() == reflect.String {
			return p
		}
	}
}

func contains(list []string, name string) bool {
	for _, s := range list {
		if s == name {
			return true
		}
	}
	return false
}

// TestSetJSON checks that the format may change while lines wait in the buffer.
func TestSetJSON(t *testing.T) {
	l := newPair(t, Info)
	l.Access(&Access{Status: 200})
	l.SetJSON(true)
	l.Access(&Access{Status: 200})
	l.Flush()
	lines := strings.Split(l.out.String(), "\n")
	if !strings.HasPrefix(lines[0], "- - ") || !strings.HasPrefix(lines[1], "{") {
		t.Errorf("%q", lines)
	}
}

func FuzzAccessJSON(f *testing.F) {
	f.Add([]byte("GET"), []byte("/film"), []byte("anon"), []byte("curl"))
	f.Add([]byte("G\nT"), []byte("/\r\n\x00"), []byte("\x7f\xc3"), []byte("\",\"x\":\""))
	l := newJSON(f)
	f.Fuzz(func(t *testing.T, method, target, role, agent []byte) {
		l.out.b.Reset()
		l.Access(&Access{Status: 200, Method: method, Target: target, Role: role, Referer: agent, UserAgent: agent, ID: agent})
		l.Flush()
		line := l.out.String()
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("not one line: %q", line)
		}
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		if len(object) != 17 || object["target"] != string([]rune(string(target))) {
			t.Fatalf("%d members: %q", len(object), line)
		}
	})
}
