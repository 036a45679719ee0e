package check

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// mostShown is how many findings of one check the text has.
const mostShown = 20

// WriteText writes the report for people. Findings of one check are together, and the reason is written once.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for i := 0; i < len(r.Findings); {
		n := sameCheck(r.Findings[i:])
		writeGroup(&b, r.Findings[i:i+n])
		i += n
	}
	if !r.Database {
		b.WriteString("The database was not checked.\n")
	}
	b.WriteString(r.summary() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// sameCheck counts the findings at the beginning that belong to one check and level.
func sameCheck(list []Finding) int {
	n := 1
	for n < len(list) && list[n].Check == list[0].Check && list[n].Level == list[0].Level {
		n++
	}
	return n
}

func writeGroup(b *strings.Builder, group []Finding) {
	fmt.Fprintf(b, "%s %s\n  %s\n", strings.ToUpper(group[0].Level.String()), group[0].Check, group[0].Why)
	for i, f := range group {
		if i == mostShown {
			fmt.Fprintf(b, "\n  ... and %d more (--format json has all)\n", len(group)-i)
			break
		}
		fmt.Fprintf(b, "\n  %s\n", f.Found)
		for line := range strings.Lines(f.Do) {
			b.WriteString("      " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	b.WriteString("\n")
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	findings := r.Findings
	if findings == nil {
		findings = []Finding{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Findings []Finding `json:"findings"`
		Errors   int       `json:"errors"`
		Warnings int       `json:"warnings"`
		Advice   int       `json:"advice"`
		Database bool      `json:"database_checked"`
	}{findings, r.Count(Error), r.Count(Warning), r.Count(Advice), r.Database})
}
