package pgwire

import (
	"encoding/binary"
	"errors"
	"io"
)

// LargeSink is a Sink that can read a very large last column as a stream.
type LargeSink interface {
	Sink
	// Large is called instead of Row for a row of more than LargeRow bytes. values are
	// the columns before the last one, borrowed. body is the last one, of size bytes, as
	// it arrives from the server. If Large does not read all of it, the rest is
	// discarded or, if it is more than 4 MiB, the connection is closed.
	Large(values [][]byte, size int64, body io.Reader) error
}

// LargeRow is the size in bytes above which a LargeSink gets a row as a stream.
const LargeRow = 1 << 20

// cheapRest is the number of unwanted bytes that are read to keep the connection.
const cheapRest = 4 << 20

// ErrUnwanted, wrapped in the error of a Sink, says that the rest of the response is
// not needed. If more than 4 MiB of rows follow, the connection is closed.
var ErrUnwanted = errors.New("the rest of the rows is not needed")

// bytesToDiscard is the number of bytes of rows to read after a Sink's error; -1: all.
func bytesToDiscard(refused error) int {
	if errors.Is(refused, ErrUnwanted) {
		return cheapRest
	}
	return -1
}

// largeRow reports whether the next message is a DataRow larger than LargeRow.
func (in *reader) largeRow() (bool, error) {
	if err := in.need(5); err != nil {
		return false, err
	}
	b := in.buf[in.r:]
	n := binary.BigEndian.Uint32(b[1:])
	return b[0] == 'D' && LargeRow < n && n <= maxMessage, nil // next refuses longer messages
}

// take returns the next n bytes, valid until the next call.
func (in *reader) take(n int) ([]byte, error) {
	if err := in.need(n); err != nil {
		return nil, err
	}
	b := in.buf[in.r : in.r+n : in.r+n]
	in.r += n
	return b, nil
}

// largeValue reads the last column of a row from the network.
type largeValue struct {
	in   *reader
	left int64
	err  error // of the network
}

func (v *largeValue) Read(p []byte) (n int, err error) {
	if v.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), v.left)]
	if have := v.in.buf[v.in.r:v.in.w]; len(have) > 0 {
		n = copy(p, have)
		v.in.r += n
	} else {
		n, err = v.in.src.Read(p)
		v.in.progress.arrived()
		v.err = err
	}
	v.left -= int64(n)
	return n, err
}

// readLarge passes a large row to a sink. want is the number of columns of the row, -1
// if it is unknown. It returns the error of the sink and that of the connection.
func (c *Conn) readLarge(sink LargeSink, want int) (refused, lost error) {
	head, err := c.in.take(7)
	if err != nil {
		return nil, err
	}
	left := int64(binary.BigEndian.Uint32(head[1:])) - 4 - 2
	columns := int(binary.BigEndian.Uint16(head[5:]))
	if columns == 0 || want >= 0 && columns != want {
		return nil, errMalformedRow
	}
	values := make([][]byte, 0, columns)
	for i := range columns {
		b, err := c.in.take(4)
		if err != nil {
			return nil, err
		}
		size := int64(int32(binary.BigEndian.Uint32(b)))
		if left -= 4 + max(size, 0); left < 0 || size < -1 || i == columns-1 && left != 0 {
			return nil, errMalformedRow
		}
		switch {
		case i == columns-1 && size >= 0:
			return c.passLarge(sink, values, size)
		case size < 0:
			values = append(values, nil)
		default:
			b, err := c.in.take(int(size))
			if err != nil {
				return nil, err
			}
			// The next take may overwrite the buffer.
			values = append(values, append(make([]byte, 0, size), b...))
		}
	}
	return sink.Row(values), nil // the last column is NULL, another one is large
}

func (c *Conn) passLarge(sink LargeSink, values [][]byte, size int64) (refused, lost error) {
	body := &largeValue{in: c.in, left: size}
	refused = sink.Large(values, size, body)
	if body.err != nil {
		return refused, body.err
	}
	if body.left > cheapRest {
		return refused, errUnwanted
	}
	_, err := io.Copy(io.Discard, body)
	return refused, err
}
