package manual

import (
	"strings"
	"testing"
)

// sample is a manual of two pages.
func sample(first, second string) *Manual {
	return &Manual{pages: []Page{{Topic: "reads", Title: "Reads", Markdown: []byte(first)}, {Topic: "decisions/001-x", Title: "X", Markdown: []byte(second)}}}
}

func TestHTML(t *testing.T) {
	f := func(markdown, want string) {
		t.Helper()
		got, found := sample(markdown, "").HTML("reads")
		if !found || strings.TrimSpace(string(got)) != want {
			t.Errorf("%q:\n%s\nwant\n%s", markdown, got, want)
		}
	}
	f("# Reads & more", `<h1 id="reads--more">Reads &amp; more</h1>`)
	f("```http response\n200 OK\n\n<a>\n```", "<pre><code class=\"language-http\">200 OK\n\n&lt;a&gt;\n</code></pre>")
	f("```http\nGET /a\n```\n```http response\n200 OK\n```\n```http response\n400\n```",
		"<div class=\"exchange\">\n<pre><code class=\"language-http\">GET /a\n</code></pre>\n<pre><code class=\"language-http\">200 OK\n</code></pre>\n</div>\n<pre><code class=\"language-http\">400\n</code></pre>")
	f("```http\nGET /a\n```\nx", "<pre><code class=\"language-http\">GET /a\n</code></pre>\n<p>x</p>")
	f("| a |\n| -: |\n| `x` |", "<table>\n<thead>\n<tr>\n<th align=\"right\">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"right\"><code>x</code></td>\n</tr>\n</tbody>\n</table>")
	f("<script>alert(1)</script>", "<!-- raw HTML omitted -->")
	f("[x](javascript:alert(1))", `<p><a href="">x</a></p>`)

	link := func(target, want string) { t.Helper(); f("[x]("+target+")", `<p><a href="`+want+`">x</a></p>`) }
	link("tokens.md", "tokens")
	link("tokens.md#roles", "tokens#roles")
	link("#here", "#here")
	link("decisions/001-x.md", "decisions/001-x")
	link("../../../server/doc.go", "https://github.com/fastgrest/fastgrest/blob/main/server/doc.go")
	link("../../../bench/README.md#figures", "https://github.com/fastgrest/fastgrest/blob/main/bench/README.md#figures")
	link("../packaging", "https://github.com/fastgrest/fastgrest/blob/main/cmd/fastgrest/packaging")
	link("https://postgrest.org", "https://postgrest.org")

	deep, _ := sample("", "[x](../reads.md) [y](002-y.md#z)").HTML("decisions/001-x")
	if want := `<p><a href="../reads">x</a> <a href="002-y#z">y</a></p>`; strings.TrimSpace(string(deep)) != want {
		t.Errorf("%s, want %s", deep, want)
	}
	if _, found := sample("", "").HTML("nothing"); found {
		t.Error("there is a page nothing")
	}
}
