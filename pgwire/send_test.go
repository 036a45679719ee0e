package pgwire_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestUnsendable: nothing is sent, and the connection can still be used.
func TestUnsendable(t *testing.T) {
	c := connectTo(t, pgtest.NewScript(t, responses(nil, say{parsed, bound, oneField, selected, idle})))
	many := new(pgwire.Flight)
	many.Add(pgwire.NewStmt("a"), nil)
	for range 1 << 16 {
		many.Arg(nil)
	}
	zero := new(pgwire.Flight)
	zero.Add(pgwire.NewStmt("select 1\x00; drop table t"), nil)
	for _, err := range []error{c.Run(bg, many), c.Run(bg, zero), c.Exec(bg, "a\x00b")} {
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.Unsendable || c.IsBroken() {
			t.Errorf("got %v", err)
		}
	}
	if _, err := run(c, new(log), pgwire.NewStmt("a")); err != nil {
		t.Error(err)
	}
}

// TestBothSend: the server writes much before it reads.
func TestBothSend(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for _, size := range []int{100, 20 << 10, 1 << 20, 20 << 20} {
			s := pgtest.NewScript(t, func(s *pgtest.Session) {
				for range 2000 {
					_ = s.Say(&pgproto3.NoticeResponse{Severity: "NOTICE", Message: strings.Repeat("x", 2000)})
				}
				s.Hear()
				_ = s.Say(parsed, bound, selected, idle)
				s.Hear()
			})
			s.Plain = plain
			if plain && size < 10<<10 {
				continue // what is that small is trusted to be taken, and a pipe takes nothing
			}
			c := connectTo(t, s)
			arg := make([]byte, size)
			var f pgwire.Flight
			f.Add(pgwire.NewStmt("a"), nil)
			f.Arg(arg)
			f.Arg(nil)
			f.Arg(arg[:size/2])
			var err error
			soon(t, "flight", func() { err = c.Run(bg, &f) })
			if err != nil {
				t.Errorf("plain %v, %d bytes: %v", plain, size, err)
			}
		}
	}
}

// TestLargeFlightLost: the goroutine that sends a large flight ends before Run returns.
func TestLargeFlightLost(t *testing.T) {
	for name, play := range map[string]func(*pgtest.Session){
		"gone":    func(s *pgtest.Session) {},
		"fatal":   func(s *pgtest.Session) { _ = s.Say(refusal("FATAL", "53200", "")) },
		"no ears": func(s *pgtest.Session) { _ = s.Say(parsed, bound, selected, idle); time.Sleep(2 * time.Second) },
	} {
		for _, plain := range []bool{false, true} {
			s := pgtest.NewScript(t, play)
			s.Plain = plain
			c := connectTo(t, s)
			var f pgwire.Flight
			f.Add(pgwire.NewStmt("a"), nil)
			f.Arg(make([]byte, 20<<20))
			var err error
			soon(t, name, func() { err = c.Run(bg, &f) })
			if err == nil || !c.IsBroken() {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
