package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/server/auth"
)

func TestMain(m *testing.M) {
	beChild() // servers under test are this program
	os.Exit(m.Run())
}

func TestMixes(t *testing.T) {
	list, err := mixes([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	files, err := mixFiles.ReadDir("mixes")
	if err != nil || len(files) != len(list) {
		t.Errorf("%d mixes in %d files, %v", len(list), len(files), err)
	}
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.about == "" || !strings.Contains(x.path+x.body, "{n}") || x.low < 1 || x.high <= x.low || !slices.Contains(marks, x.mark()) {
			t.Errorf("mix %s is incomplete: %+v", x.name, x)
		}
		if slices.Contains(x.floors, byJSON) && !strings.Contains(x.sql, "$1") {
			t.Errorf("mix %s has no rows to make JSON of", x.name)
		}
		if err := x.keyed(k); err != nil {
			t.Error(err)
		}
		words := []string{"", classicName, exclusiveName}
		for word, floor := range floorWords {
			if slices.Contains(x.floors, floor) {
				words = append(words, word)
			}
		}
		for _, a := range x.askers {
			words = append(words, a.name)
		}
		for _, b := range x.bars {
			if !slices.Contains(words, b.Base) {
				t.Errorf("mix %s has a bar against %q, which is not measured", x.name, b.Base)
			}
		}
	}
	if usual, err := mixes(nil); err != nil || len(usual) != len(usualMixes) {
		t.Errorf("the usual mixes: %d, %v", len(usual), err)
	}
	if _, err := mixes([]string{"none"}); err == nil {
		t.Error("read a mix that does not exist")
	}
	for _, text := range []string{"head /b", "header x", "times x", "times 0", "pieces -1", "floor no", "bar 2", "bar x same", "bar 1 same + x", "bar 1 same p99 + 1", "bar 1 same at x", "aside 1", "aside 0 /x", "idle x", "n 1-2"} {
		if _, err := parseMix("x", "mixes/x.txt", "get /a\n"+text); err == nil || !strings.Contains(err.Error(), "mixes/x.txt:2:") {
			t.Errorf("%s: got %v, want the line of the mistake", text, err)
		}
	}
	if _, err := parseMix("x", "mixes/x.txt", "# nothing"); err == nil {
		t.Error("read a mix without a request")
	}
	x, err := parseMix("x", "mixes/x.txt", "post /a\nbody {}\ntimes 3\nn 1..9")
	if err != nil || x.body != "[{},{},{}]" || len(x.headers) != 1 {
		t.Errorf("got %+v, %v", x, err)
	}
}

func TestKeys(t *testing.T) {
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	set, err := k.replace("{jwks}")
	if err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(auth.Options{Secret: []byte(set), RoleClaimKey: "$.role"})
	if err != nil {
		t.Fatalf("the server does not read %s: %v", set, err)
	}
	for _, alg := range []string{"HS256", "RS256", "ES256"} {
		token, err := k.replace("Bearer {" + alg + "}")
		if err != nil {
			t.Fatal(err)
		}
		if who, err := a.Identify([]byte(token), time.Now()); err != nil || who.Role != tokenRole {
			t.Errorf("%s: got %+v, %v", alg, who, err)
		}
	}
}

func TestIssuers(t *testing.T) {
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second mix has the same
		text, err := k.replace("{issuers}")
		if err != nil {
			t.Fatal(err)
		}
		issuers, err := auth.ParseIssuers([]byte(text))
		if err != nil {
			t.Fatalf("the server does not read %s: %v", text, err)
		}
		response, err := http.Get(issuers[0].KeySetURL)
		if err != nil {
			t.Fatal(err)
		}
		set, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		issuers[0].KeySetURL, issuers[0].KeySet = "", string(set)
		a, err := auth.New(auth.Options{Issuers: issuers, RoleClaimKey: "$.role"})
		if err != nil {
			t.Fatal(err)
		}
		token, err := k.replace("Bearer {issued}")
		if err != nil {
			t.Fatal(err)
		}
		if who, err := a.Identify([]byte(token), time.Now()); err != nil || who.Role != tokenRole {
			t.Errorf("got %+v, %v", who, err)
		}
	}
}

