package body

import "strconv"

// shownControls are the names of control characters in PostgREST's messages.
var shownControls = [' ']string{
	"NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a", "b", "t", "n", "v", "f", "r", "SO", "SI",
	"DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
}

// appendShown appends bytes as a Haskell string literal, in which each byte is a
// character. \& separates an escape from the character after it.
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
