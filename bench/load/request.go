package load

import "bytes"

// render writes the request out, split where the number goes. after is nil if there is none.
func (t *Target) render() (before, after []byte) {
	var b bytes.Buffer
	b.WriteString("GET " + t.Path + " HTTP/1.1\r\nHost: " + t.Addr + "\r\n")
	for _, h := range t.Headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	before, after, found := bytes.Cut(b.Bytes(), []byte("{n}"))
	if !found {
		return b.Bytes(), nil
	}
	return before, after
}
