package pgwire_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// largeLog is a log that also takes large rows.
type largeLog struct {
	log
	large int64 // bytes
}

func (l *largeLog) Large(values [][]byte, size int64, body io.Reader) error {
	n, err := io.Copy(io.Discard, body)
	l.large += n
	return err
}

// TestMalformedMessages: a message whose length does not match its kind and its counts ends the
// connection. Bytes inside it are not read as messages.
func TestMalformedMessages(t *testing.T) {
	raw := func(kind byte, body string) pgproto3.BackendMessage { return rawMessage{kind, body} }
	start := say{parsed, bound, oneField}
	padding := strings.Repeat("\x00", pgwire.LargeRow)
	// The content of a row, which ends the flight if it is read as messages.
	inside, _ := selected.Encode(nil)
	inside, _ = idle.Encode(inside)
	more, _ := (&pgproto3.NoticeResponse{Message: strings.Repeat("x", pgwire.LargeRow)}).Encode(nil)
	inside = append(inside, more...)
	for name, answer := range map[string]say{
		"a large row without columns":            append(start, raw('D', "\x00\x00"+string(inside))),
		"a large row of two columns for one":     append(start, raw('D', "\x00\x02\x00\x00\x00\x00\x00\x10\x00\x00"+padding)),
		"a large row whose value is too short":   append(start, raw('D', "\x00\x01\x00\x00\x00\x01"+padding)),
		"a large row whose value is too long":    append(start, raw('D', "\x00\x01\x7f\x00\x00\x01"+padding)),
		"a large row whose value has size -2":    append(start, raw('D', "\x00\x01\xff\xff\xff\xfe"+padding)),
		"a parse acknowledged with a body":       {raw('1', "x")},
		"a bind acknowledged with a body":        {parsed, raw('2', "x")},
		"no data with a body":                    {parsed, bound, raw('n', "x")},
		"an empty query with a body":             append(start, raw('I', "x")),
		"fields with bytes behind the last":      {parsed, bound, raw('T', "\x00\x00x")},
		"fewer fields than bytes for them":       {parsed, bound, raw('T', "\x00\x01a\x00"+strings.Repeat("\x00", 18)+"b\x00"+strings.Repeat("\x00", 18))},
		"a row of no columns for one":            append(start, raw('D', "\x00\x00")),
		"a row of 65,535 columns and no columns": append(start, raw('D', "\xff\xff")),
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, pgtest.NewScript(t, answerOnce(answer...)))
			var f pgwire.Flight
			f.Add(pgwire.NewStmt("a"), new(largeLog))
			wantProtocolError(t, c, &f)
		})
	}
	for name, params := range map[string]string{
		"more parameters than there are": "\x00\x02\x00\x00\x00\x17",
		"fewer parameters":               "\x00\x00\x00\x00\x00\x17",
		"a part of a parameter":          "\x00\x01\x00\x00\x00\x17\x00",
		"no number of parameters":        "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, pgtest.NewScript(t, answerOnce(parsed, raw('t', params), oneField, idle)))
			var f pgwire.Flight
			var d pgwire.Description
			f.Describe(pgwire.NewStmt("a"), &d)
			wantProtocolError(t, c, &f)
		})
	}
}

// answerOnce responds to one flight and closes the connection.
func answerOnce(answer ...pgproto3.BackendMessage) func(*pgtest.Session) {
	return func(s *pgtest.Session) {
		s.Hear()
		_ = s.Say(answer...)
	}
}

func wantProtocolError(t *testing.T, c *pgwire.Conn, f *pgwire.Flight) {
	t.Helper()
	var err error
	soon(t, "flight", func() { err = c.Run(bg, f) })
	var ce *pgwire.ConnError
	if !errors.As(err, &ce) || ce.Kind != pgwire.Protocol || !c.IsBroken() {
		t.Errorf("got %v, broken: %v", err, c.IsBroken())
	}
}

// TestLargeRowOfInvalidLength: a DataRow longer than the longest message is refused before any
// of it is delivered.
func TestLargeRowOfInvalidLength(t *testing.T) {
	head, _ := parsed.Encode(nil)
	head, _ = bound.Encode(head)
	head, _ = oneField.Encode(head)
	said := append(head, "D\x7f\xff\xff\xff\x00\x01\x7f\xff\xff\xf5"...)
	c := connectTo(t, pgtest.NewScript(t, func(s *pgtest.Session) {
		s.Hear()
		_ = s.Raw(append(said, bytes.Repeat([]byte{0}, 100)...))
		s.Hear()
	}))
	var f pgwire.Flight
	l := new(largeLog)
	f.Add(pgwire.NewStmt("a"), l)
	wantProtocolError(t, c, &f)
	if l.large > 0 {
		t.Errorf("%d bytes were delivered", l.large)
	}
}

// TestStatementDroppedInBatch: a flight forgets a statement that the server refuses. Flights behind
// it in the batch, which were sent with the statement, get their rows nevertheless.
func TestStatementDroppedInBatch(t *testing.T) {
	for name, refused := range map[string]*pgproto3.ErrorResponse{
		"other columns": refusal("ERROR", "0A000", "RevalidateCachedQuery"),
		"deallocated":   refusal("ERROR", "26000", ""),
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, pgtest.NewScript(t, responses(nil,
				say{parsed, bound, oneField, oneRow, selected, idle},
				say{bound, refused, idle}, say{bound, oneRow, selected, idle}, say{bound, oneRow, selected, idle},
				say{closed, parsed, bound, oneField, oneRow, selected, idle})))
			a := pgwire.NewStmt("a")
			if _, err := run(c, new(log), a); err != nil {
				t.Fatal(err)
			}
			s := new(shared)
			s.conn, s.rows, s.results = c, make([]log, 3), make([]error, 3)
			c.Share(&s.sharing)
			for i := range s.rows {
				f := &pgwire.Flight{}
				f.Add(a, &s.rows[i])
				if !s.sharing.Append(f) {
					t.Fatalf("flight %d is not taken", i)
				}
				s.flights = append(s.flights, f)
			}
			s.sharing.Flush()
			s.receive()
			soon(t, "flights", s.over.Wait)
			var said *pgwire.Error
			if !errors.As(s.results[0], &said) || !said.Stale() {
				t.Errorf("flight 0: %v", s.results[0])
			}
			for i := 1; i < 3; i++ {
				if got := s.rows[i].take(); s.results[i] != nil || got != "row \"1\"\ncomplete SELECT 1" {
					t.Errorf("flight %d: %v, %q", i, s.results[i], got)
				}
			}
			if _, err := run(c, new(log), a); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}
