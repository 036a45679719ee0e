package manual

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// TestContents checks that index.md links to every page, and that the pages have the form that readers
// and the program expect.
func TestContents(t *testing.T) {
	m := New()
	var topics []string
	for topic, title := range m.Contents() {
		topics = append(topics, topic)
		if title == "" {
			t.Errorf("%s.md does not begin with a title", topic)
		}
		page, found := m.Page(topic)
		if !found || page.Title != title || page.Topic != topic {
			t.Errorf("Page(%s) = %s, %s, %t", topic, page.Topic, page.Title, found)
		}
		checkPage(t, page)
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if topic := strings.TrimSuffix(name, ".md"); err == nil && !d.IsDir() && !slices.Contains(topics, topic) {
			t.Errorf("index.md has no link to %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if topics[0] != index {
		t.Errorf("the first page is %s", topics[0])
	}
	if _, found := m.Page("nothing"); found {
		t.Error("there is a page nothing")
	}
}

func checkPage(t *testing.T, page Page) {
	t.Helper()
	name := page.Topic + ".md"
	if !bytes.HasPrefix(page.Markdown, []byte("# ")) {
		t.Errorf("%s: the first line is not a heading", name)
	}
	if n := bytes.Count(page.Markdown, []byte("\n")); n > 400 {
		t.Errorf("%s has %d lines, more than 400", name, n)
	}
	number := 0
	for line := range bytes.Lines(page.Markdown) {
		number++
		if !utf8.Valid(line) || bytes.ContainsAny(line, "\r\t\x1b") {
			t.Errorf("%s:%d: a character that is not text", name, number)
		}
	}
	titles := 0
	for heading := range nodes[*ast.Heading](parse(page.Markdown)) {
		if heading.Level == 1 {
			titles++
		}
	}
	if titles != 1 {
		t.Errorf("%s has %d titles", name, titles)
	}
	for block := range nodes[*ast.HTMLBlock](parse(page.Markdown)) {
		if block.HTMLBlockType != ast.HTMLBlockType2 { // a comment
			t.Errorf("%s has HTML, which is not shown", name)
		}
	}
	for range nodes[*ast.RawHTML](parse(page.Markdown)) {
		t.Errorf("%s has HTML in a paragraph, which is not shown", name)
	}
}
