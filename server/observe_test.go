package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
)

// logLine is a line of the JSON format, of any kind.
type logLine struct {
	Time, Level, Message, SQL string
	Error                     map[string]any

	RequestID string `json:"request_id"`
	Client    *string
	Role      *string
	Method    string
	Route     string
	Target    string
	Status    int
	Code      *string
	Bytes     *int64
	TotalMs   *float64 `json:"total_ms"`
	DBMs      *float64 `json:"database_ms"`
	WaitMs    *float64 `json:"pool_wait_ms"`
	UserAgent *string  `json:"user_agent"`
}

func parseLines(t *testing.T, w *pgtest.Transcript) (list []logLine) {
	t.Helper()
	for _, text := range w.Lines() {
		var l logLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Errorf("%v: %q", err, text)
		}
		if _, err := time.Parse(time.RFC3339, l.Time); err != nil {
			t.Errorf("%v: %q", err, text)
		}
		list = append(list, l)
	}
	return list
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestLogJSON: everything the process says is JSON, and what belongs to a request has its id.
func TestLogJSON(t *testing.T) {
	r := watch(t, map[string]string{"log-format": "json", "log-level": "debug", "log-query": "true", "server-trace-header": "X-Request-Id"})
	name, token := as(t, "test_user")
	ask(t, r.API, "GET", "/film?id=eq.1", name, token, "X-Request-Id", "trace \"1\"}\\")
	ask(t, r.API, "GET", "/nowhere/%0A%22%1b?x=\"}")
	ask(t, r.API, "GET", "/rpc/too_slow", "X-Request-Id", strings.Repeat("x", 5000))
	ask(t, r.API, "HEAD", "/film")
	ask(t, r.API, "GET", "/film?offset=9", "Prefer", "count=exact")
	ask(t, r.API, "OPTIONS", "/film")
	ask(t, r.API, "GET", "/film", name, expired(t))
	r.Stop(nil)

	access := parseLines(t, &r.Out)
	want := []logLine{
		{Level: "info", Method: "GET", Route: "/film", Target: "/film?id=eq.1", Status: 200, RequestID: "trace \"1\"}\\", Role: ptr("test_user")},
		{Level: "warn", Method: "GET", Route: "unknown", Target: "/nowhere/%0A%22%1b?x=\"}", Status: 404, Code: ptr("PGRST125"), Role: ptr("test_anon")},
		{Level: "error", Method: "GET", Route: "/rpc/too_slow", Target: "/rpc/too_slow", Status: 500, Code: ptr("57014"), RequestID: strings.Repeat("x", 128), Role: ptr("test_anon")},
		{Level: "info", Method: "HEAD", Route: "/film", Target: "/film", Status: 200, Role: ptr("test_anon")},
		{Level: "warn", Method: "GET", Route: "/film", Target: "/film?offset=9", Status: 416, Code: ptr("PGRST103"), Role: ptr("test_anon")},
		{Level: "info", Method: "OPTIONS", Route: "/film", Target: "/film", Status: 200, Role: ptr("test_anon")},
		{Level: "warn", Method: "GET", Route: "/film", Target: "/film", Status: 401, Code: ptr("PGRST303")},
	}
	if len(access) != len(want) {
		t.Fatalf("%d requests, want %d:\n%s", len(access), len(want), r.Out.String())
	}
	ids := map[string]bool{}
	for i, got := range access {
		w := want[i]
		if got.Level != w.Level || got.Method != w.Method || got.Route != w.Route || got.Target != w.Target || got.Status != w.Status ||
			text(got.Code) != text(w.Code) || text(got.Role) != text(w.Role) || w.RequestID != "" && got.RequestID != w.RequestID ||
			got.Client != nil || text(got.UserAgent) != "watcher" {
			t.Errorf("request %d is\n%s", i, r.Out.Lines()[i])
		}
		if ids[got.RequestID] || w.RequestID == "" && !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]+$`).MatchString(got.RequestID) {
			t.Errorf("request %d is called %q", i, got.RequestID)
		}
		ids[got.RequestID] = true
		used := map[int]bool{0: true, 2: true, 3: true, 4: true}[i]
		switch {
		case got.TotalMs == nil || *got.TotalMs <= 0:
			t.Errorf("request %d took no time", i)
		case used != (got.DBMs != nil) || used != (got.WaitMs != nil):
			t.Errorf("request %d: in the database %v, waited %v", i, got.DBMs, got.WaitMs)
		case used && (*got.DBMs <= 0 || *got.DBMs > *got.TotalMs || *got.WaitMs < 0):
			t.Errorf("request %d: %g ms in the database of %g, waited %g", i, *got.DBMs, *got.TotalMs, *got.WaitMs)
		}
		if none := got.Method == "HEAD"; none != (got.Bytes == nil) {
			t.Errorf("request %d: bytes %v", i, got.Bytes)
		}
	}

	said, failures, statements := map[string]string{}, 0, map[string]int{}
	for _, l := range parseLines(t, &r.Log) {
		said[l.Message] = l.Level
		if l.SQL != "" {
			statements[l.RequestID]++
		}
		if l.Error["code"] == "57014" {
			failures++
			if l.RequestID != want[2].RequestID || l.Level != "error" {
				t.Errorf("the failure of a request: %+v", l)
			}
		}
	}
	if failures != 1 || statements[want[0].RequestID] < 2 || statements[want[2].RequestID] < 2 || statements[access[1].RequestID] != 0 {
		t.Errorf("%d failures, statements %v:\n%s", failures, statements, r.Log.String())
	}
	for message, level := range map[string]string{
		"Starting fastgrest 1.2.3...": "info", "Connection Pool initialized with a maximum size of 10 connections": "info",
		"Looked up a JWT in JWT cache": "debug",
	} {
		if said[message] != level {
			t.Errorf("%q is said as %q", message, said[message])
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestLogJSONEnding: the last lines are JSON too, and appear once.
func TestLogJSONEnding(t *testing.T) {
	cluster := pgtest.Start(t)
	for format, logged := range map[string]bool{"text": false, "json": true} {
		var errs pgtest.Transcript
		err := server.Run(t.Context(), server.Options{Stderr: &errs, Source: config.LoadOptions{Flags: map[string]string{
			"db-uri": cluster.URI("no_such_database", pgtest.Superuser), "db-pool-automatic-recovery": "false", "db-channel-enabled": "false",
			"db-config": "false", "server-unix-socket": t.TempDir() + "/s", "log-format": format,
		}}})
		if err == nil || server.Logged(err) != logged || errors.Unwrap(err) == nil {
			t.Errorf("%s: %v, logged %t", format, err, server.Logged(err))
		}
		if !logged {
			continue
		}
		lines := parseLines(t, &errs)
		if last := lines[len(lines)-1]; last.Level != "crit" || last.Message == "" || !strings.Contains(err.Error(), last.Message) {
			t.Errorf("the last line is %+v, the error %v", last, err)
		}
	}
}

// figure is the value of a sample in Prometheus text, 0 if it is not there.
func figure(t *testing.T, exposition, sample string) float64 {
	t.Helper()
	_, rest, found := strings.Cut("\n"+exposition, "\n"+sample+" ")
	if !found {
		return 0
	}
	value, _, _ := strings.Cut(rest, "\n")
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		t.Errorf("%s: %v", sample, err)
	}
	return f
}

func TestMetricsOfRequests(t *testing.T) {
	t.Parallel()
	r := watch(t, map[string]string{"db-pool": "1"})
	name, token := as(t, "test_user")
	f := func(method, target string, status int, headers ...string) {
		t.Helper()
		if got, body := ask(t, r.API, method, target, headers...); got != status {
			t.Errorf("%s %s: %d %s, want %d", method, target, got, body, status)
		}
	}
	const reads = 5
	for range reads {
		f("GET", "/film", 200)
	}
	f("GET", "/film?nothing=eq.1", 400)
	f("GET", "/film", 401, name, expired(t))
	f("POST", "/film?columns=id,title", 400)
	f("OPTIONS", "/film", 200)
	f("GET", "/rpc/greet", 200, name, token)
	f("GET", "/rpc/too_slow", 500)
	f("GET", "/", 200)
	for _, target := range []string{"/no", "/nowhere", "/film/more", "/rpc/no", "/rpc/film", "/greet", "/%00", "/pg_class"} {
		f("GET", target, 404)
	}
	f("BREW", "/film", 405)
	_, all := ask(t, r.Admin, "GET", "/metrics")
	count := func(method, route, class string) float64 {
		return figure(t, all, `fastgrest_request_duration_seconds_count{class="`+class+`",method="`+method+`",route="`+route+`"}`)
	}
	for labels, want := range map[[3]string]float64{
		{"GET", "/film", "2xx"}: reads, {"GET", "/film", "4xx"}: 2, {"POST", "/film", "4xx"}: 1, {"OPTIONS", "/film", "2xx"}: 1,
		{"GET", "/rpc/greet", "2xx"}: 1, {"GET", "/rpc/too_slow", "5xx"}: 1, {"GET", "/", "2xx"}: 1,
		{"GET", "unknown", "4xx"}: 8, {"other", "/film", "4xx"}: 1,
	} {
		if got := count(labels[0], labels[1], labels[2]); got != want {
			t.Errorf("%v: %g, want %g", labels, got, want)
		}
	}
	routes := map[string]bool{}
	for _, m := range regexp.MustCompile(`route="([^"]*)"`).FindAllStringSubmatch(all, -1) {
		routes[m[1]] = true
	}
	if len(routes) != 5 {
		t.Errorf("routes %v", routes)
	}
	// Reads, the column that is not there, the body that is not JSON (for PostgreSQL to say), the two calls and the document.
	const asked = reads + 5
	for sample, want := range map[string]float64{
		"fastgrest_db_time_seconds_count":                  asked,
		"fastgrest_db_pool_wait_seconds_count":             asked,
		"fastgrest_db_pool_opened_total":                   2, // one before the catalog, one after it
		`fastgrest_requests_total{class="2xx"}`:            reads + 3,
		`fastgrest_requests_total{class="4xx"}`:            2 + 1 + 8 + 1,
		`fastgrest_requests_total{class="5xx"}`:            1,
		"fastgrest_plan_cache_hits_total":                  reads - 1,
		"fastgrest_response_spooled_bytes_total":           0,
		"pgrst_db_pool_max":                                1,
		`pgrst_schema_cache_loads_total{status="SUCCESS"}`: 1,
	} {
		if got := figure(t, all, sample); got != want {
			t.Errorf("%s is %g, want %g", sample, got, want)
		}
	}
	hits, misses := figure(t, all, "fastgrest_statement_cache_hits_total"), figure(t, all, "fastgrest_statement_cache_misses_total")
	if hits < 2*(reads-1) || misses < 2 || figure(t, all, "fastgrest_plan_cache_misses_total") < 3 {
		t.Errorf("%g statements were prepared, %g not, on one connection", hits, misses)
	}
	if sum, n := figure(t, all, "fastgrest_db_time_seconds_sum"), figure(t, all, "fastgrest_response_bytes_total"); sum <= 0 || n < reads*50 {
		t.Errorf("%g seconds in the database, %g bytes", sum, n)
	}
}

