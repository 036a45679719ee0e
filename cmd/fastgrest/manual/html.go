package manual

import (
	"bytes"
	"net/url"
	"path"
	"path/filepath"
)

const (
	folder     = "cmd/fastgrest/manual"
	repository = "https://github.com/fastgrest/fastgrest/blob/main/"
)

// HTML returns the page of a topic as the inside of an HTML body. A link to another page is relative,
// and names its topic. Links to other files of the repository lead to GitHub. A request and its response
// are in one element.
func (m *Manual) HTML(topic string) (body []byte, found bool) {
	p, found := m.Page(topic)
	if !found {
		return nil, false
	}
	tree := parse(p.Markdown)
	for link := range links(tree) {
		link.Destination = []byte(p.inBrowser(string(link.Destination)))
	}
	pairExchanges(tree, p.Markdown)
	var b bytes.Buffer
	_ = markdown.Renderer().Render(&b, p.Markdown, tree) // only writing can fail
	return b.Bytes(), true
}

// inBrowser is the target of a link when the page is at the path of its topic.
func (p Page) inBrowser(destination string) string {
	if u, err := url.Parse(destination); err != nil || u.IsAbs() || u.Path == "" {
		return destination
	}
	topic, fragment, found := p.pageAt(destination)
	if !found {
		return repository + path.Join(folder, path.Dir(p.Topic), destination)
	}
	relative, _ := filepath.Rel(path.Dir(p.Topic), topic) // both are relative
	relative = filepath.ToSlash(relative)
	if fragment != "" {
		relative += "#" + fragment
	}
	return relative
}
