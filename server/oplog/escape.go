package oplog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clients, functions and the owners of names choose some of the text that is
// logged. None of it can end a line, leave its field or change how a terminal
// shows the rest: see visible, which every line goes through, and the two
// functions for fields.

const hexDigits = "0123456789abcdef"

// appendField copies text into a field that ends at a quote, with \" and \\ as in
// Apache's log.
func appendField(dst, text []byte) []byte {
	start := 0
	for i, c := range text {
		if c != '"' && c != '\\' {
			continue
		}
		dst = append(append(dst, text[start:i]...), '\\')
		start = i
	}
	return append(dst, text[start:]...)
}

// appendWord copies text into a field that ends at a space.
func appendWord(dst, text []byte) []byte {
	for _, c := range text {
		switch c {
		case ' ':
			dst = append(dst, `\x20`...)
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// visible rewrites what is invisible in dst from start on: control characters but
// tabs as \x1b, others (separators of lines and paragraphs, what turns the
// direction of text, unassigned ones) as JSON does, \u202e, and bytes that are
// not UTF-8 as \xff. In a line that is a JSON object this can only be inside of
// strings, and is what it was to whatever reads them.
func visible(dst []byte, start int) []byte {
	for i := start; i < len(dst); {
		if c := dst[i]; c >= ' ' && c < 0x7f { // fast path
			i++
			continue
		}
		size := hidden(dst[i:])
		if size == 0 {
			_, n := utf8.DecodeRune(dst[i:])
			i += n
			continue
		}
		// The rest is rewritten, which is rare.
		rest := string(dst[i:])
		dst = dst[:i]
		for rest != "" {
			_, n := utf8.DecodeRuneInString(rest)
			if hidden([]byte(rest[:n])) > 0 {
				dst = appendEscape(dst, rest[:n])
			} else {
				dst = append(dst, rest[:n]...)
			}
			rest = rest[n:]
		}
		return dst
	}
	return dst
}

// hidden returns the length of the character that text begins with, 0 if it is
// visible.
func hidden(text []byte) int {
	switch c := text[0]; {
	case c < ' ' || c == 0x7f:
		if c == '\t' {
			return 0
		}
		return 1
	case c < utf8.RuneSelf:
		return 0
	}
	r, size := utf8.DecodeRune(text)
	if r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) {
		return size
	}
	return 0
}

// appendEscape writes one invisible character. DEL is the only control character
// that a JSON string may have; it gets the form that JSON understands.
func appendEscape(dst []byte, char string) []byte {
	r, size := utf8.DecodeRuneInString(char)
	if size == 1 && (r == utf8.RuneError || r < ' ') {
		return append(dst, '\\', 'x', hexDigits[char[0]>>4], hexDigits[char[0]&15])
	}
	if r > 0xffff {
		r -= 0x10000
		return appendUnit(appendUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// oneLine joins the lines of a text, which for driver errors are also indented.
func oneLine(text string) string {
	text = strings.TrimRight(strings.ReplaceAll(text, "\t", ""), "\n")
	return strings.ReplaceAll(text, "\n", " ")
}

// quoted makes text fit to stand between backticks.
func quoted(text string) string {
	return "`" + strings.ReplaceAll(text, "`", `\x60`) + "`"
}
