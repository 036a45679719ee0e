package admin

import (
	"bytes"
	"html"
	"iter"
	"strings"

	"github.com/valyala/fasthttp"
)

// Manual has the pages below /manual. Its methods are called from many goroutines.
type Manual interface {
	// Contents yields the topics of all pages with their titles, in reading order.
	// The first page is the start page. The path of a page is its topic, which may
	// have slashes.
	Contents() iter.Seq2[string, string]
	// HTML renders the page of a topic as the inside of an HTML body. Its links are
	// relative to the path of the page.
	HTML(topic string) (body []byte, found bool)
}

// sendManual sends a page of the manual. It reports false if the path belongs
// to something else or leads nowhere. Redirects are relative, because a proxy may
// serve the port under another path.
func sendManual(ctx *fasthttp.RequestCtx, m Manual) (sent bool) {
	topic, inside := strings.CutPrefix(string(pathOf(ctx.RequestURI())), "/manual")
	if !inside || topic != "" && topic[0] != '/' {
		return false
	}
	var body []byte
	if len(topic) > 1 {
		topic = topic[1:]
		text, found := m.HTML(topic)
		if !found {
			return false
		}
		body = document(m, topic, text)
	}
	switch {
	case !ctx.IsGet() && !ctx.IsHead():
		ctx.Response.Header.Set("Allow", "GET, HEAD")
		respond(ctx, fasthttp.StatusMethodNotAllowed, nil)
	case topic == "":
		redirect(ctx, "manual/"+startPage(m))
	case topic == "/":
		redirect(ctx, startPage(m))
	default:
		sendPage(ctx, page{"text/html; charset=utf-8", body})
	}
	return true
}

func startPage(m Manual) string {
	for topic := range m.Contents() {
		return topic
	}
	return ""
}

// document puts the text of a page between the list of pages and the links to
// the rest of the admin port.
func document(m Manual, topic string, text []byte) []byte {
	up := strings.Repeat("../", strings.Count(topic, "/")) // leads to /manual/
	var nav bytes.Buffer
	title := ""
	for other, name := range m.Contents() {
		current := ""
		if other == topic {
			title, current = name, ` aria-current="page"`
		}
		nav.WriteString(`<li><a href="` + html.EscapeString(up+other) + `"` + current + `>` + html.EscapeString(name) + "</a></li>\n")
	}
	var b bytes.Buffer
	b.WriteString(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>` + html.EscapeString(title) + ` - fastgrest</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="` + up + `../manual.css">
</head>
<body>
<nav aria-label="Pages">
<ul>
`)
	b.Write(nav.Bytes())
	b.WriteString(`</ul>
<p><a href="` + up + `../ui">Requests and latency of this server</a></p>
</nav>
<main>
`)
	b.Write(text)
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.Bytes()
}
