package server

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// chunkedLength is fasthttp's ContentLength of a body in chunks.
const chunkedLength = -1

const (
	maxChunkLine    = 4 << 10 // of a chunk's size and extensions
	maxTrailers     = 64      // lines
	maxTrailerBytes = 8 << 10
)

var (
	errChunk    = errors.New("malformed chunk")
	errTrailers = errors.New("malformed trailers")
	errTrailing = errors.New("too many trailers")
)

// chunks decodes a body in chunks (RFC 9112, 7.1). fasthttp would add the
// trailers to the headers, where they replace what a proxy has set; chunks drops
// them (RFC 9110, 6.5.1).
type chunks struct {
	r    *bufio.Reader
	left int64 // of the chunk
	err  error // of the next Read
}

func (c *chunks) Read(p []byte) (n int, err error) {
	if c.err == nil && c.left == 0 {
		c.left, c.err = readChunkSize(c.r)
		if c.err == nil && c.left == 0 {
			if c.err = skipTrailers(c.r); c.err == nil {
				c.err = io.EOF
			}
		}
	}
	if c.err != nil {
		return 0, c.err
	}
	n, c.err = c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.err == nil && c.left == 0 {
		c.err = readChunkEnd(c.r)
	}
	c.err = unexpected(c.err)
	return n, nil
}

// readChunkSize reads the line in front of a chunk.
func readChunkSize(r *bufio.Reader) (int64, error) {
	line, err := readLine(r)
	if err != nil {
		return 0, err
	}
	if len(line) > maxChunkLine {
		return 0, errChunk
	}
	size, digits := int64(0), 0
	for ; digits < len(line); digits++ {
		d := jsontext.Unhex(line[digits])
		if d > 15 {
			break
		}
		if size = size<<4 | int64(d); size > maxChunkSize {
			return 0, errChunk
		}
	}
	rest := line[digits:]
	if digits == 0 || digits > maxChunkDigits || len(rest) > 0 && rest[0] != ';' && len(bytes.Trim(rest, " \t")) > 0 {
		return 0, errChunk
	}
	return size, nil
}

const (
	maxChunkDigits = 16
	maxChunkSize   = 1 << 48 // more than a body may have
)

func readChunkEnd(r *bufio.Reader) error {
	for _, want := range [2]byte{'\r', '\n'} {
		c, err := r.ReadByte()
		if err != nil {
			return err
		}
		if c != want {
			return errChunk
		}
	}
	return nil
}

// skipTrailers reads up to the empty line that ends the body.
func skipTrailers(r *bufio.Reader) error {
	for lines, size := 0, 0; ; lines++ {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		if size += len(line); size > maxTrailerBytes || lines == maxTrailers {
			return errTrailing
		}
		// Something else than a field may be the next request, of a client that
		// has forgotten the empty line.
		if name, _, ok := bytes.Cut(line, colon); !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
			return errTrailers
		}
	}
}

var colon = []byte{':'}

// readLine reads a line that ends in CR LF and has neither of the two elsewhere.
// It is valid until the next read.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, errChunk
	case err != nil:
		return nil, unexpected(err)
	}
	line, ok := bytes.CutSuffix(line, crlf)
	if !ok || bytes.IndexByte(line, '\r') >= 0 {
		return nil, errChunk
	}
	return line, nil
}

var crlf = []byte("\r\n")

// unexpected is the error of a body that ends before its end.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readerOf is what fasthttp's stream of a request's body reads from. No method
// tells.
func readerOf(stream io.Reader) *bufio.Reader {
	return (*bufio.Reader)(reflect.ValueOf(stream).Elem().Field(streamReader).UnsafePointer())
}

// streamReader is the position of that field. A fasthttp without it ends every
// test and every start of the program here.
var streamReader = func() int {
	var r fasthttp.Request
	r.Header.SetMethod(fasthttp.MethodPost)
	r.Header.SetContentLength(chunkedLength)
	if err := r.ContinueReadBodyStream(bufio.NewReader(strings.NewReader("")), 0, false); err != nil {
		panic(err)
	}
	f, ok := reflect.TypeOf(r.BodyStream()).Elem().FieldByName("reader")
	if !ok || f.Type != reflect.TypeFor[*bufio.Reader]() {
		panic("fasthttp's stream of a body has no reader")
	}
	return f.Index[0]
}()
