package main

import (
	"strings"
	"testing"
	"time"
)

// TestShop checks the shares of the web shop: four fifths of the requests browse, two thirds have a token.
func TestShop(t *testing.T) {
	list, err := mixes([]string{"mixed"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	x := list[0]
	if err := x.keyed(k); err != nil {
		t.Fatal(err)
	}
	reads, tokens := 0, 0
	for _, kind := range x.kinds {
		if kind.method == "GET" {
			reads += kind.percent
		}
		if strings.Contains(strings.Join(kind.headers, ""), "{token}") {
			tokens += kind.percent
		}
	}
	if reads != 80 || tokens != 67 {
		t.Errorf("%d %% reads and %d %% with tokens", reads, tokens)
	}
	target := x.target("127.0.0.1:80", x.askers[0], k)
	if len(target.Kinds()) != len(x.kinds) || len(target.Tokens.List) != 1000 {
		t.Errorf("%d kinds, %d tokens", len(target.Kinds()), len(target.Tokens.List))
	}
}

func TestKindWords(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		_, err := parseMix("x", "x.txt", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("x.txt:2: ", "floor none\nkind a")
	f("x.txt:1: 0 is not from 1", "kind a 0")
	f("kind a: no request", "floor none\nkind a 100")
	f("the kinds are 90 percent", "floor none\nkind a 90\nget /a")
	f("outside the kinds", "floor none\nget /b\nkind a 100\nget /a")
	f("has no floor", "kind a 100\nget /a")
	f("x.txt:1: ", "rates 200 x")
	x, err := parseMix("x", "x.txt", "floor none\nkind a 60\nget /a\nkind b 40\npost /b\nbody {}\nrates 5 6\nconnections 7\npool 8")
	if err != nil || x.path != "/a" || len(x.kinds) != 2 || x.kinds[1].body != "{}" || len(x.headers) != 0 || len(x.kinds[1].headers) != 1 ||
		len(x.rates) != 2 || x.connections[0] != 7 || x.pools[0] != 8 {
		t.Errorf("got %+v, %v", x, err)
	}
}

func TestMarkdown(t *testing.T) {
	r := report{Time: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Program: "fastgrest 1.0", Peers: []string{"postgrest: PostgREST 16.2"},
		PostgresVersion: "15.18", CPUs: 2, Rounds: 2, Seconds: 4, Command: "make bench PEER=postgrest"}
	s := section{Mix: "shop", Pool: 10, Connections: 64}
	for i := range 2 {
		f := figures{PerSecond: 1200, P50: 1, P99: 2, P999: 3, ServerCPU: 20, DatabaseCPU: 30, ServerRSS: 40,
			Kinds: []kindFigures{{"page", 800 + 2*float64(i), 0.5, 1.5, 2.5}}}
		s.add(byServer, string(byServer), f)
		f.Failed = 0.5
		s.add(postgrestName, postgrestName, f)
	}
	r.Sections = []section{s}
	with := s
	with.add(byWire, "", figures{DatabaseCPU: 9})
	got := (&report{Sections: []section{with}}).markdown()
	if strings.Contains(got, "alone") {
		t.Errorf("PostgreSQL alone in\n%s", got)
	}
	got = r.markdown()
	for _, want := range []string{
		"29 November 2026: fastgrest 1.0; postgrest: PostgREST 16.2. PostgreSQL 15.18, go",
		"Command: `make bench PEER=postgrest`\n",
		"| shop | 64 connections, pool 10 | fastgrest | 1,200 | 1.00, 2.00, 3.00 | 20 + 30 | 40 |\n| | page | fastgrest | 801 | 0.50, 1.50, 2.50 | | |\n",
		"| postgrest | 1,200, 0.5 % failed |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	var table strings.Builder
	r.print(&table)
	if !strings.Contains(table.String(), "page") {
		t.Errorf("no kinds in\n%s", table.String())
	}

	f := func(want string, args ...string) {
		t.Helper()
		if got := command(args); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f("make bench")
	f("make bench PEER=postgrest", "--peer", "postgrest")
	f(`make bench PEER=classic ARGS="--mix row --seconds 9"`, "--peer", "classic", "--mix", "row", "--seconds", "9")
	f(`make bench ARGS="--peer old=./old"`, "--peer", "old=./old")
}
