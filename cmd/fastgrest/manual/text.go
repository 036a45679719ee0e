package manual

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// Text returns the page for a terminal with this number of columns. Headings are bold. Blocks of code
// keep their lines, all other text is wrapped.
func (p Page) Text(columns int) []byte {
	w := &textWriter{page: p, columns: columns}
	w.blocks(parse(p.Markdown), "", "")
	return w.out.Bytes()
}

type textWriter struct {
	out     bytes.Buffer
	page    Page
	columns int
}

// blocks writes the children of a node. The first line begins with first, all others with rest.
func (w *textWriter) blocks(parent ast.Node, first, rest string) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() == ast.KindHTMLBlock {
			continue // a comment
		}
		if n.PreviousSibling() != nil && !tight(parent) {
			w.out.WriteByte('\n')
		}
		w.block(n, first, rest)
		first = rest
	}
}

// tight reports whether no empty lines separate the children of a node.
func tight(n ast.Node) bool {
	if item, ok := n.(*ast.ListItem); ok {
		n = item.Parent()
	}
	list, ok := n.(*ast.List)
	return ok && list.IsTight
}

func (w *textWriter) block(n ast.Node, first, rest string) {
	switch n := n.(type) {
	case *ast.Heading:
		w.lines(bold(w.inline(n)), first, rest)
	case *ast.List:
		w.list(n, first, rest)
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		for i := range n.Lines().Len() {
			segment := n.Lines().At(i)
			line := rest + "    " + string(segment.Value(w.page.Markdown))
			w.out.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
	case *ast.Blockquote:
		w.blocks(n, first+"| ", rest+"| ")
	case *tables.Table:
		w.table(n, rest)
	case *ast.Paragraph, *ast.TextBlock:
		w.lines(w.inline(n), first, rest)
	}
}

func (w *textWriter) list(n *ast.List, first, rest string) {
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		if item.PreviousSibling() != nil && !tight(n) {
			w.out.WriteByte('\n')
		}
		mark := "- "
		if n.IsOrdered() {
			mark = fmt.Sprintf("%d. ", number)
			number++
		}
		w.blocks(item, first+mark, rest+strings.Repeat(" ", len(mark)))
		first = rest
	}
}

// lines writes wrapped text.
func (w *textWriter) lines(text, first, rest string) {
	for _, line := range wrap(text, w.columns-len(rest)) {
		w.out.WriteString(first + line + "\n")
		first = rest
	}
}

// inline returns the text of a node. Code keeps its quotes.
func (w *textWriter) inline(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.Write(util.ResolveEntityNames(util.UnescapePunctuations(n.Value(w.page.Markdown))))
			if n.HardLineBreak() {
				b.WriteByte('\n')
			} else if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.CodeSpan:
			b.WriteString("`" + plain(n, w.page.Markdown) + "`")
		case *ast.Emphasis:
			if text := w.inline(n); n.Level == 2 {
				b.WriteString(bold(text))
			} else {
				b.WriteString(text)
			}
		case *ast.AutoLink:
			b.Write(n.URL(w.page.Markdown))
		case *ast.Link:
			text := w.inline(n)
			b.WriteString(text + w.target(text, string(n.Destination)))
		default:
			b.WriteString(w.inline(n))
		}
	}
	return b.String()
}

// target is what follows the text of a link: the address, or the topic of another page.
func (w *textWriter) target(text, destination string) string {
	if strings.Contains(destination, "://") {
		return " <" + destination + ">"
	}
	topic, _, found := w.page.pageAt(destination)
	if !found || topic == w.page.Topic || strings.EqualFold(topic, text) || topic+".md" == text {
		return ""
	}
	return " (" + topic + ")"
}

const boldOn, boldOff = "\x1b[1m", "\x1b[22m"

// bold marks each word by itself, so that lines can be broken anywhere.
func bold(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = boldOn + word + boldOff
	}
	return strings.Join(words, " ")
}

// width is the number of columns that a text takes.
func width(s string) int {
	return utf8.RuneCountInString(s) - strings.Count(s, boldOn)*len(boldOn) - strings.Count(s, boldOff)*len(boldOff)
}

// wrap breaks the lines of a text at spaces. A word that is too long has a line of its own.
func wrap(text string, columns int) []string {
	var lines []string
	for long := range strings.Lines(text + "\n") {
		line := ""
		for _, word := range strings.Fields(long) {
			switch {
			case line == "":
				line = word
			case width(line)+1+width(word) <= columns:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		lines = append(lines, line)
	}
	return lines
}
