package manual

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	fenced   = regexp.MustCompile("(?ms)^```.*?^```$")
	indented = regexp.MustCompile(`(?m)^    .*$`)
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
)

// prose is a page without its blocks of code.
func prose(t *testing.T, page string) string {
	return indented.ReplaceAllString(fenced.ReplaceAllString(string(readFile(t, page)), ""), "")
}

// TestPaths checks that the files and packages exist that pages name in
// code spans. In a cell of a table a name without a folder is in the folder of
// the name before it.
func TestPaths(t *testing.T) {
	checked := 0
	check := func(page, name string) {
		checked++
		if name = strings.TrimSuffix(name, "/"); !exists(name) {
			t.Errorf("%s names %s, which is not there", page, name)
		}
	}
	rooted := regexp.MustCompile(`^(server|parser|planner|pgwire|bench|cmd)/[\w./-]+$`)
	for _, page := range documents(t) {
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
