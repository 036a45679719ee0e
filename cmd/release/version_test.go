package main

import (
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	f := func(version, number, prerelease, metadata string) {
		t.Helper()
		if got, want := parseVersion(version), (packageVersion{number, prerelease, metadata}); got != want {
			t.Errorf("%s: got %+v, want %+v", version, got, want)
		}
	}
	f("v0.9.0", "0.9.0", "", "")
	f("v1.10.2-rc.1", "1.10.2", "rc.1", "")
	f("v0.9.0-3-gabcdef1", "0.9.0", "", "3.gabcdef1")
	f("v0.9.0-3-gabcdef1-dirty", "0.9.0", "", "3.gabcdef1.dirty")
	f("v0.9.0-dirty", "0.9.0", "", "dirty")
	f("v0.9.0-rc.1-3-gabcdef1", "0.9.0", "rc.1", "3.gabcdef1")
	f("abcdef1", "0.0.0", "abcdef1", "")
	f("abcdef1-dirty", "0.0.0", "abcdef1.dirty", "")
}

func TestVersionIsChecked(t *testing.T) {
	for _, version := range []string{"v1 x", "../v1", "-x", "v1/2"} {
		if _, err := newRelease(version, t.TempDir()); err == nil || !strings.Contains(err.Error(), "cannot be a version") {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// TestOutIsChecked: the directory that is emptied does not have the repository in it.
func TestOutIsChecked(t *testing.T) {
	for _, out := range []string{".", "..", "../..", "/"} {
		if _, err := newRelease("v1.0.0", out); err == nil || !strings.Contains(err.Error(), "would be emptied") {
			t.Errorf("%s: %v", out, err)
		}
	}
	if _, err := newRelease("v1.0.0", "../../dist"); err != nil {
		t.Error(err)
	}
}

func TestPlatforms(t *testing.T) {
	if list, err := selected(""); err != nil || len(list) != 4 {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := selected("darwin/arm64"); err != nil || len(list) != 1 || list[0].name() != "macos-aarch64" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := selected("plan9/arm"); err == nil {
		t.Error("there is a platform plan9/arm")
	}
}

func TestSection(t *testing.T) {
	const changelog = "# Changelog\n\n## [Unreleased]\n\n- new\n\n## [1.1.0] - 2026-01-02\n\n### Added\n\n- one\n\n## [1.0.0] - 2026-01-01\n\n- zero\n\n[1.1.0]: https://example.com\n"
	f := func(version, want string) {
		t.Helper()
		if got, err := section(changelog, version); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", version, got, err, want)
		}
	}
	f("1.1.0", "### Added\n\n- one\n")
	f("1.0.0", "- zero\n")
	if _, err := section(changelog, "2.0.0"); err == nil {
		t.Error("there is a section 2.0.0")
	}
}