// TestMetricsOfFailure: a catalog that cannot be loaded is counted.
func TestMetricsOfFailure(t *testing.T) {
	r := launch(t, map[string]string{"db-extra-search-path": "nowhere"})
	r.Log.Await(t, "Failed to load the schema cache")
	if status, _ := ask(t, r.Admin, "GET", "/ready"); status != 503 {
		t.Errorf("/ready says %d", status)
	}
	_, all := ask(t, r.Admin, "GET", "/metrics")
	if figure(t, all, `pgrst_schema_cache_loads_total{status="FAIL"}`) < 1 {
		t.Errorf("not counted:\n%s", all)
	}
}

// TestServerTiming: successful responses have a header of five durations, on request.
func TestServerTiming(t *testing.T) {
	r := watch(t, map[string]string{"server-timing-enabled": "true"})
	for target, want := range map[string]bool{"/film": true, "/": true, "/rpc/greet": true, "/nowhere": false} {
		response, err := r.API.Get("http://api" + target)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		got := response.Header.Get("Server-Timing")
		if ok := regexp.MustCompile(`^jwt;dur=\d+\.\d, parse;dur=\d+\.\d, plan;dur=\d+\.\d, transaction;dur=\d+\.\d, response;dur=\d+\.\d$`).MatchString(got); ok != want || !want && got != "" {
			t.Errorf("%s: %q", target, got)
		}
	}
}

