package explain

import (
	"slices"
	"strconv"
	"strings"
)

// noteKind is the kind of a note, in the order of the error text.
type noteKind uint8

const (
	met      noteKind = iota // a character that no alternative accepts; "" is the end
	unwanted                 // a text that must not be here
	expected
)

type note struct {
	kind noteKind
	text string
}

// details returns the text of a failure: what was met (an unwanted text takes
// precedence), then what was expected, each text once.
func (f failure) details() string {
	if !f.known {
		return "unknown parse error"
	}
	var parts []string
	if unwanted := f.texts(unwanted); len(unwanted) > 0 {
		parts = append(parts, "unexpected "+commasOr(unwanted))
	} else if !slices.ContainsFunc(f.notes, func(n note) bool { return n.kind != expected }) {
		// Nothing was met: report expectations only.
	} else if first := f.firstMet(); first == "" {
		parts = append(parts, "unexpected end of input")
	} else {
		parts = append(parts, "unexpected "+first)
	}
	if expected := f.texts(expected); len(expected) > 0 {
		parts = append(parts, "expecting "+commasOr(expected))
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// texts returns the different texts of one kind in order of appearance.
func (f failure) texts(k noteKind) (texts []string) {
	for _, n := range f.notes {
		if n.kind == k && n.text != "" && !slices.Contains(texts, n.text) {
			texts = append(texts, n.text)
		}
	}
	return texts
}

func (f failure) firstMet() string {
	for _, n := range f.notes {
		if n.kind == met {
			return n.text
		}
	}
	return ""
}

// commasOr joins as in "a, b or c".
func commasOr(texts []string) string {
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}

// showText writes a text as a Haskell string literal, showRune a character as
// a character literal.
func showText(text []rune) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		if c == '"' {
			b.WriteString(`\"`)
		} else {
			b.WriteString(escape(c))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func showRune(c rune) string {
	if c == '\'' {
		return `'\''`
	}
	return "'" + escape(c) + "'"
}

// controls are the names of the characters below the space.
var controls = [...]string{
	"NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a", "b", "t", "n", "v", "f", "r", "SO", "SI",
	"DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
}

func escape(c rune) string {
	switch {
	case c < ' ':
		return `\` + controls[c]
	case c == '\\':
		return `\\`
	case c == 0x7F:
		return `\DEL`
	case c > 0x7F:
		return `\` + strconv.Itoa(int(c))
	}
	return string(c)
}
