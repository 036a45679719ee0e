package percent

import "github.com/fastgrest/fastgrest/parser/jsontext"

// AppendDecoded appends s with each %XX replaced by its byte. With plusIsSpace,
// as in query strings and forms, a plus sign becomes a space.
func AppendDecoded(dst, s []byte, plusIsSpace bool) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+' && plusIsSpace:
			c = ' '
		case c == '%' && i+2 < len(s):
			if high, low := jsontext.Unhex(s[i+1]), jsontext.Unhex(s[i+2]); high|low < 16 {
				c = high<<4 | low
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// AppendEscape appends a byte as %XX.
func AppendEscape(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[c>>4], digits[c&15])
}
