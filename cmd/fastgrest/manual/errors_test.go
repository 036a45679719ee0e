package manual_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tableRow is a row with a code and a status.
var tableRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\d+) \\|")

// statuses are the rows of errors.md, by code.
func statuses(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("errors.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range tableRow.FindAllStringSubmatch(string(text), -1) {
		all[m[1]] = m[2]
	}
	return all
}

// TestErrorClasses checks that errors.md has the classes that the source maps to a status.
func TestErrorClasses(t *testing.T) {
	text, err := os.ReadFile("../../../server/problem_pg.go")
	if err != nil {
		t.Fatal(err)
	}
	page := statuses(t)
	classes := regexp.MustCompile(`"([0-9A-Z]{2})": +(\d+),`).FindAllStringSubmatch(string(text), -1)
	for _, m := range classes {
		if page[m[1]] != m[2] && m[1] != "PT" { // of PT without a status
			t.Errorf("%s is %s, and the page has %q", m[1], m[2], page[m[1]])
		}
	}
	if len(classes) < 20 {
		t.Errorf("found %d classes", len(classes))
	}
}

// TestErrorCodes checks that errors.md has the codes of the source and no others, with their status.
func TestErrorCodes(t *testing.T) {
	page := statuses(t)
	maps.DeleteFunc(page, func(code, _ string) bool { return !strings.HasPrefix(code, "PGRST") })
	source := map[string]string{}
	code := regexp.MustCompile(`(?:(\d{3}|fasthttp\.Status\w+), )?"(PGRSTX?\d{2,3})"`)
	constants := map[string]string{"fasthttp.StatusServiceUnavailable": "503", "fasthttp.StatusInternalServerError": "500"}
	err := filepath.WalkDir("../../../server", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "spectest") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "" {
				source[m[2]] += "" // not where the error is made, but the page must have the code
				continue
			}
			if status, ok := constants[m[1]]; ok {
				m[1] = status
			}
			source[m[2]] = m[1]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(source, page); diff != "" {
		t.Errorf("-source +page\n%s", diff)
	}
}

// testSQLSTATEs raises each SQLSTATE of errors.md and compares the status.
func testSQLSTATEs(t *testing.T, shared *fixture) {
	s := newSite(t, shared, &page{file: "sqlstates.md", database: "library"})
	if err := s.exec(`create function api.raise(code text) returns void language plpgsql as
		'begin raise exception using errcode = code; end'`, ""); err != nil {
		t.Fatal(err)
	}
	s.start()
	table := statuses(t)
	asked := 0
	for _, code := range slices.Sorted(maps.Keys(table)) {
		if strings.HasPrefix(code, "PGRST") {
			continue
		}
		asked++
		full := (code + "000")[:5]
		got, err := send(s.api, request{method: "GET", target: "/rpc/raise?code=" + full})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got.status, table[code]) || !strings.Contains(got.body, `"`+full+`"`) {
			t.Errorf("%s: the page has %s, and this came: %s", code, table[code], got)
		}
	}
	if asked < 30 {
		t.Errorf("found %d rows", asked)
	}
}
