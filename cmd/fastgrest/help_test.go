package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestHelpFits: no line of the help is longer than a terminal of 80 columns, and
// no text needs another one to be understood.
func TestHelpFits(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, nil, &out, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	for _, text := range []string{"those files", "the same for", "$$"} {
		if strings.Contains(out.String(), text) {
			t.Errorf("the help says %q", text)
		}
	}
}
