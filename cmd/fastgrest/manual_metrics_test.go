package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestManualMetrics compares the tables of operations.md with what the server
// exports. Which metrics of the process and of Go there are depends on the
// system, so the page may have more of these.
func TestManualMetrics(t *testing.T) {
	types, _ := exported(t)
	onPage := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| (`[a-z]+_[^|]+`) \\| (counter|gauge|histogram|summary) \\|")
	for _, m := range row.FindAllStringSubmatch(readPage(t, "cmd/fastgrest/manual/operations.md"), -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			onPage[strings.Trim(name, "`")] = m[2]
		}
	}
	for name, kind := range types {
		if onPage[name] != kind {
			t.Errorf("%s is a %s, and on the page %q", name, kind, onPage[name])
		}
	}
	for name := range onPage {
		ours := strings.HasPrefix(name, "pgrst_") || strings.HasPrefix(name, "fastgrest_")
		if ours && types[name] == "" {
			t.Errorf("the page has %s, which the server does not export", name)
		}
	}
}
