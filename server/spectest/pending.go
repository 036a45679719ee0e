package spectest

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// pending lists the cases that do not pass yet, in sections that start with the
// reason:
//
//	# a comment
//	= no full-text search yet
//	filters/fts: *
//	filters/operators: fts with a language
//
// A reason may start with the PostgreSQL versions that it applies to, as in
// "[PostgreSQL 16+]" or "[PostgreSQL 14-]": the corpus was recorded with
// PostgreSQL 15, and a few messages of other versions differ.
//
// A pattern is a case's name in which * stands for any text, and \* for a star.
// A name with line breaks or other control characters is written as a quoted Go
// string.
type pending struct {
	comment  []string // lines above the first section
	sections []pendingSection
	version  int // of PostgreSQL; chooses the sections that apply
}

type pendingSection struct {
	reason   string
	patterns []string
}

var versions = regexp.MustCompile(`^\[PostgreSQL (\d+)([+-])\]`)

// applies reports whether a section applies to this major version of
// PostgreSQL.
func (s *pendingSection) applies(version int) bool {
	m := versions.FindStringSubmatch(s.reason)
	if m == nil {
		return true
	}
	limit, _ := strconv.Atoi(m[1])
	if m[2] == "+" {
		return version >= limit
	}
	return version <= limit
}

// newlyFailing is the reason that -update-pending writes for new failures.
const newlyFailing = "not looked at yet"

func readPending(r io.Reader) (*pending, error) {
	p := &pending{}
	in := bufio.NewScanner(r)
	for in.Scan() {
		line := strings.TrimSpace(in.Text())
		if s, err := strconv.Unquote(line); err == nil {
			line = s
		}
		reason, isReason := strings.CutPrefix(line, "=")
		switch {
		case line == "":
		case line[0] == '#':
			if len(p.sections) == 0 {
				p.comment = append(p.comment, line)
			}
		case isReason:
			p.sections = append(p.sections, pendingSection{reason: strings.TrimSpace(reason)})
		case len(p.sections) == 0:
			return nil, fmt.Errorf("%q has no reason above it", line)
		default:
			last := &p.sections[len(p.sections)-1]
			last.patterns = append(last.patterns, line)
		}
	}
	return p, in.Err()
}

// reason returns why a case is pending, or "" if it is not.
func (p *pending) reason(name string) string {
	for _, s := range p.sections {
		if s.applies(p.version) && slices.ContainsFunc(s.patterns, func(pattern string) bool { return matchName(pattern, name) }) {
			return s.reason
		}
	}
	return ""
}

// idle returns the patterns that match no case.
func (p *pending) idle(names []string) []string {
	var out []string
	for _, s := range p.sections {
		for _, pattern := range s.patterns {
			if !slices.ContainsFunc(names, func(name string) bool { return matchName(pattern, name) }) {
				out = append(out, pattern)
			}
		}
	}
	return out
}

// matchName matches the whole name. * is any text, including none, and a
// backslash escapes the next character.
func matchName(pattern, name string) bool {
	for pattern != "" {
		if pattern[0] == '*' {
			for i := range len(name) + 1 {
				if matchName(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if pattern[0] == '\\' && len(pattern) > 1 {
			pattern = pattern[1:]
		}
		if name == "" || name[0] != pattern[0] {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return name == ""
}

// literal escapes a name as a pattern that matches only that name.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`).Replace

// updated returns the list for a new set of failures, given the names of all
// cases. Reasons stay, and so do sections about other versions. A topic of
// which all cases fail becomes one pattern.
func (p *pending) updated(all, failing []string) *pending {
	total, failed := map[string]int{}, map[string]int{}
	for _, name := range all {
		total[topic(name)]++
	}
	for _, name := range failing {
		failed[topic(name)]++
	}
	byReason := map[string][]string{}
	reasons := make([]string, 0, len(p.sections)+1)
	for _, s := range p.sections {
		reasons = append(reasons, s.reason)
	}
	reasons = append(reasons, newlyFailing)
	for _, name := range failing {
		pattern := literal(name)
		if t := topic(name); failed[t] == total[t] && failed[t] > 1 {
			pattern = literal(t) + ": *"
		}
		reason := cmp.Or(p.reason(name), newlyFailing)
		byReason[reason] = append(byReason[reason], pattern)
	}
	for _, s := range p.sections {
		if !s.applies(p.version) {
			byReason[s.reason] = append(byReason[s.reason], s.patterns...)
		}
	}
	out := &pending{comment: p.comment, version: p.version}
	for _, reason := range reasons {
		if patterns := byReason[reason]; len(patterns) > 0 {
			slices.Sort(patterns)
			out.sections = append(out.sections, pendingSection{reason, slices.Compact(patterns)})
			delete(byReason, reason)
		}
	}
	return out
}

// topic is the part of a name up to its colon. The names of a file share it.
func topic(name string) string {
	t, _, _ := strings.Cut(name, ": ")
	return t
}

// String returns the text of the file.
func (p *pending) String() string {
	var b strings.Builder
	for _, line := range p.comment {
		fmt.Fprintln(&b, line)
	}
	for _, s := range p.sections {
		fmt.Fprintf(&b, "\n= %s\n", s.reason)
		for _, pattern := range s.patterns {
			if strings.ContainsFunc(pattern, unicode.IsControl) || strings.TrimSpace(pattern) != pattern {
				pattern = strconv.Quote(pattern)
			}
			fmt.Fprintln(&b, pattern)
		}
	}
	return b.String()
}
