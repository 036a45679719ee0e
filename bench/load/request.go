package load

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// template is a request in pieces, with slots between them.
type template struct {
	pieces  []piece
	length  int // bytes of the body without its numbers
	numbers int // in the body
}

// piece is a text and the slot after it.
type piece struct {
	text string
	then func(*template, []byte, draw) []byte
}

// draw holds the values that differ between requests.
type draw struct {
	number int
	token  string
}

// shifted is a placeholder for the drawn number plus a constant.
var shifted = regexp.MustCompile(`^\{n\+(\d{1,6})\}`)

// slots are the other placeholders for drawn values and for the body length that follows from them.
var slots = map[string]func(*template, []byte, draw) []byte{
	"{n}":     func(_ *template, dst []byte, d draw) []byte { return strconv.AppendInt(dst, int64(d.number), 10) },
	"{token}": func(_ *template, dst []byte, d draw) []byte { return append(dst, d.token...) },
	"{length}": func(t *template, dst []byte, d draw) []byte {
		return strconv.AppendInt(dst, int64(t.length+t.numbers*len(strconv.Itoa(d.number))), 10)
	},
}

// compile renders the request and cuts it at its slots.
func (t *Target) compile() *template {
	var b strings.Builder
	method := t.Method
	if method == "" {
		method = "GET"
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, t.Path, t.Addr)
	for _, h := range t.Headers {
		b.WriteString(h + "\r\n")
	}
	if t.Body != "" {
		b.WriteString("Content-Length: {length}\r\n")
	}
	b.WriteString("\r\n" + t.Body)
	c := &template{numbers: strings.Count(t.Body, "{n}")}
	c.length = len(t.Body) - c.numbers*len("{n}")
	for rest := b.String(); rest != ""; {
		var p piece
		p, rest = cutSlot(rest)
		c.pieces = append(c.pieces, p)
	}
	return c
}

// cutSlot cuts text after its first slot.
func cutSlot(text string) (p piece, rest string) {
	for at := 0; ; at++ {
		open := strings.IndexByte(text[at:], '{')
		if open < 0 {
			return piece{text: text}, ""
		}
		at += open
		for slot, then := range slots {
			if rest, ok := strings.CutPrefix(text[at:], slot); ok {
				return piece{text[:at], then}, rest
			}
		}
		if found := shifted.FindStringSubmatch(text[at:]); found != nil {
			plus, _ := strconv.Atoi(found[1]) // at most six digits
			return piece{text[:at], func(_ *template, dst []byte, d draw) []byte {
				return strconv.AppendInt(dst, int64(d.number+plus), 10)
			}}, text[at+len(found[0]):]
		}
	}
}

func (t *template) append(dst []byte, d draw) []byte {
	for _, p := range t.pieces {
		dst = append(dst, p.text...)
		if p.then != nil {
			dst = p.then(t, dst, d)
		}
	}
	return dst
}
