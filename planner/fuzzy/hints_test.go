package fuzzy

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestHints asks for every hint of the conformance corpus: testdata/hints.json
// has the names of its schema and what PostgREST suggested. Tables related to a
// table come in no particular order there, so their words leave no ties.
func TestHints(t *testing.T) {
	text, err := os.ReadFile("testdata/hints.json")
	if err != nil {
		t.Fatal(err)
	}
	var data struct {
		Lists map[string][]string
		Cases []struct {
			List, Word string
			Min        float64
			Want       *string
		}
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	sets := map[string]*Set{}
	for name, list := range data.Lists {
		kind, schema, _ := strings.Cut(name, " ")
		switch kind {
		case "tables":
			sets[name] = NewTables(schema, list)
		case "routines":
			sets[name] = NewRoutines(schema, list)
		case "parents":
			sets[name] = NewParents(schema, list)
		default:
			sets[name] = New(list)
		}
	}
	for _, c := range data.Cases {
		want := "nothing"
		if c.Want != nil {
			want = *c.Want
		}
		got := "nothing"
		for _, m := range sets[c.List].All(c.Word, c.Min) {
			// Of related tables, a name that is there already is no hint.
			if m.Score < 1 || !strings.HasPrefix(c.List, "related ") {
				got = m.Name
				break
			}
		}
		if got != want {
			t.Errorf("%s, %q: suggests %s, want %s", c.List, c.Word, got, want)
		}
	}
	if len(data.Cases) < 150 {
		t.Errorf("only %d cases", len(data.Cases))
	}
}
