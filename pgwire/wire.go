package pgwire

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"sync"
)

// reader splits the incoming bytes into messages. It differs from pgproto3's Frontend
// in two ways: a message is decoded only if it is needed, and the size of the buffer
// depends only on the sizes of messages.
//
// Small messages are in the connection's own buffer. For a larger message the reader
// borrows a larger buffer, until the flight is over. It also does for a flight of many
// rows: the server sends 8 KiB at a time, and a larger buffer reads several of these at
// once.
type reader struct {
	src  io.Reader
	buf  []byte // own, or *big
	r, w int    // buf[r:w] has been received and not consumed
	got  int    // received in this flight
	own  []byte
	big  *[]byte

	progress progress
}

const (
	readBuffer = 16 << 10
	// manyRows is the number of bytes of a flight that are read into the connection's own
	// buffer. burst is the size of the buffer for the rest.
	manyRows = 32 << 10
	burst    = 64 << 10
	// maxMessage is the server's limit, in both directions.
	maxMessage = 1<<30 - 1
	// trusted bounds the memory that is allocated for the length of a message. Beyond it
	// the buffer grows with the bytes that have arrived.
	trusted = 1 << 20
)

var (
	errMessageLength = errors.New("invalid message length")
	errMalformedRow  = errors.New("malformed DataRow")
	errUnwanted      = errors.New("the rest of a large value was not read")
)

func (in *reader) init(src io.Reader) {
	in.own = make([]byte, readBuffer)
	in.src, in.buf = src, in.own
}

// next returns the next message. body is valid until the call after.
func (in *reader) next() (kind byte, body []byte, err error) {
	// Fast path: the message has been received.
	if b := in.buf[in.r:in.w]; len(b) >= 5 {
		end := 1 + int(binary.BigEndian.Uint32(b[1:]))
		if 5 <= end && end <= len(b) {
			in.r += end
			return b[0], b[5:end:end], nil
		}
	}
	if err := in.need(5); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint32(in.buf[in.r+1:]))
	if n < 4 || n > maxMessage {
		return 0, nil, errMessageLength
	}
	if err := in.need(1 + n); err != nil {
		return 0, nil, err
	}
	b := in.buf[in.r : in.r+1+n : in.r+1+n]
	in.r += 1 + n
	return b[0], b[5:], nil
}

// whole reports whether a complete message has been received already.
func (in *reader) whole() bool {
	b := in.buf[in.r:in.w]
	return len(b) >= 5 && uint64(binary.BigEndian.Uint32(b[1:]))+1 <= uint64(len(b))
}

// need reads until n contiguous bytes are in buf.
func (in *reader) need(n int) error {
	for in.w-in.r < n {
		in.room(n)
		got, err := in.src.Read(in.buf[in.w:])
		in.progress.arrived()
		in.w += got
		in.got += got
		if err != nil && in.w-in.r < n {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// room makes room for more of n contiguous bytes.
func (in *reader) room(n int) {
	have := in.w - in.r
	if in.got >= manyRows && len(in.buf) < burst {
		n = max(n, burst)
	}
	switch {
	case have == 0:
		in.r, in.w = 0, 0
	case in.r+n > len(in.buf) && in.r > 0:
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
	if n > len(in.buf) && (n <= trusted || have == len(in.buf)) {
		in.grow(min(n, max(trusted, 2*have)))
	}
}

// grow moves the received bytes to a larger buffer.
func (in *reader) grow(n int) {
	big := takeBuffer(n)
	in.w = copy(*big, in.buf[in.r:in.w])
	in.r = 0
	in.returnBig()
	in.big, in.buf = big, *big
}

// shrink goes back to the small buffer, if the unread bytes fit into it.
func (in *reader) shrink() {
	in.got = 0
	if in.big == nil || in.w-in.r > len(in.own) {
		return
	}
	in.w = copy(in.own, in.buf[in.r:in.w])
	in.r = 0
	in.buf = in.own
	in.returnBig()
}

func (in *reader) returnBig() {
	if in.big != nil {
		giveBuffer(in.big)
		in.big = nil
	}
}

// buffers are pooled by powers of two, so that many large messages need few allocations,
// and the memory is freed afterwards.
var buffers [31]sync.Pool

func takeBuffer(n int) *[]byte {
	class := bits.Len(uint(n - 1))
	if b, _ := buffers[class].Get().(*[]byte); b != nil {
		return b
	}
	b := make([]byte, 1<<class)
	return &b
}

func giveBuffer(b *[]byte) { buffers[bits.Len(uint(len(*b)-1))].Put(b) }
