package pgwire_test

import (
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestInvalid: an invalid response ends the connection.
func TestInvalid(t *testing.T) {
	raw := func(kind byte, body string) pgproto3.BackendMessage { return rawMessage{kind, body} }
	start := say{parsed, bound, oneField}
	for name, answer := range map[string]say{
		"ready too early":        {parsed, bound, idle},
		"ready at once":          {idle},
		"rows before bind":       {parsed, oneRow},
		"bind before parse":      {bound},
		"parse twice":            {parsed, parsed},
		"a close never asked":    {closed},
		"description of params":  {parsed, &pgproto3.ParameterDescription{}},
		"suspended":              append(start, &pgproto3.PortalSuspended{}),
		"copy in":                append(start, &pgproto3.CopyInResponse{}),
		"copy out":               append(start, &pgproto3.CopyOutResponse{}),
		"authentication":         {&pgproto3.AuthenticationOk{}},
		"two columns of one":     append(start, &pgproto3.DataRow{Values: [][]byte{nil, nil}}),
		"more after the end":     append(start, selected, selected),
		"unknown kind":           {raw('~', "")},
		"row without a count":    append(start, raw('D', "\x00")),
		"row too short":          append(start, raw('D', "\x00\x01\x00\x00\x00\x05abc")),
		"row too long":           append(start, raw('D', "\x00\x01\x00\x00\x00\x01abc")),
		"row of negative length": append(start, raw('D', "\x00\x01\xff\xff\xff\xfe")),
		"tag without an end":     append(start, raw('C', "SELECT")),
		"fields cut off":         {parsed, bound, raw('T', "\x00\x02a\x00")},
		"error cut off":          {raw('E', "SERR")},
		"parameter cut off":      {raw('S', "a\x00b")},
		"ready for what":         append(start, selected, raw('Z', "X")),
		"ready for nothing":      append(start, selected, raw('Z', "")),
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, pgtest.NewScript(t, responses(nil, answer)))
			var err error
			soon(t, "flight", func() { _, err = run(c, new(log), pgwire.NewStmt("a")) })
			var ce *pgwire.ConnError
			if !errors.As(err, &ce) || ce.Kind != pgwire.Protocol || !ce.Sent || ce.Retryable() {
				t.Errorf("got %v", err)
			}
			if !c.IsBroken() {
				t.Error("not broken")
			}
			if err := c.Run(bg, new(pgwire.Flight)); !errors.As(err, &ce) || ce.Kind != pgwire.Closed || !ce.Retryable() {
				t.Errorf("used again: %v", err)
			}
		})
	}
}

// rawMessage is a malformed message.
type rawMessage struct {
	kind byte
	body string
}

func (rawMessage) Backend()            {}
func (rawMessage) Decode([]byte) error { return nil }
func (m rawMessage) Encode(dst []byte) ([]byte, error) {
	n := len(m.body) + 4
	return append(append(dst, m.kind, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), m.body...), nil
}

func TestInvalidLength(t *testing.T) {
	for _, bytes := range []string{"1\x00\x00\x00\x00", "D\x00\x00\x00\x03", "D\xff\xff\xff\xff", "D\x7f\xff\xff\xff"} {
		c := connectTo(t, pgtest.NewScript(t, func(s *pgtest.Session) {
			s.Hear()
			_ = s.Raw([]byte(bytes))
		}))
		_, err := run(c, new(log), pgwire.NewStmt("a"))
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.Protocol || !c.IsBroken() {
			t.Errorf("%q: %v", bytes, err)
		}
	}
}

// TestLoss: the connection is lost at different points of a flight.
func TestLoss(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for _, test := range []struct {
			name   string
			answer say
			begun  bool
		}{
			{"without a word", nil, false},
			{"in the middle", say{parsed, bound}, true},
			{"within a message", say{parsed, rawMessage{'D', "\x00"}, rawMessage{}}, true},
		} {
			s := pgtest.NewScript(t, func(s *pgtest.Session) { s.Hear(); _ = s.Say(test.answer...) })
			if test.name == "within a message" {
				s = pgtest.NewScript(t, func(s *pgtest.Session) { s.Hear(); _ = s.Say(parsed); _ = s.Raw([]byte("D\x00\x00\x00\x09\x00")) })
			}
			s.Plain = plain
			c := connectTo(t, s)
			_, err := run(c, new(log), pgwire.NewStmt("a"))
			var ce *pgwire.ConnError
			if !errors.As(err, &ce) || ce.Kind != pgwire.Lost || !ce.Sent || ce.Begun != test.begun || ce.Retryable() || !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Errorf("%s: %#v", test.name, err)
			}
			if !c.IsBroken() {
				t.Errorf("%s: not broken", test.name)
			}
		}
	}
}

// TestLossBeforeSending: a flight that was not sent can be run again.
func TestLossBeforeSending(t *testing.T) {
	for _, plain := range []bool{false, true} {
		gone := make(chan struct{})
		s := pgtest.NewScript(t, func(s *pgtest.Session) {
			if !plain { // a pipe keeps nothing
				_ = s.Say(refusal("FATAL", "57P01", "ProcessInterrupts"))
			}
			s.Conn.Close()
			close(gone)
		})
		s.Plain = plain
		c := connectTo(t, s)
		<-gone
		_, err := run(c, new(log), pgwire.NewStmt("a"))
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.Lost || ce.Sent || !ce.Retryable() || !c.IsBroken() {
			t.Errorf("plain %v: %#v", plain, err)
		}
		var said *pgwire.Error
		if !plain && (!errors.As(err, &said) || said.Code != "57P01") {
			t.Errorf("the server's last words got lost: %v", err)
		}
	}
}

func TestFatal(t *testing.T) {
	c := connectTo(t, pgtest.NewScript(t, responses(nil, say{parsed, refusal("FATAL", "57P01", "")})))
	f, err := run(c, new(log), pgwire.NewStmt("a"))
	var said *pgwire.Error
	if !errors.As(err, &said) || !said.Fatal() || said.Code != "57P01" || !c.IsBroken() || f.FailedStep() != -1 {
		t.Errorf("%v at step %d", err, f.FailedStep())
	}
}
