package pgwire

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// tape is a network connection whose reads return bytes in pieces, and then the end of
// the stream.
type tape struct {
	net.Conn
	bytes []byte
	piece int
}

func (c *tape) Read(p []byte) (int, error) {
	if len(c.bytes) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.piece)], c.bytes)
	c.bytes = c.bytes[n:]
	return n, nil
}

func (c *tape) Write(p []byte) (int, error)      { return len(p), nil }
func (c *tape) Close() error                     { return nil }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// prober is a Sink that reads all its arguments.
type prober struct {
	t       *testing.T
	columns int
	sum     int
}

func (p *prober) Fields(fields []pgproto3.FieldDescription) error {
	p.columns = len(fields)
	for _, f := range fields {
		for _, b := range f.Name {
			p.sum += int(b)
		}
	}
	return nil
}

func (p *prober) Row(values [][]byte) error {
	if p.columns >= 0 && len(values) != p.columns {
		p.t.Errorf("%d values of %d columns", len(values), p.columns)
	}
	for _, v := range values {
		for _, b := range v {
			p.sum += int(b)
		}
	}
	if len(values) == 3 {
		return errors.New("three is too many")
	}
	return nil
}

func (p *prober) Complete(tag []byte) { p.sum += len(tag) }

// Large reads half of the value.
func (p *prober) Large(values [][]byte, size int64, body io.Reader) error {
	if p.columns >= 0 && len(values)+1 != p.columns {
		p.t.Errorf("%d values of %d columns", len(values)+1, p.columns)
	}
	_, err := io.CopyN(io.Discard, body, size/2)
	return err
}

// atBoundary reports whether the first n bytes of a stream are whole messages.
func atBoundary(said []byte, n int) bool {
	at := 0
	for at < n && len(said)-at >= 5 {
		at += 1 + int(binary.BigEndian.Uint32(said[at+1:]))
	}
	return at == n
}

func encoded(messages ...pgproto3.BackendMessage) []byte {
	var b []byte
	for _, m := range messages {
		b, _ = m.Encode(b)
	}
	return b
}

// FuzzServer runs flights against a server that sends any bytes. The connection must not
// panic, and must not accept an invalid response.
func FuzzServer(f *testing.F) {
	field := &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a"), DataTypeOID: 25}}}
	row := &pgproto3.DataRow{Values: [][]byte{[]byte("x")}}
	done := &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}
	first := encoded(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, field, row, row, done)
	described := encoded(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{23}}, field)
	plain := encoded(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, row, done)
	ready := encoded(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	again := encoded(&pgproto3.BindComplete{}, row, done, &pgproto3.ParameterDescription{}, &pgproto3.NoData{}, &pgproto3.BindComplete{}, done)
	failure := encoded(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "22012", Message: "division by zero"})
	stale := encoded(&pgproto3.BindComplete{}, &pgproto3.ErrorResponse{Severity: "ERROR", Code: "26000", Message: "gone"})
	news := encoded(
		&pgproto3.NoticeResponse{Severity: "NOTICE", Message: "m"}, &pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"},
		&pgproto3.NotificationResponse{PID: 1, Channel: "c", Payload: "p"})
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	whole := join(first, described, plain, ready)
	f.Add(join(whole, again, ready), uint16(9999))
	f.Add(join(whole, news, again, news, ready, news), uint16(1))
	f.Add(join(first, failure, ready, stale, ready, news), uint16(7))
	f.Add(join(whole, again[:20]), uint16(3))
	f.Add(join(first, encoded(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P01"})), uint16(100))
	// A DataRow of more than LargeRow bytes: with messages in its only value, without columns,
	// and with a column too many.
	padding := make([]byte, LargeRow)
	end := encoded(done)
	inside := join(end, described, plain, ready, padding)
	large := func(head string) []byte {
		size := binary.BigEndian.AppendUint32([]byte("D"), uint32(4+len(head)+len(inside)))
		return join(first[:len(first)-len(end)], size, []byte(head), inside)
	}
	f.Add(join(large("\x00\x01"+string(binary.BigEndian.AppendUint32(nil, uint32(len(inside))))), end, described, plain, ready), uint16(9999))
	f.Add(large("\x00\x00"), uint16(9999))
	f.Add(large("\x00\x02\xff\xff\xff\xff"), uint16(9999))
	f.Add([]byte("D\x00\x00\x00\x03"), uint16(100))
	f.Add([]byte("D\x7f\xff\xff\xff\x00"), uint16(100))
	f.Fuzz(func(t *testing.T, said []byte, piece uint16) {
		server := &tape{bytes: said, piece: int(piece) + 1}
		cfg := &Config{Statements: 2, OnNotice: func(*Error) {}, OnNotification: func(string, string) {}}
		in := new(reader)
		in.init(server)
		c := newConn(cfg, server, in)
		a, b, d := NewStmt("a"), NewStmt("b"), NewStmt("d")
		ctx := context.Background()
		for range 4 {
			var fl Flight
			var desc Description
			p := &prober{t: t, columns: -1}
			fl.Add(a, p)
			fl.Describe(b, &desc)
			fl.Add(d, nil)
			err := c.Run(ctx, &fl)
			if c.stmts.pending != 0 && !c.IsBroken() {
				t.Errorf("%d statements neither parsed nor not", c.stmts.pending)
			}
			if c.IsBroken() {
				if err == nil {
					t.Error("broken without an error")
				}
				break
			}
			if n := len(said) - len(server.bytes) - (in.w - in.r); !atBoundary(said, n) {
				t.Errorf("the flight ended after %d bytes, inside of a message", n)
			}
			if err == nil && fl.FailedStep() != -1 {
				t.Error("failed without an error")
			}
		}
		_ = c.Check()
		_ = c.Exec(ctx, "x")
		_ = c.Wait(ctx)
		if len(server.bytes) == 0 && !c.IsBroken() {
			_ = c.Wait(ctx)
			if !c.IsBroken() {
				t.Error("the end of the stream went unnoticed")
			}
		}
	})
}
