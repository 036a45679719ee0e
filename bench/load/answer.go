package load

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// reader reads responses from one connection. It parses only the status and the length of the body.
type reader struct {
	from io.Reader
	buf  []byte // bytes that were read
	used int    // offset of the first unused byte
	keep bool   // keep bodies
	body []byte // the kept body
}

var (
	headEnd       = []byte("\r\n\r\n")
	lineEnd       = []byte("\r\n")
	contentLength = []byte("content-length:")
	chunked       = []byte("transfer-encoding: chunked")
	success       = []byte("HTTP/1.1 20")
	noContent     = []byte("HTTP/1.1 204 ") // has no body and no length
)

// maxHead bounds the head of a response.
const maxHead = 64 << 10

// next reads one response and returns the size of its body.
func (r *reader) next() (int, error) {
	r.buf = append(r.buf[:0], r.buf[r.used:]...)
	r.used = 0
	end := -1
	for {
		if end = bytes.Index(r.buf, headEnd); end >= 0 {
			break
		}
		if len(r.buf) > maxHead {
			return 0, fmt.Errorf("load: the head of a response is longer than %d bytes", maxHead)
		}
		if err := r.more(); err != nil {
			return 0, err
		}
	}
	head := r.buf[:end]
	r.used = end + len(headEnd)
	switch status, _, _ := bytes.Cut(head, lineEnd); {
	case bytes.HasPrefix(status, noContent):
		return 0, nil
	case !bytes.HasPrefix(status, success):
		return 0, r.refused(status)
	}
	length, isChunked, err := framing(head)
	switch {
	case err != nil:
		return 0, err
	case isChunked:
		return r.skipChunks()
	}
	return length, r.skip(length)
}

// framing finds the two headers that determine the length of the body.
func framing(head []byte) (length int, isChunked bool, err error) {
	for line := range bytes.SplitSeq(head, lineEnd) {
		if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):])))
			return length, false, err
		}
		if bytes.EqualFold(line, chunked) {
			return 0, true, nil
		}
	}
	return 0, false, fmt.Errorf("load: a response without a length: %q", head)
}

// refused makes an error of a response without success, with the start of its body.
func (r *reader) refused(status []byte) error {
	return fmt.Errorf("load: %s: %.300s", status, r.buf[r.used:])
}

// skip consumes n bytes of a body.
func (r *reader) skip(n int) error {
	for len(r.buf)-r.used < n {
		n -= len(r.buf) - r.used
		r.kept(r.buf[r.used:])
		r.buf, r.used = r.buf[:0], 0
		if err := r.more(); err != nil {
			return err
		}
	}
	r.kept(r.buf[r.used : r.used+n])
	r.used += n
	return nil
}

func (r *reader) kept(part []byte) {
	if r.keep {
		r.body = append(r.body, part...)
	}
}

func (r *reader) skipChunks() (total int, err error) {
	for {
		line, err := r.line()
		if err != nil {
			return 0, err
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return 0, fmt.Errorf("load: chunk size: %w", err)
		}
		total += int(size)
		if err := r.skip(int(size)); err != nil {
			return 0, err
		}
		if _, err := r.line(); err != nil {
			return 0, err
		}
		if size == 0 {
			return total, nil
		}
	}
}

func (r *reader) line() ([]byte, error) {
	for {
		if end := bytes.Index(r.buf[r.used:], lineEnd); end >= 0 {
			line := r.buf[r.used : r.used+end]
			r.used += end + len(lineEnd)
			return line, nil
		}
		if len(r.buf)-r.used > maxHead {
			return nil, fmt.Errorf("load: a line longer than %d bytes", maxHead)
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// more reads the available bytes of the connection.
func (r *reader) more() error {
	if r.used == len(r.buf) {
		r.buf, r.used = r.buf[:0], 0
	}
	if cap(r.buf)-len(r.buf) < 4<<10 {
		r.buf = append(make([]byte, 0, max(64<<10, 2*cap(r.buf))), r.buf...)
	}
	n, err := r.from.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}
