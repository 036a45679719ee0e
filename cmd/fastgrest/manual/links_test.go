package manual

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

var root = filepath.Join("..", "..", "..")

// documents are the pages of the manual and those that link to them, by their path from the root.
func documents(t *testing.T) []string {
	t.Helper()
	list := []string{
		"README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", "bench/README.md", "cmd/fastgrest/CHANGELOG.md", "server/simtest/README.md",
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, folder+"/"+name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// readFile reads a file of the repository.
func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// exists reports whether there is a file or folder at a path from the root.
func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, name))
	return err == nil
}

// anchors are the fragments of the headings of a document.
func anchors(t *testing.T, document string) (list []string) {
	for heading := range nodes[*ast.Heading](parse(readFile(t, document))) {
		id, _ := heading.AttributeString("id")
		list = append(list, string(id.([]byte)))
	}
	return list
}

// targets are the targets of the links of a document within the repository: paths from the root,
// perhaps with a fragment.
func targets(t *testing.T, document string) (list []string) {
	t.Helper()
	for link := range links(parse(readFile(t, document))) {
		destination := string(link.Destination)
		u, err := url.Parse(destination)
		switch {
		case err != nil:
			t.Errorf("%s: %v", document, err)
		case u.IsAbs():
		case u.Path == "":
			list = append(list, document+"#"+u.Fragment)
		case path.IsAbs(u.Path):
			t.Errorf("%s: %s is not a path within the repository", document, destination)
		default:
			target := path.Join(path.Dir(document), u.Path)
			if u.Fragment != "" {
				target += "#" + u.Fragment
			}
			list = append(list, target)
		}
	}
	return list
}

// TestLinks checks that every link leads to a file of the repository, and to a heading where it has a
// fragment.
func TestLinks(t *testing.T) {
	checked := 0
	for _, document := range documents(t) {
		for _, target := range targets(t, document) {
			checked++
			file, fragment, _ := strings.Cut(target, "#")
			if strings.HasPrefix(file, "..") || !exists(file) {
				t.Errorf("%s: there is no %s", document, file)
			} else if fragment != "" && !slices.Contains(anchors(t, file), fragment) {
				t.Errorf("%s: %s has no heading #%s", document, file, fragment)
			}
		}
	}
	if checked < 60 {
		t.Errorf("found %d links", checked)
	}
}

// TestContentsWrapped: prose is wrapped at 130 characters. Code, tables and the traits of settings are not.
func TestContentsWrapped(t *testing.T) {
	for _, document := range documents(t) {
		number, code := 0, false
		for line := range strings.Lines(string(readFile(t, document))) {
			number++
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			free := code || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "    ") || strings.HasSuffix(line, "\\\n")
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 130 && !free {
				t.Errorf("%s:%d: the line has %d characters, more than 130", document, number, n)
			}
		}
	}
}

// TestAnchor has headings with the fragments that GitHub gives them.
func TestAnchor(t *testing.T) {
	f := func(heading, want string) {
		t.Helper()
		source := []byte("# " + heading + "\n\n## again\n\n## again\n")
		var got []string
		for heading := range nodes[*ast.Heading](parse(source)) {
			id, _ := heading.AttributeString("id")
			got = append(got, string(id.([]byte)))
		}
		if !slices.Equal(got, []string{want, "again", "again-1"}) {
			t.Errorf("%q: %q, want %q", heading, got, want)
		}
	}
	f("Reads", "reads")
	f("One minute", "one-minute")
	f("Insert, update & delete", "insert-update--delete")
	f("`Prefer: count`", "prefer-count")
	f("The *first* [page](reads.md)", "the-first-page")
	f("1. One flight_of Ärger", "1-one-flight_of-ärger")
	f("What's new?", "whats-new")
}
