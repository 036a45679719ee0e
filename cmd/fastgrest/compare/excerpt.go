package compare

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	excerptWidth = 110 // characters
	excerptLead  = 50  // of them before the difference
)

// excerpt shows where two texts differ.
type excerpt struct {
	Old string `json:"old"`
	New string `json:"new"`
	// Mark is the number of characters before the first difference. It is -1 if the excerpt
	// does not have it, because it is in a secret that was masked, or beyond keptBytes.
	Mark int `json:"mark"`
}

// newExcerpt cuts two texts around their first difference, after secrets were masked.
func newExcerpt(old, new string, secrets []string) excerpt {
	o := []rune(visible(mask(old, secrets)))
	n := []rune(visible(mask(new, secrets)))
	at := 0
	for at < len(o) && at < len(n) && o[at] == n[at] {
		at++
	}
	e := excerpt{Mark: at}
	if at == len(o) && at == len(n) {
		e.Mark, at = -1, 0
	}
	from := 0
	if at > excerptLead && max(len(o), len(n)) > excerptWidth {
		from = at - excerptLead
		e.Mark = excerptLead + len("...")
	}
	e.Old, e.New = window(o, from), window(n, from)
	return e
}

func window(text []rune, from int) string {
	from = min(from, len(text))
	to := min(len(text), from+excerptWidth)
	s := string(text[from:to])
	if from > 0 {
		s = "..." + s
	}
	if to < len(text) {
		s += "..."
	}
	return s
}

// cut shortens a text to about size bytes.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return strings.ToValidUTF8(text[:size], "") + "..."
}

// visible escapes characters that could control a terminal, and bytes that are not UTF-8.
func visible(text string) string {
	if !strings.ContainsFunc(text, func(c rune) bool { return c == utf8.RuneError || !unicode.IsPrint(c) }) {
		return text
	}
	var b strings.Builder
	for i, c := range text {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"), c < ' ':
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !unicode.IsPrint(c):
			fmt.Fprintf(&b, `\u{%x}`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