func TestBars(t *testing.T) {
	s := section{}
	for _, cpu := range []float64{100, 200, 300} {
		s.add(byServer+", a", string(byServer), figures{PerSecond: 200, P99: 6, ServerRSS: 7, ServerCPU: cpu / 2, DatabaseCPU: cpu / 2})
		s.add(byServer+", b", string(byServer), figures{PerSecond: 25, ServerCPU: cpu * 1.04})
		s.add(byJSON, "", figures{DatabaseCPU: cpu - 50})
		s.add("old, a", "old", figures{PerSecond: 100, P99: 2, ServerCPU: 2 * cpu})
		s.add("old, b", "old", figures{PerSecond: 100, ServerCPU: 4 * cpu})
	}
	f := func(text string, want ...string) {
		t.Helper()
		b, err := parseBar(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Bars = nil
		s.judge([]bar{b})
		var got []string
		for _, v := range s.Bars {
			got = append(got, v.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	f("1.05 a", "bar: fastgrest, b at most 1.05 times fastgrest, a: 1.04 times (1.04 to 1.04): met")
	f("1.03 a", "bar: fastgrest, b at most 1.03 times fastgrest, a: 1.04 times (1.04 to 1.04): MISSED")
	f("1 json_agg + 60", "bar: fastgrest, a at most PostgreSQL alone, json_agg and 60 µs: and 50 µs (50 to 50): met",
		"bar: fastgrest, b at most PostgreSQL alone, json_agg and 60 µs: and 58 µs (54 to 62): met")
	f("0.3 old", "bar: fastgrest, a at most 0.3 times old, a: 0.50 times (0.50 to 0.50): MISSED",
		"bar: fastgrest, b at most 0.3 times old, b: 0.26 times (0.26 to 0.26): met")
	f("0.5 old requests/s", "bar: fastgrest, a at least 0.5 times the requests/s of old, a: 2.00 times (2.00 to 2.00): met",
		"bar: fastgrest, b at least 0.5 times the requests/s of old, b: 0.25 times (0.25 to 0.25): MISSED")
	f("2 old p99", "bar: fastgrest, a at most 2 times the p99 of old, a: 3.00 times (3.00 to 3.00): MISSED")
	f("9 MB", "bar: fastgrest, a at most 9 server MB: 7.0 (7.0 to 7.0): met", "bar: fastgrest, b at most 9 server MB: 0.0 (0.0 to 0.0): met")
	f("0.3 old at 1ms")
	s.Delay = 1
	f("0.3 old")
	f("0.45 old at 1ms", "bar: fastgrest, a at most 0.45 times old, a: 0.50 times (0.50 to 0.50): MISSED",
		"bar: fastgrest, b at most 0.45 times old, b: 0.26 times (0.26 to 0.26): met")
	s.Rate = 5
	f("0.45 old at 1ms")
	s.Delay, s.Rate = 0, 0
	f("1 pgbench")
	f("1 nobody")
}

func TestParseStat(t *testing.T) {
	s, err := parseStat([]byte("7 (a (b) c) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 20 5 20 0 1 0 100 1 1 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (stat{parent: 3, own: 2 * time.Second, dead: 250 * time.Millisecond}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	for _, text := range []string{"", "7 (x", "7 (x) S 1 2", "7 (x) S a b c d e f g h i j k l m n o p"} {
		if _, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestParseBusy(t *testing.T) {
	got, err := parseBusy([]byte("cpu  100 10 50 9000 900 5 15 20 7 7\ncpu0 1 2 3\n"))
	if want := 2 * time.Second; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, text := range []string{"", "cpu 1 2 3", "cpu a b c d e f g h"} {
		if _, err := parseBusy([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// TestCPUOfEndedChildren runs a shell whose child uses CPU time and ends.
func TestCPUOfEndedChildren(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("CPU time is read from /proc, which this system does not have")
	}
	shell := exec.Command("sh", "-c", "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo done; cat")
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer shell.Wait()
	defer in.Close()
	if _, err := io.ReadFull(out, make([]byte, len("done\n"))); err != nil {
		t.Fatal(err)
	}
	used, err := cpu(shell.Process.Pid)
	if err != nil || used < 20*time.Millisecond {
		t.Errorf("got %s, %v, want the time of the child that has ended", used, err)
	}
	if whole, err := cpu(os.Getpid()); err != nil || whole < used {
		t.Errorf("got %s, %v, want at least the %s of the child's child", whole, err, used)
	}
	// The threads' own times exclude what their ended children used.
	if fine := threadTimes(shell.Process.Pid); fine <= 0 || fine >= used {
		t.Errorf("the shell's threads used %s of %s", fine, used)
	}
	if _, err := cpu(1 << 30); err == nil {
		t.Error("CPU time of a process that does not exist")
	}
	if held, err := memory(shell.Process.Pid); err != nil || held <= 0 {
		t.Errorf("memory: got %d, %v", held, err)
	}
}

const serverLog = `LOG:  database system is ready to accept connections
LOG:  execute <unnamed>: select set_config('role', $1, true),
	       set_config('request.path', $2, true)
DETAIL:  parameters: $1 = 'it''s', $2 = NULL
LOG:  statement: select pg_reload_conf()
LOG:  execute fg_2: select * from bench.item where id = $2 and name <> $1
DETAIL:  Parameters: $1 = 'a, $2 = b', $2 = '73127'
LOG:  execute fg_3: insert into bench.item select $1
DETAIL:  Parameters: $1 = '{"id": 73127, "also": 73127}'
LOG:  execute fg_4: commit
`

func TestParseLog(t *testing.T) {
	got := parseLog([]byte(serverLog), "73127")
	want := []statement{
		{sql: "select set_config('role', $1, true),\n         set_config('request.path', $2, true)", args: []argument{text("it's"), {}}},
		{sql: "select * from bench.item where id = $2 and name <> $1", args: []argument{text("a, $2 = b"), alone}},
		{sql: "insert into bench.item select $1", args: []argument{{parts: []string{`{"id": `, `, "also": `, `}`}}}},
		{sql: "commit"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if text := string(got[2].args[0].append(nil, 8)); text != `{"id": 8, "also": 8}` {
		t.Errorf("got %s", text)
	}
	if made := asJSON(got, &mix{sql: "select 1"}); len(made) != 4 || !strings.HasPrefix(made[2].sql, "select coalesce(json_agg") || made[3].sql != "commit" {
		t.Errorf("as JSON: %+v", made)
	}
	if whole := parseLog([]byte(serverLog), ""); whole[1].args[1].varies() {
		t.Error("a mark without a number to draw")
	}
}

func TestPgbenchScript(t *testing.T) {
	script, args := pgbenchScript(parseLog([]byte(serverLog), "73127"), &mix{low: 1, high: 9})
	want := `\set n random(1, 9)
\startpipeline
select set_config('role', :s0p1 , true), set_config('request.path', :s0p2 , true);
select * from bench.item where id = :n and name <> :s1p1;
insert into bench.item select :s2p1;
commit;
\endpipeline
`
	if script != want {
		t.Errorf("got\n%s\nwant\n%s", script, want)
	}
	slices.Sort(args)
	if got := strings.Join(args, "|"); got != "--define=s0p1=it's|--define=s0p2=|--define=s1p1=a, $2 = b|"+`--define=s2p1={"id": 1, "also": 1}` {
		t.Errorf("got %s", got)
	}
}

func TestReport(t *testing.T) {
	s := section{Mix: "row", About: "One <row>."}
	for _, f := range []figures{{ServerCPU: 30, DatabaseCPU: 30}, {ServerCPU: 10, DatabaseCPU: 50, PerSecond: 1234567}, {ServerCPU: 20, DatabaseCPU: 40}} {
		s.add(byServer, string(byServer), f)
		f.DatabaseCPU *= 2
		f.ServerCPU *= 2
		s.add("old", "old", f)
		s.add("elsewhere", "elsewhere", figures{PerSecond: 1})
	}
	s.add(byWire, "", figures{DatabaseCPU: 40})
	if got, _ := s.find(byServer); got.ServerCPU != 20 || got.DatabaseCPU != 40 || got.PerSecond != 0 {
		t.Errorf("median: %+v", got)
	}
	want := []string{
		"total CPU: 1.50 times PostgreSQL alone, same SQL",
		"fastgrest, times old: total CPU 0.50 (0.50 to 0.50), server CPU 0.50 (0.50 to 0.50), PostgreSQL CPU 0.50 (0.50 to 0.50), requests/s 1.00",
		"fastgrest, times elsewhere: requests/s 0.00 (0.00 to 1234567.00)",
	}
	if got := s.ratios(); !slices.Equal(got, want) {
		t.Errorf("ratios: got %q, want %q", got, want)
	}
	own := string(byServer)
	askers := section{Rows: []row{{Subject: byServer + ", a", Program: own, Median: figures{ServerCPU: 10, DatabaseCPU: 30}},
		{Subject: byServer + ", b", Program: own, Median: figures{ServerCPU: 15, DatabaseCPU: 35}}}}
	if got := strings.Join(askers.ratios(), "|"); got != "fastgrest, b: total CPU 1.25 times fastgrest, a, the server's own 1.50 times" {
		t.Errorf("ratios: %s", got)
	}
	r := report{Sections: []section{s}, Program: "a & b"}
	var table strings.Builder
	r.print(&table)
	if !strings.Contains(table.String(), "fastgrest") {
		t.Error(table.String())
	}
	if thousands(1234567) != "1,234,567" || thousands(12) != "12" {
		t.Error(thousands(1234567), thousands(12))
	}
}
