package pgwire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestCheck: an idle connection is checked after different events.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*pgtest.Session)
		dead bool
	}{
		{"nothing happened", func(s *pgtest.Session) {}, false},
		{"news", func(s *pgtest.Session) { _ = s.Say(parameter, notice) }, false},
		{"a part of a message", func(s *pgtest.Session) { _ = s.Raw([]byte("S\x00\x00\x00\x40Ti")) }, false},
		{"a large message", func(s *pgtest.Session) {
			_ = s.Say(&pgproto3.NoticeResponse{Message: strings.Repeat("x", 100_000)})
		}, false},
		{"the end", func(s *pgtest.Session) { s.Conn.Close() }, true},
		{"an error", func(s *pgtest.Session) { _ = s.Say(refusal("FATAL", "57P01", "")) }, true},
		{"nonsense", func(s *pgtest.Session) { _ = s.Say(oneRow) }, true},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				happened := make(chan struct{})
				s := pgtest.NewScript(t, func(s *pgtest.Session) {
					go func() { test.do(s); close(happened) }()
					for s.Hear() != "" {
					}
				})
				s.Plain = plain
				c := connectTo(t, s)
				if !plain {
					<-happened
				}
				var err error
				looks := 0 // after it has happened; over a pipe, only reading makes it happen
				pgtest.Until(time.Minute, func() bool {
					select {
					case <-happened:
						looks++
					default:
					}
					err = c.Check()
					return err != nil || looks > 5 && !test.dead
				})
				if (err != nil) != test.dead || c.IsBroken() != test.dead {
					t.Errorf("%v, broken %v", err, c.IsBroken())
				}
			})
		}
	}
}
