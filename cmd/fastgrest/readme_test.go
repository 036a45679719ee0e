package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/manual"
)

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// manualFolder has the pages of the manual.
const manualFolder = "cmd/fastgrest/manual/"

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

// TestNamesOfSettings checks that the settings that README.md and the manual name exist, and the flags
// that README.md names.
func TestNamesOfSettings(t *testing.T) {
	all := defaults(printed(t, "--dump-config=all"))
	groups := map[string]bool{} // the first words of settings
	for key := range all {
		word, _, _ := strings.Cut(key, "-")
		groups[word] = true
	}
	readme := readPage(t, "README.md")
	texts := map[string]string{"README.md": readme}
	pages := manual.New()
	for topic := range pages.Contents() {
		switch page, _ := pages.Page(topic); topic {
		case "check": // the names of its findings look like settings
		case "configuration", "settings": // they have older names, too
		default:
			texts[topic+".md"] = string(page.Markdown)
		}
	}
	named := 0
	for name, text := range texts {
		for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
			key, _, _ := strings.Cut(m[1], " ")
			word, _, more := strings.Cut(key, "-")
			if !more || !groups[word] || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz-") != "" {
				continue
			}
			named++
			if _, ok := all[key]; !ok {
				t.Errorf("%s names the setting %s, which does not exist", name, key)
			}
		}
	}
	if named < 30 {
		t.Errorf("found %d names of settings", named)
	}

	help := printed(t, "--help")
	readme = regexp.MustCompile("(?m)^ .*fastgrest compare .*$").ReplaceAllString(readme, "") // has flags of its own
	for _, m := range regexp.MustCompile("[`' ](--[a-z][a-z-]+)").FindAllStringSubmatch(readme, -1) {
		if !regexp.MustCompile(m[1] + `\W`).MatchString(help) {
			t.Errorf("README.md names the flag %s, which --help does not", m[1])
		}
	}
}

// TestReadmeLength: README.md is for a first look, and the manual has the rest.
func TestReadmeLength(t *testing.T) {
	if n := strings.Count(readPage(t, "README.md"), "\n"); n > 150 {
		t.Errorf("README.md has %d lines, more than 150", n)
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
	for _, page := range []string{"README.md", ".github/CONTRIBUTING.md", manualFolder + "architecture.md"} {
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
