package manual

import (
	"bytes"
	"embed"
	"iter"
	"slices"
)

//go:embed *.md decisions/*.md
var files embed.FS

// index is the topic of the list of pages.
const index = "index"

// Page is one page of the manual.
type Page struct {
	Topic    string
	Title    string
	Markdown []byte // the file; it must not be changed
}

// Manual has all pages. It is immutable.
type Manual struct {
	pages []Page
}

// New returns the manual: index.md, and the pages that it links to, in the order of the links.
func New() *Manual {
	m := &Manual{}
	m.add(index)
	first := m.pages[0]
	for link := range links(parse(first.Markdown)) {
		if topic, _, found := first.pageAt(string(link.Destination)); found {
			m.add(topic)
		}
	}
	return m
}

func (m *Manual) add(topic string) {
	if _, found := m.Page(topic); found {
		return
	}
	text, err := files.ReadFile(topic + ".md")
	if err != nil {
		return // a link that leads nowhere, which a test reports
	}
	heading, _, _ := bytes.Cut(text, []byte("\n"))
	title := string(bytes.TrimPrefix(heading, []byte("# ")))
	m.pages = append(m.pages, Page{Topic: topic, Title: title, Markdown: text})
}

// Page returns the page of a topic.
func (m *Manual) Page(topic string) (page Page, found bool) {
	i := slices.IndexFunc(m.pages, func(p Page) bool { return p.Topic == topic })
	if i < 0 {
		return Page{}, false
	}
	return m.pages[i], true
}

// Contents yields the topics of all pages with their titles, in reading order.
func (m *Manual) Contents() iter.Seq2[string, string] {
	return func(yield func(topic, title string) bool) {
		for _, p := range m.pages {
			if !yield(p.Topic, p.Title) {
				return
			}
		}
	}
}
