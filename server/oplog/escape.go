package oplog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clients, database functions and the owners of database objects choose part of
// the text that is logged. Such text must not end a line, leave its field or
// control a terminal. Every line goes through visible; appendField and
// appendWord protect fields.

const hexDigits = "0123456789abcdef"

// appendField appends text to a field that ends at a quote. It escapes quotes
// and backslashes as \" and \\, as Apache's log does.
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

// appendWord appends text to a field that ends at a space.
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

// visible escapes the invisible characters of dst from start on. Control
// characters except tabs become \x1b, other characters (line and paragraph
// separators, direction marks, unassigned characters) become \u202e as in JSON,
// and bytes that are not UTF-8 become \xff. In a JSON line these characters
// occur only inside of strings, where a JSON parser decodes the escapes.
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
		// Rewrite the rest. This is rare.
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

// hidden returns the length of the invisible character at the start of text, or
// 0 if the first character is visible.
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

// appendEscape appends the escape of one invisible character. DEL, the only
// control character that JSON permits in a string, gets the form \u007f, which
// JSON can decode.
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

// oneLine joins the lines of a text. Driver errors also indent them.
func oneLine(text string) string {
	text = strings.TrimRight(strings.ReplaceAll(text, "\t", ""), "\n")
	return strings.ReplaceAll(text, "\n", " ")
}

// quoted makes text safe between backticks.
func quoted(text string) string {
	return "`" + strings.ReplaceAll(text, "`", `\x60`) + "`"
}
