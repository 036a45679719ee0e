package fuzzy

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestHints asks for the hints of the conformance corpus. testdata/hints.json
// has the names of its schema and the suggestions of PostgREST. The lists of
// related tables are in no particular order, so no word has two best matches
// in them.
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
		sets[name] = New(list)
	}
	for _, c := range data.Cases {
		want := "nothing"
		if c.Want != nil {
			want = *c.Want
		}
		got := "nothing"
		for _, m := range sets[c.List].All(c.Word, c.Min) {
			// A related table whose name equals the word is not suggested.
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
