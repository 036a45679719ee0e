package main

import (
	"cmp"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const changelog = "cmd/fastgrest/CHANGELOG.md"

// changes are the kinds of changes of Keep a Changelog 1.1.0.
var changes = []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}

// number reads a version of three numbers.
func number(t *testing.T, version string) (n [3]int) {
	t.Helper()
	parts := strings.Split(version, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is not a version of three numbers", version)
	}
	for i, part := range parts {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			t.Fatalf("version %q: %v", version, err)
		}
	}
	return n
}

func compareNumbers(a, b [3]int) int { return slices.CompareFunc(a[:], b[:], cmp.Compare[int]) }

// TestChangelog checks the form of CHANGELOG.md: versions from the newest to the oldest, each with a
// date, changes of known kinds, and an address.
func TestChangelog(t *testing.T) {
	text := readPage(t, changelog)
	if !strings.HasPrefix(text, "# Changelog\n") || !strings.Contains(text, "https://keepachangelog.com/en/1.1.0/") {
		t.Error("it does not say that it is a changelog of this form")
	}
	heading := regexp.MustCompile(`^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$`)
	var versions []string
	var last time.Time
	section, items := "", 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "## [Unreleased]":
			if len(versions) > 0 {
				t.Error("Unreleased does not come first")
			}
		case strings.HasPrefix(line, "## "):
			m := heading.FindStringSubmatch(line)
			if m == nil {
				t.Fatalf("%q is not the heading of a version", line)
			}
			date, err := time.Parse(time.DateOnly, m[2])
			if err != nil || !last.IsZero() && date.After(last) {
				t.Errorf("%s: the date %s, %v, is after that of the next version", m[1], m[2], err)
			}
			if n := len(versions); n > 0 && compareNumbers(number(t, m[1]), number(t, versions[n-1])) >= 0 {
				t.Errorf("%s comes after %s", m[1], versions[n-1])
			}
			versions, last, section = append(versions, m[1]), date, ""
		case strings.HasPrefix(line, "### "):
			if section = line[len("### "):]; !slices.Contains(changes, section) {
				t.Errorf("%q is not a kind of change: %q", section, changes)
			}
		case strings.HasPrefix(line, "- "):
			if items++; section == "" {
				t.Errorf("%q is of no kind", line)
			}
		}
	}
	if len(versions) == 0 || items == 0 || !strings.Contains(text, "\n## [Unreleased]\n") {
		t.Fatalf("%d versions, %d changes", len(versions), items)
	}
	for _, version := range versions {
		if !strings.Contains(text, "\n["+version+"]: https://") {
			t.Errorf("%s has no address", version)
		}
	}
	if want := fmt.Sprintf("\n[unreleased]: https://github.com/fastgrest/fastgrest/compare/v%s...HEAD\n", versions[0]); !strings.Contains(text, want) {
		t.Errorf("no line %q", want)
	}
	checkTags(t, versions)
}

// checkTags: each tag of a version has a section, and at most one section is newer than all tags.
func checkTags(t *testing.T, versions []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "tag", "--list", "v[0-9]*")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Logf("git lists no tags here: %v", err)
		return
	}
	tags := strings.Fields(string(out))
	for _, tag := range tags {
		if version := strings.TrimPrefix(tag, "v"); !strings.Contains(version, "-") && !slices.Contains(versions, version) {
			t.Errorf("%s has no section", tag)
		}
	}
	if len(versions) > 1 && !slices.Contains(tags, "v"+versions[1]) && len(tags) > 0 {
		t.Errorf("%s has no tag, and is not the newest version", versions[1])
	}
}
