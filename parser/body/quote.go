package body

import "strconv"

// appendQuoted appends s, which is UTF-8, as a JSON string.
func appendQuoted(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// shownControls are the names of control characters in PostgREST's messages.
var shownControls = [' ']string{
	"NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a", "b", "t", "n", "v", "f", "r", "SO", "SI",
	"DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
}

// appendShown appends bytes as a string literal of PostgREST's language, each
// byte a character. \& keeps an escape and what follows it apart.
func appendShown(dst, b []byte) []byte {
	dst = append(dst, '"')
	for i, c := range b {
		next := byte(0)
		if i+1 < len(b) {
			next = b[i+1]
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(append(dst, '\\'), shownControls[c]...)
			if c == 0x0E && next == 'H' {
				dst = append(dst, '\\', '&')
			}
		case c == 0x7F:
			dst = append(dst, `\DEL`...)
		case c > 0x7F:
			dst = strconv.AppendUint(append(dst, '\\'), uint64(c), 10)
			if next-'0' < 10 {
				dst = append(dst, '\\', '&')
			}
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
