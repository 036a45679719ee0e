package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shortest returns a plan of a run with all features, each as short as
// possible.
func shortest(t *testing.T) plan {
	t.Helper()
	server, err := ourselves("", "server")
	if err != nil {
		t.Fatal(err)
	}
	return plan{server: server.args[0], env: server.env, connections: []int{4}, pools: []int{2}, delays: []time.Duration{0},
		seconds: 0.2, rounds: 1, others: 100, out: t.TempDir()}
}

func run(t *testing.T, p plan) (report, string) {
	t.Helper()
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := p.run(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	text, err := os.ReadFile(filepath.Join(p.out, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r, out.String()
}

// TestPeers checks that the baseline takes part where it can, and that a note
// says where it cannot.
func TestPeers(t *testing.T) {
	p := shortest(t)
	var err error
	if p.peers, err = p.parsePeers([]string{classicName}, ""); err != nil {
		t.Fatal(err)
	}
	p.mixes = []string{"embed", "insert", "call-get"}
	r, out := run(t, p)
	if len(r.Sections) != len(p.mixes) {
		t.Fatalf("%d sections of %d mixes", len(r.Sections), len(p.mixes))
	}
	for _, s := range r.Sections {
		left := s.Mix == "call-get"
		for _, who := range []subject{byServer, classicName, byWire} {
			if f, ok := s.find(who); ok != (who != classicName || !left) || ok && (f.Requests == 0 || f.PerSecond <= 0) {
				t.Errorf("%s, %s: %+v, %v", s.Mix, who, f, ok)
			}
		}
		if left != slices.ContainsFunc(s.Notes, func(n string) bool { return strings.HasPrefix(n, "classic is left out: load: HTTP/1.1 404") }) {
			t.Errorf("%s: notes %q", s.Mix, s.Notes)
		}
		if left {
			continue
		}
		if slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "responds with another body") }) {
			t.Errorf("%s: the baseline responds with another body: %q", s.Mix, s.Notes)
		}
		if !slices.ContainsFunc(s.Bars, func(v verdict) bool { return v.Against == classicName }) {
			t.Errorf("%s: no bar against the baseline: %+v", s.Mix, s.Bars)
		}
	}
	if !strings.Contains(out, "times classic: total CPU") {
		t.Errorf("the table has no comparison:\n%s", out)
	}
}

// TestSettings checks that every combination is measured, that a delay increases the latency, that a server by URL
// is measured, and that the setup of a user's mix is run.
func TestSettings(t *testing.T) {
	p := shortest(t)
	p.connections, p.rates, p.pools, p.delays = []int{1, 4}, []int{100}, []int{1, 2}, []time.Duration{0, 2 * time.Millisecond}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `[{"id":1}]`) }))
	defer elsewhere.Close()
	var err error
	if p.peers, err = p.parsePeers([]string{"elsewhere=" + elsewhere.URL + ",pid=" + strconv.Itoa(os.Getpid())}, ""); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mine.txt")
	if err := os.WriteFile(file, []byte("get /mine?id=eq.1\naside 10 /mine\nidle 50\nfloor same\nbar 9999 MB\nsetup create table bench.mine as select 1 as id; grant select on bench.mine to anon\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.mixes = []string{file}
	r, out := run(t, p)
	var got []string
	for _, s := range r.Sections {
		got = append(got, s.load())
		for _, who := range []subject{byServer, "elsewhere"} {
			if f, ok := s.find(who); !ok || f.Requests == 0 {
				t.Errorf("%s: %s: %+v", s.load(), who, f)
			}
		}
		if (len(s.Bars) == 1 && s.Bars[0].Met) != (s.Delay == 0 && s.Rate == 0) {
			t.Errorf("%s: bars %+v", s.load(), s.Bars)
		}
		if s.Notes != nil {
			t.Errorf("notes: %q", s.Notes)
		}
		f, _ := s.find(byServer)
		if s.Delay == 2 && f.P50 < 2 {
			t.Errorf("%s: the median latency is %g ms", s.load(), f.P50)
		}
		if s.Rate == 100 && (f.Requests > 20 || f.Failed != 0 || f.Max < f.P999 || f.P999 < f.P90) {
			t.Errorf("%s: %+v", s.load(), f)
		}
	}
	var want []string
	for _, delay := range []string{"", ", PostgreSQL 2 ms away"} {
		for _, pool := range []string{"pool 1", "pool 2"} {
			for _, load := range []string{"1 connections, ", "4 connections, ", "100 requests/s, "} {
				want = append(want, load+pool+delay)
			}
		}
	}
	for _, picture := range pictures {
		text, err := os.ReadFile(filepath.Join(p.out, picture.name))
		if err != nil {
			t.Fatal(err)
		}
		checkPicture(t, picture.name, string(text))
	}
	if !slices.Equal(got, want) {
		t.Errorf("sections %q, want %q\n%s", got, want, out)
	}
}

// TestPostgREST checks that a program called postgrest is measured by its path, and that the web shop and its kinds
// are served by both.
func TestPostgREST(t *testing.T) {
	p := shortest(t)
	link := filepath.Join(t.TempDir(), postgrestName)
	if err := os.Symlink(p.server, link); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.peers, err = p.parsePeers([]string{link}, ""); err != nil {
		t.Fatal(err)
	}
	p.rates = []int{100}
	p.given = func(string) bool { return true }
	p.mixes = []string{"arena", "mixed"}
	r, _ := run(t, p)
	if len(r.Sections) != 4 {
		t.Fatalf("%d sections", len(r.Sections))
	}
	for _, s := range r.Sections {
		if len(s.Rows) != 2 || len(s.Notes) != 0 && !strings.HasPrefix(s.Notes[0], "token cache") {
			t.Errorf("%s: %d rows, notes %q", s.Mix, len(s.Rows), s.Notes)
		}
		for _, row := range s.Rows {
			f := row.Median
			if f.Requests == 0 || f.Failed != 0 {
				t.Errorf("%s, %s: %+v", s.Mix, row.Subject, f)
			}
			if want := 7; s.Mix == "mixed" && len(f.Kinds) != want {
				t.Errorf("%s, %s: %d kinds, want %d", s.Mix, row.Subject, len(f.Kinds), want)
			}
		}
	}
	table, err := os.ReadFile(filepath.Join(p.out, "table.md"))
	if err != nil || !strings.Contains(string(table), "| mixed | 100 requests/s, pool 2 | postgrest |") {
		t.Errorf("%v\n%s", err, table)
	}
}
