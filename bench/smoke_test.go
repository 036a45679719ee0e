package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRun is a whole run, as short as one can be: servers, peers, floors, results.
func TestRun(t *testing.T) {
	server, err := ourselves("", "server")
	if err != nil {
		t.Fatal(err)
	}
	peer, err := parsePeer(classicName)
	if err != nil {
		t.Fatal(err)
	}
	p := plan{server: server.args[0], env: server.env, peers: []program{peer}, mixes: []string{"row", "insert", "call-get"},
		connections: 4, pool: 2, seconds: 0.2, rounds: 1, others: 100, out: t.TempDir()}
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
		if slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "something else") }) {
			t.Errorf("%s: the baseline answers with something else: %q", s.Mix, s.Notes)
		}
		if !slices.ContainsFunc(s.Bars, func(v verdict) bool { return v.Against == classicName }) {
			t.Errorf("%s: no bar against the baseline: %+v", s.Mix, s.Bars)
		}
	}
	if !strings.Contains(out.String(), "times classic: total CPU") {
		t.Errorf("the table has no comparison:\n%s", out.String())
	}
}
