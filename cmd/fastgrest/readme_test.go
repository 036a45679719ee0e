package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// readPage reads a file of the repository, given its path from the root.
func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var root = filepath.Join("..", "..")

// printed is what the program prints with the flag.
func printed(t *testing.T, flag string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{flag}, []string{"PGRST_DB_CONFIG=false"}, &stdout, &stderr); code != 0 {
		t.Fatalf("%s: exit code %d, %s", flag, code, stderr.String())
	}
	return stdout.String()
}

// TestReadmeSettings checks that the table of README.md has the settings that
// PostgREST does not have, all of them and with their defaults, and that the
// settings and flags in its text exist.
func TestReadmeSettings(t *testing.T) {
	readme := readPage(t, "README.md")
	dump := printed(t, "--dump-config=all")
	_, own, found := strings.Cut(dump, "\n# keys PostgREST does not have\n")
	if !found {
		t.Fatal("--dump-config=all does not tell which settings PostgREST does not have")
	}
	want := defaults(own)
	got := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(readme, -1) {
		got[m[1]] = m[2]
	}
	if !maps.Equal(got, want) {
		t.Errorf("the table of README.md has\n%v\nand the program has\n%v", got, want)
	}

	all := defaults(dump)
	groups := map[string]bool{} // the first words of settings
	for key := range all {
		word, _, _ := strings.Cut(key, "-")
		groups[word] = true
	}
	named := 0
	for _, m := range codeSpan.FindAllStringSubmatch(readme, -1) {
		key, _, _ := strings.Cut(m[1], " ")
		word, _, more := strings.Cut(key, "-")
		if !more || !groups[word] || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz-") != "" {
			continue
		}
		named++
		if _, ok := all[key]; !ok {
			t.Errorf("README.md names the setting %s, which does not exist", key)
		}
	}
	if named < 2*len(want) {
		t.Errorf("found %d names of settings in README.md", named)
	}

	help := printed(t, "--help")
	for _, m := range regexp.MustCompile("[`' ](--[a-z][a-z-]+)").FindAllStringSubmatch(readme, -1) {
		if !regexp.MustCompile(m[1] + `\W`).MatchString(help) {
			t.Errorf("README.md names the flag %s, which --help does not", m[1])
		}
	}
}

// defaults reads lines KEY = VALUE.
func defaults(dump string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(dump) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
			values[key] = value
		}
	}
	return values
}

// TestMakeTargets checks that the make targets exist that the pages tell people to run.
func TestMakeTargets(t *testing.T) {
	makefile := readPage(t, "Makefile")
	target := regexp.MustCompile("(?:^    |`)make ([a-z]+)")
	named := 0
	for _, page := range []string{"README.md", ".github/CONTRIBUTING.md", architecture} {
		for line := range strings.Lines(readPage(t, page)) {
			for _, m := range target.FindAllStringSubmatch(line, -1) {
				named++
				if !strings.Contains(makefile, "\n"+m[1]+": ") {
					t.Errorf("%s: there is no make target %s", page, m[1])
				}
			}
		}
	}
	if named < 20 {
		t.Errorf("found %d make targets", named)
	}
}
