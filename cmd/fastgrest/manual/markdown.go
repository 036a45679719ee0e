package manual

import (
	"bytes"
	"fmt"
	"iter"
	"net/url"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown is CommonMark with tables. HTML inside of pages, such as comments, is not shown. The columns of tables are
// aligned by attributes, because the policy of the admin page forbids styles in the text.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(exchangeRenderer{}, 0))),
)

// parse returns the syntax tree of a page. Its headings have ids.
func parse(source []byte) ast.Node {
	tree := markdown.Parser().Parse(text.NewReader(source))
	seen := map[string]int{}
	for heading := range nodes[*ast.Heading](tree) {
		id := anchor(plain(heading, source))
		n := seen[id]
		seen[id]++
		if n > 0 {
			id = fmt.Sprintf("%s-%d", id, n)
		}
		heading.SetAttributeString("id", []byte(id))
	}
	return tree
}

// anchor is the fragment that GitHub gives to a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// nodes yields the nodes of one type in the order of the page.
func nodes[T ast.Node](tree ast.Node) iter.Seq[T] {
	return func(yield func(T) bool) {
		_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if n, ok := n.(T); ok && entering && !yield(n) {
				return ast.WalkStop, nil
			}
			return ast.WalkContinue, nil
		})
	}
}

func links(tree ast.Node) iter.Seq[*ast.Link] { return nodes[*ast.Link](tree) }

// plain is the text of a node without its marks.
func plain(n ast.Node, source []byte) string {
	var b bytes.Buffer
	for t := range nodes[*ast.Text](n) {
		b.Write(t.Value(source))
	}
	return b.String()
}

// pageAt returns the page that a link of this page leads to. The fragment may be empty. A link within
// the page leads to the page.
func (p Page) pageAt(destination string) (topic, fragment string, found bool) {
	u, err := url.Parse(destination)
	if err != nil || u.IsAbs() {
		return "", "", false
	}
	if u.Path == "" {
		return p.Topic, u.Fragment, true
	}
	topic, found = strings.CutSuffix(path.Join(path.Dir(p.Topic), u.Path), ".md")
	return topic, u.Fragment, found && !strings.HasPrefix(topic, "../")
}