// TestServerTimingIsTrue: what a function sleeps is the transaction's, and all
// parts together are no more than the client waits.
func TestServerTimingIsTrue(t *testing.T) {
	const sleeps = 300.0
	r := watch(t, map[string]string{"server-timing-enabled": "true"})
	for _, request := range [][2]string{{"GET", "/rpc/sleeps"}, {"POST", "/rpc/sleeps"}, {"GET", "/rpc/sleeps"}, {"GET", "/film"}} {
		name, token := as(t, "test_user")
		req, err := http.NewRequest(request[0], "http://api"+request[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(name, token)
		began := time.Now()
		response, err := r.API.Do(req)
		took := float64(time.Since(began)) / float64(time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		parts, sum := map[string]float64{}, 0.0
		for _, m := range regexp.MustCompile(`(\w+);dur=([0-9.]+)`).FindAllStringSubmatch(response.Header.Get("Server-Timing"), -1) {
			if parts[m[1]], err = strconv.ParseFloat(m[2], 64); err != nil {
				t.Error(err)
			}
			sum += parts[m[1]]
		}
		const rounding = 0.05 * 5
		if len(parts) != 5 || sum > took+rounding {
			t.Errorf("%s: %v are %.1f ms of %.1f", request, parts, sum, took)
		}
		if request[1] == "/rpc/sleeps" && (parts["transaction"] < sleeps || sum-parts["transaction"] > took-sleeps+rounding) {
			t.Errorf("%s: %v, where the function sleeps for %v ms and all took %.1f", request, parts, sleeps, took)
		}
	}
}
