package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme checks that the files its table names exist, and that it names the make targets right.
func TestReadme(t *testing.T) {
	root := filepath.Join("..", "..")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	readme, makefile := read("README.md"), read("Makefile")
	quoted := regexp.MustCompile("`([^`]+)`")
	named := 0
	for line := range strings.Lines(readme) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		for _, cell := range strings.Split(line, "|")[2:] {
			dir := "" // of the path before: later names in a cell go on from there
			for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
				name := m[1]
				if !strings.Contains(name, "/") {
					name = path.Join(dir, name)
				}
				named++
				dir = path.Dir(name)
				if _, err := os.Stat(filepath.Join(root, name)); err != nil {
					t.Errorf("the table names %s, which is not there", name)
				}
			}
		}
	}
	if named < 40 {
		t.Errorf("found %d names in the table", named)
	}
	for _, m := range regexp.MustCompile(`(?m)^    make ([a-z]+)`).FindAllStringSubmatch(readme, -1) {
		if !strings.Contains(makefile, "\n"+m[1]+": ") {
			t.Errorf("there is no make target %s", m[1])
		}
	}
}
