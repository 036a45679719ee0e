package clients

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

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

// chunks decodes a body in chunks (RFC 9112, 7.1). fasthttp would add trailers to
// the headers, where they replace what a proxy has set; chunks drops them (RFC
// 9110, 6.5.1).
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
	digits, rest := line, []byte(nil)
	if i := bytes.IndexAny(line, "; \t"); i >= 0 {
		digits, rest = line[:i], line[i:]
	}
	size, err := strconv.ParseUint(string(digits), 16, 64)
	if err != nil || len(digits) > maxChunkDigits || size > maxChunkSize || len(rest) > 0 && rest[0] != ';' && len(bytes.Trim(rest, " \t")) > 0 {
		return 0, errChunk
	}
	return int64(size), nil
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
		// A line that is not a field may begin the next request, of a client that
		// has left the empty line out.
		if name, _, ok := bytes.Cut(line, colon); !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
			return errTrailers
		}
	}
}

var colon = []byte{':'}

// readLine reads a line that ends in CR LF and has neither CR nor LF elsewhere. It
// is valid until the next read.
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

// unexpected turns the end of input within a body into io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
