package parser

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Responses of PostgREST are recorded in testdata.

var modeNames = map[string]Mode{"relation": ModeRelation, "call": ModeCall, "call-read": ModeCallRead}

func readCases[T any](tb testing.TB, name string) (cases []T) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	if len(cases) == 0 {
		tb.Fatalf("%s holds no cases", name)
	}
	return cases
}

func TestRefused(t *testing.T) {
	type refused struct {
		Query, Mode, Message string
		Details              *string
	}
	var q Query
	for _, c := range readCases[refused](t, "refused.json") {
		var e *Error
		if err := q.Parse([]byte(c.Query), modeNames[c.Mode]); !errors.As(err, &e) {
			t.Errorf("%s: got error %v, want %s", c.Query, err, c.Message)
			continue
		}
		if e.Message != c.Message {
			t.Errorf("%s: got message\n %s, want\n %s", c.Query, e.Message, c.Message)
		}
		if c.Details != nil && e.Details != *c.Details {
			t.Errorf("%s: got details\n %s, want\n %s", c.Query, e.Details, *c.Details)
		}
	}
}

func TestAccepted(t *testing.T) {
	type accepted struct{ Query, Mode string }
	var q Query
	for _, c := range readCases[accepted](t, "accepted.json") {
		if err := q.Parse([]byte(c.Query), modeNames[c.Mode]); err != nil {
			t.Errorf("%s: %v", c.Query, err)
		}
	}
}

func TestCanonical(t *testing.T) {
	type canonical struct{ Query, Canonical string }
	var q Query
	for _, c := range readCases[canonical](t, "canonical.json") {
		if err := q.Parse([]byte(c.Query), ModeRelation); err != nil {
			q.Parse([]byte(c.Query), ModeCallRead)
		}
		if got := string(q.AppendCanonical(nil)); got != c.Canonical {
			t.Errorf("%s: got\n %s, want\n %s", c.Query, got, c.Canonical)
		}
	}
}
