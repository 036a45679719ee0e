package main

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	manual       = "cmd/fastgrest/manual"
	architecture = manual + "/architecture.md"
)

// pages are the pages of the manual and those that link to them, by their path
// from the root.
func pages(t *testing.T) []string {
	t.Helper()
	list := []string{"README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", "bench/README.md"}
	err := filepath.WalkDir(filepath.Join(root, manual), func(name string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".md" {
			name, err = filepath.Rel(root, name)
			list = append(list, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// exists reports whether there is a file or folder at a path from the root.
func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, name))
	return err == nil
}

var (
	fenced   = regexp.MustCompile("(?ms)^```.*?^```$")
	indented = regexp.MustCompile(`(?m)^    .*$`)
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// prose is a page without its blocks of code.
func prose(t *testing.T, page string) string {
	return indented.ReplaceAllString(fenced.ReplaceAllString(readPage(t, page), ""), "")
}

// anchors are the fragments of the headings of a page, as GitHub makes them.
func anchors(t *testing.T, page string) (list []string) {
	for _, m := range heading.FindAllStringSubmatch(prose(t, page), -1) {
		text := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(m[1]), "")
		list = append(list, strings.ReplaceAll(text, " ", "-"))
	}
	return list
}

// links are the targets of the links of a page within the repository: paths from
// the root, perhaps with a fragment.
func links(t *testing.T, page string) (list []string) {
	t.Helper()
	for _, m := range link.FindAllStringSubmatch(prose(t, page), -1) {
		u, err := url.Parse(m[1])
		switch {
		case err != nil:
			t.Errorf("%s: %v", page, err)
		case u.IsAbs():
		case u.Path == "":
			list = append(list, page+"#"+u.Fragment)
		case path.IsAbs(u.Path):
			t.Errorf("%s: %s is not a path within the repository", page, m[1])
		default:
			target := path.Join(path.Dir(page), u.Path)
			if u.Fragment != "" {
				target += "#" + u.Fragment
			}
			list = append(list, target)
		}
	}
	return list
}

// TestManualLinks checks that every link leads to a file of the repository, and
// to a heading where it has a fragment.
func TestManualLinks(t *testing.T) {
	checked := 0
	for _, page := range pages(t) {
		for _, target := range links(t, page) {
			checked++
			file, fragment, _ := strings.Cut(target, "#")
			if strings.HasPrefix(file, "..") || !exists(file) {
				t.Errorf("%s: there is no %s", page, file)
			} else if fragment != "" && !slices.Contains(anchors(t, file), fragment) {
				t.Errorf("%s: %s has no heading #%s", page, file, fragment)
			}
		}
	}
	if checked < 40 {
		t.Errorf("found %d links", checked)
	}
}

// TestManualPaths checks that the files and packages exist that pages name in
// code spans. In a cell of a table a name without a folder is in the folder of
// the name before it.
func TestManualPaths(t *testing.T) {
	checked := 0
	check := func(page, name string) {
		checked++
		if name = strings.TrimSuffix(name, "/"); !exists(name) {
			t.Errorf("%s names %s, which is not there", page, name)
		}
	}
	rooted := regexp.MustCompile(`^(server|parser|planner|pgwire|bench|cmd)/[\w./-]+$`)
	for _, page := range pages(t) {
		if page == "bench/README.md" {
			continue // it names files that a run creates
		}
		for line := range strings.Lines(prose(t, page)) {
			for cell := range strings.SplitSeq(line, "|") {
				dir := ""
				for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
					switch name := m[1]; {
					case rooted.MatchString(name):
						check(page, name)
						dir = path.Dir(name)
					case dir != "" && path.Ext(name) == ".go" && strings.HasPrefix(line, "|"):
						check(page, path.Join(dir, name))
					}
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("found %d names", checked)
	}
}

// TestManualArrows checks that each arrow of the picture of architecture.md is an import.
func TestManualArrows(t *testing.T) {
	_, picture, _ := strings.Cut(readPage(t, architecture), "\n```mermaid\n")
	picture, _, _ = strings.Cut(picture, "\n```\n")
	packages := map[string]string{} // by the name of their node
	node := regexp.MustCompile(`(\w+)\["([^"]+)"\]`)
	for _, m := range node.FindAllStringSubmatch(picture, -1) {
		packages[m[1]] = m[2]
	}
	arrows := 0
	for line := range strings.Lines(node.ReplaceAllString(picture, "$1")) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " --> ")
		if !ok {
			continue
		}
		for name := range strings.SplitSeq(to, " & ") {
			arrows++
			if packages[from] == "" || packages[name] == "" {
				t.Fatalf("an arrow without a package in %q", line)
			}
			checkImport(t, packages[from], packages[name])
		}
	}
	if arrows < 20 {
		t.Errorf("found %d arrows", arrows)
	}
}

// checkImport checks that a package imports another one, outside of tests.
func checkImport(t *testing.T, from, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, from, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"github.com/fastgrest/fastgrest/`+to+`"`) {
			return
		}
	}
	t.Errorf("the picture has an arrow from %s to %s, which is not an import", from, to)
}

// TestManualDecisions checks that the pages of decisions are numbered without a
// gap, have the same parts, and are listed in architecture.md in their order.
func TestManualDecisions(t *testing.T) {
	var listed []string
	for _, target := range links(t, architecture) {
		if strings.HasPrefix(target, manual+"/decisions/") {
			listed = append(listed, target)
		}
	}
	var there []string
	for _, page := range pages(t) {
		if !strings.HasPrefix(page, manual+"/decisions/") {
			continue
		}
		there = append(there, page)
		n := len(there)
		text := readPage(t, page)
		if !strings.HasPrefix(path.Base(page), fmt.Sprintf("%03d-", n)) || !strings.HasPrefix(text, fmt.Sprintf("# %d. ", n)) {
			t.Errorf("%s: neither file nor heading may have another number than %d", page, n)
		}
		rest := text
		for _, part := range []string{"\nStatus: ", "\n## Context\n", "\n## Figures\n", "\n## Decision\n", "\n## What would change our mind\n"} {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				t.Errorf("%s: no %q, or not in its place", page, strings.TrimSpace(part))
				continue
			}
			rest = after
		}
	}
	if len(there) == 0 || !slices.Equal(listed, there) {
		t.Errorf("architecture.md lists\n%q\nand there are\n%q", listed, there)
	}
}
