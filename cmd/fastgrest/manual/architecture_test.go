package manual

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const architecture = folder + "/architecture.md"

// TestArrows checks that each arrow of the picture of architecture.md is an import.
func TestArrows(t *testing.T) {
	_, picture, _ := strings.Cut(string(readFile(t, architecture)), "\n```mermaid\n")
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

// TestDecisions checks that the pages of decisions are numbered without a
// gap, have the same parts, and are listed in architecture.md in their order.
func TestDecisions(t *testing.T) {
	var listed []string
	for _, target := range targets(t, architecture) {
		if strings.HasPrefix(target, folder+"/decisions/") {
			listed = append(listed, target)
		}
	}
	var there []string
	for _, page := range documents(t) {
		if !strings.HasPrefix(page, folder+"/decisions/") {
			continue
		}
		there = append(there, page)
		n := len(there)
		text := string(readFile(t, page))
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
