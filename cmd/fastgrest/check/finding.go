package check

import (
	"fmt"
	"maps"
	"slices"
)

// codeChecks are the names of the checks that are neither a rule nor a settingRule.
var codeChecks = []string{
	"setting-invalid", "jwt-secret-invalid", "setting-ignored", "stored-settings-unreadable",
	"connection-failed", "version-old", "version-new", "tls-missing", "tls-unverified", "prepared-pooler", "notify-missing",
	"db-pre-request-missing", "db-pre-request-denied", "db-root-spec-missing", "db-root-spec-denied",
	"policy-per-row", "policy-public",
}

// Names returns the names of all checks, sorted. Findings and Options.Skip have no others.
func Names() []string {
	all := map[string]bool{}
	for _, name := range codeChecks {
		all[name] = true
	}
	for _, r := range settingRules {
		all[r.Check] = true
	}
	for _, r := range slices.Concat(groups...) {
		all[r.name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// Level is how much a finding matters.
type Level uint8

const (
	Error   Level = iota // requests fail, or clients can do more than intended
	Warning              // probably not what was meant
	Advice               // works, and can be better
)

var levelNames = [...]string{Error: "error", Warning: "warning", Advice: "advice"}

func (l Level) String() string { return levelNames[l] }

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one thing that a check has found.
type Finding struct {
	Level Level  `json:"level"`
	Check string `json:"check"` // name of the check, which stays the same between releases
	Found string `json:"found"` // a sentence about this object
	Why   string `json:"why"`   // a sentence that is the same for all findings of the check
	Do    string `json:"do"`    // SQL, or a line of the configuration file; comments begin with -- or #
}

// Report is the result of a run.
type Report struct {
	Findings []Finding // by level, then in the order of the checks
	// Database: the database was checked, too.
	Database bool
}

// add appends findings whose check is not to be skipped.
func (r *Report) add(skip []string, list ...Finding) {
	for _, f := range list {
		if !slices.Contains(skip, f.Check) {
			r.Findings = append(r.Findings, f)
		}
	}
}

// sort puts errors first.
func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return int(a.Level) - int(b.Level) })
}

// Count returns the number of findings of a level.
func (r *Report) Count(l Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == l {
			n++
		}
	}
	return n
}

// summary is one line with the number of findings of each level.
func (r *Report) summary() string {
	if len(r.Findings) == 0 {
		return "no findings"
	}
	return fmt.Sprintf("%s, %s, %d advice", plural(r.Count(Error), "error"), plural(r.Count(Warning), "warning"), r.Count(Advice))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
