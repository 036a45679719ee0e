package main

import (
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMixes(t *testing.T) {
	list, err := mixes(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.about == "" || !strings.Contains(x.path, "{n}") || !strings.Contains(x.sql, "$1") || x.low < 1 || x.high <= x.low {
			t.Errorf("mix %s is not whole: %+v", x.name, x)
		}
		if strings.Contains(x.number(mark), "{n}") {
			t.Errorf("mix %s: %s", x.name, x.number(mark))
		}
	}
	if _, err := mixes([]string{"none"}); err == nil {
		t.Error("read a mix that does not exist")
	}
	if _, err := parseMix("x", "get /a\nput /b"); err == nil || !strings.Contains(err.Error(), "mixes/x.txt:2:") {
		t.Errorf("got %v, want the line of the mistake", err)
	}
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

// TestCPUOfEndedChildren lets a shell's child use CPU time and end.
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
LOG:  execute fg_3: commit
`

func TestParseLog(t *testing.T) {
	got := parseLog([]byte(serverLog))
	if len(got) != 3 {
		t.Fatalf("got %d statements: %+v", len(got), got)
	}
	first, second, third := got[0], got[1], got[2]
	if !strings.HasSuffix(first.sql, "set_config('request.path', $2, true)") || first.number != -1 ||
		len(first.args) != 2 || *first.args[0] != "it's" || first.args[1] != nil {
		t.Errorf("first: %+v", first)
	}
	if len(second.args) != 2 || *second.args[0] != "a, $2 = b" || second.number != 1 {
		t.Errorf("second: %+v", second)
	}
	if third.sql != "commit" || third.args != nil {
		t.Errorf("third: %+v", third)
	}
}

func TestPgbenchScript(t *testing.T) {
	script, args := pgbenchScript(parseLog([]byte(serverLog)), mix{low: 1, high: 9})
	want := `\set n random(1, 9)
\startpipeline
select set_config('role', :s0p1 , true), set_config('request.path', :s0p2 , true);
select * from bench.item where id = :n and name <> :s1p1;
commit;
\endpipeline
`
	if script != want {
		t.Errorf("got\n%s\nwant\n%s", script, want)
	}
	slices.Sort(args)
	if got := strings.Join(args, "|"); got != "--define=s0p1=it's|--define=s0p2=|--define=s1p1=a, $2 = b" {
		t.Errorf("got %s", got)
	}
}

func TestReport(t *testing.T) {
	s := section{Mix: "row", About: "One <row>."}
	for _, f := range []figures{{ServerCPU: 30, DatabaseCPU: 30}, {ServerCPU: 10, DatabaseCPU: 50, PerSecond: 1234567}, {ServerCPU: 20, DatabaseCPU: 40}} {
		s.add(byServer, f)
	}
	s.add(byWire, figures{DatabaseCPU: 40})
	if got, _ := s.find(byServer); got.ServerCPU != 20 || got.DatabaseCPU != 40 || got.PerSecond != 0 {
		t.Errorf("median: %+v", got)
	}
	if got := s.ratios(); got != "total CPU: 1.50 times PostgreSQL alone, same SQL" {
		t.Errorf("ratios: %s", got)
	}
	r := report{Sections: []section{s}, Program: "a & b"}
	var picture, table strings.Builder
	r.print(&table)
	if !strings.Contains(table.String(), "fastgrest") {
		t.Error(table.String())
	}
	if err := r.svg(&picture); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(picture.String())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v\n%s", err, picture.String())
		}
	}
	if thousands(1234567) != "1,234,567" || thousands(12) != "12" {
		t.Error(thousands(1234567), thousands(12))
	}
}
