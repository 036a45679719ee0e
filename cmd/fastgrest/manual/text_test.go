package manual

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	f := func(columns int, markdown, want string) {
		t.Helper()
		got := string(Page{Topic: "reads", Markdown: []byte(markdown)}.Text(columns))
		got = strings.NewReplacer(boldOn, "<", boldOff, ">").Replace(got)
		if d := cmp.Diff(strings.TrimPrefix(want, "\n"), got); d != "" {
			t.Errorf("%q (-want +got):\n%s", markdown, d)
		}
	}
	f(80, "# Two words", "<Two> <words>\n")
	f(20, "one two three\nfour five six", "one two three four\nfive six\n")
	f(20, "a hard\\\nbreak\nhere", "a hard\nbreak here\n")
	f(20, "a-word-that-is-too-long-for-a-line b", "a-word-that-is-too-long-for-a-line\nb\n")
	f(80, "`a b` and **bold text** and *more* &amp; \\* <https://a.example/>", "`a b` and <bold> <text> and more & * https://a.example/\n")
	f(80, "[Tokens](tokens.md), [how](tokens.md#x), [here](#y), [site](https://a.example), [code](../x.go)",
		"Tokens, how (tokens), here, site <https://a.example>, code\n")
	f(80, "text\n\n```http\nGET /book\n\n{}\n```\n\nmore", "text\n\n    GET /book\n\n    {}\n\nmore\n")
	f(14, "- one two three\n- four\n  - five\n\n1. x\n2. y", `
- one two
  three
- four
  - five

1. x
2. y
`)
	f(20, "- one\n\n  two\n\n- three", "- one\n\n  two\n\n- three\n")
	f(20, "# A\n<!-- a\ncomment -->\n\nb", "<A>\n\nb\n")
	f(20, "> quoted text that is wrapped", "| quoted text that\n| is wrapped\n")
	f(40, "| a | name |\n|---|---|\n| x | y |", "<a>  <name>\nx  y\n")
	f(20, "| a | the name |\n|---|---|\n| `x` | a long text in a cell |\n| y | z |", `
<a>    <the> <name>

`+"`x`"+`  a long text in
     a cell

y    z
`)
	f(8, "| abcdefgh | ijklmnop |\n|---|---|\n| x | y |", "<abcdefgh>  <ijklmnop>\nx         y\n")
}
