package spectest

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoadCases(t *testing.T) {
	f := func(text, problem string) {
		t.Helper()
		_, err := loadCases(fstest.MapFS{"cases/a/b.json": {Data: []byte(text)}}, "cases")
		if problem == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: got %v, want %s", text, err, problem)
		}
	}
	f(`[]`, "")
	f(`[{"name": "a/b: c", "request": {"method": "GET", "path": "/"}, "expect": {"status": 200}}]`, "")
	f(`[{"name": "x", "request": {}}, {"name": "x", "request": {}}]`, "is in cases/a/b.json too")
	f(`[{"request": {}}]`, "without a name")
	f(`[{"name": "x"}]`, "either a request or a command")
	f(`[{"name": "x", "command": {}}]`, `group "cli" is for commands`)
	f(`[{"name": "x", "request": {}, "reqest": 1}]`, "unknown field")
	f(`[{"name": "x", "request": {}, "before": {"sql": "drop"}}]`, "outside of a scenario")
	f(`{`, "unexpected EOF")
}

// TestCorpusFiles checks that every file can be read and that no group is
// missing.
func TestCorpusFiles(t *testing.T) {
	cases, err := loadCases(os.DirFS(corpusDir), "cases")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 3800 {
		t.Errorf("only %d cases", len(cases))
	}
	groups := map[string]bool{commandGroup: true}
	for _, c := range cases {
		if !groups[c.Group] {
			if _, err := loadGroup(os.DirFS(corpusDir), "groups", c.Group); err != nil {
				t.Error(err)
			}
			groups[c.Group] = true
		}
		for _, e := range c.Match {
			if e.Regex == "" {
				t.Errorf("%s: an empty expression matches anything", c.Name)
			}
		}
	}
}

func TestUnits(t *testing.T) {
	var cases []*Case
	add := func(n int, group, area, scenario string) {
		for range n {
			cases = append(cases, &Case{Group: group, Area: area, Scenario: scenario})
		}
	}
	add(large, "base", "read", "")
	add(2, "base", "embed", "")
	add(3, "jwks", "auth", "")
	add(1, "commit", "scenario", "one")
	add(4, "commit", "scenario", "two")
	add(1, "commit", "scenario", "one")
	var got []string
	total := 0
	for _, u := range units(cases) {
		name := u.name
		if u.scenario {
			name += "!"
		}
		got = append(got, name)
		total += len(u.cases)
	}
	if want := "base/read commit/two! jwks base/embed commit/one!"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if total != len(cases) {
		t.Errorf("%d of %d cases", total, len(cases))
	}
}

func TestGroup(t *testing.T) {
	load := func(text string) (*group, error) {
		return loadGroup(fstest.MapFS{"groups/x.conf": {Data: []byte(text)}}, "groups", "x")
	}
	g, err := load("a = 1\n#: env A=b=c\n#: sql select :db\n#: socket\n#: noadmin\n#: nouri\ndb-tx-end = \"rollback\"\n# : not ours\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(g.env) != 1 || g.env[0] != "A=b=c" || len(g.sql) != 1 || g.sql[0] != "select :db" || !g.socket || !g.noadmin || !g.nouri {
		t.Errorf("got %+v", g)
	}
	if g.leavesNothing() {
		t.Error("a group with SQL changes its database")
	}
	for text, want := range map[string]bool{
		"x = 1\ndb-tx-end = \"rollback\"\n":                false,
		"x = 1\ndb-tx-end = \"rollback\"\ny = 2\n":         true,
		"x = 1\ndb-tx-end = \"rollback-allow-override\"\n": false,
		"x = 1\n": false,
	} {
		if g, err := load(text); err != nil || g.leavesNothing() != want && want {
			t.Errorf("%q: %v, %v", text, g, err)
		}
	}
	for _, text := range []string{"#: nope", "#: env A"} {
		if _, err := load(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	if _, err := loadGroup(fstest.MapFS{}, "groups", "x"); err == nil {
		t.Error("no error for a missing file")
	}
}
