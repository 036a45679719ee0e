package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

func TestScript(t *testing.T) {
	for _, plain := range []bool{false, true} {
		heard := make(chan string, 2)
		s := NewScript(t, func(s *Session) {
			heard <- s.Hear()
			_ = s.Say(&pgproto3.CommandComplete{CommandTag: []byte("HELLO")}, Ready('I'))
			heard <- s.Hear()
		})
		s.Plain = plain
		cfg, err := pgconn.ParseConfig("host=nowhere.invalid user=u sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		cfg.DialFunc = s.Dial
		cfg.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"192.0.2.1"}, nil }
		ctx := context.Background()
		conn, err := pgconn.ConnectConfig(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		res, err := conn.Exec(ctx, "hi").ReadAll()
		if err != nil || res[0].CommandTag.String() != "HELLO" {
			t.Errorf("%v %v", res, err)
		}
		if err := conn.CancelRequest(ctx); err != nil {
			t.Error(err)
		}
		if pid := <-s.Cancels; pid != 1 {
			t.Errorf("cancel request for %d", pid)
		}
		conn.Close(ctx)
		if a, b := <-heard, <-heard; a != "Q" || b != "X" {
			t.Errorf("heard %q and %q", a, b)
		}
	}
}
