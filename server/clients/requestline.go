package clients

import (
	"bufio"
	"bytes"

	"github.com/valyala/fasthttp"
)

// requestLine is the request line as the client sent it. fasthttp keeps neither
// the line nor how it ended, and to other servers a line that ends in a bare line
// feed is a longer line. So requestLine follows where each request begins in
// fasthttp's buffer (facts 1 to 3 of fasthttp.go).
//
// Before bufio.Reader reads more, it moves the bytes that it has not given out to
// the front of its buffer. fasthttp takes a head out when it is complete. So a head
// that needs a read begins at the front.
type requestLine struct {
	buffer []byte // fasthttp's, nil before the first read
	end    int    // of what has been read into it
	start  int    // of the request
	length int    // of the line with its end, 0: not complete
	bare   bool   // the line ends in a bare line feed
}

// filled notes that a read into p has returned n bytes. size is the length of
// fasthttp's buffer.
func (l *requestLine) filled(p []byte, n, size int) {
	switch {
	case l.buffer == nil:
		if len(p) != size {
			return // not fasthttp's buffer
		}
		l.buffer = p
	case len(p) > size || &p[len(p)-1] != &l.buffer[size-1]:
		l.end = 0 // a body is read past the buffer when that is empty
		return
	}
	l.end = size - len(p) + n
	l.start = 0
	if l.length == 0 {
		l.find()
	}
}

// find looks for the end of the line. Empty lines may come before it.
func (l *requestLine) find() {
	if l.start < 0 || l.start > l.end {
		l.buffer = nil
		return
	}
	for {
		rest := l.buffer[l.start+l.length : l.end]
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			l.length = 0
			return
		}
		l.length += i + 1
		l.bare = i == 0 || rest[i-1] != '\r'
		if l.bare || i > 1 {
			return
		}
	}
}

// next goes on to the next request. header has the header lines of the present one,
// and body is what its body was read from, nil if it has none.
func (l *requestLine) next(header []byte, body *bufio.Reader) {
	if l.buffer == nil {
		return
	}
	if body != nil {
		l.start = l.end - body.Buffered()
	} else {
		l.start += l.length + len(header)
	}
	l.length, l.bare = 0, false
	l.find()
}

// head reports whether the method is HEAD. The rest of the line may be malformed.
func (l *requestLine) head() bool {
	return l != nil && bytes.HasPrefix(bytes.TrimLeft(l.buffer[l.start:l.start+l.length], "\r\n"), []byte("HEAD "))
}

// http10 reports whether the line ends in the version of HTTP/1.0.
func (l *requestLine) http10() bool {
	line := bytes.TrimRight(l.buffer[l.start:l.start+l.length], "\r\n")
	return bytes.HasSuffix(line, []byte(" HTTP/1.0"))
}

// lineOf returns the request line, nil if it is not known.
func lineOf(ctx *fasthttp.RequestCtx) *requestLine {
	if c, ok := ctx.Conn().(*conn); ok && c.line.buffer != nil {
		return &c.line
	}
	return nil
}

// nextLine goes on to the line of the client's next request. If the connection
// closes, no request follows, and drain may have read past bytes in the buffer.
func nextLine(ctx *fasthttp.RequestCtx) {
	l := lineOf(ctx)
	if l == nil || ctx.Response.ConnectionClose() {
		return
	}
	var body *bufio.Reader
	if stream := ctx.RequestBodyStream(); stream != nil {
		body = readerOf(stream)
	}
	l.next(ctx.Request.Header.RawHeaders(), body)
}
