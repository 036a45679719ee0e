package pool_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestRefusedRollback: a connection whose transaction cannot be rolled back is not lent
// again.
func TestRefusedRollback(t *testing.T) {
	script := pgtest.NewScript(t, func(s *pgtest.Session) {
		for _, answer := range [][]pgproto3.BackendMessage{
			{&pgproto3.CommandComplete{CommandTag: []byte("BEGIN")}, pgtest.Ready('T')},
			{&pgproto3.ErrorResponse{Severity: "ERROR", Code: "57014", Message: "no"}, pgtest.Ready('E')},
		} {
			if s.Hear() == "" || s.Say(answer...) != nil {
				return
			}
		}
		s.Hear()
	})
	o := options(t, "host=127.0.0.1 user=u sslmode=disable")
	o.Config.DialFunc = script.Dial
	p := open(t, o)
	c := acquire(t, p)
	pid := c.PID()
	if err := c.Exec(bg, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	c.Release()
	next := acquire(t, p)
	defer next.Release()
	if next.PID() == pid || next.InTransaction() != 'I' {
		t.Errorf("connection %d is lent again, in the state %c", next.PID(), next.InTransaction())
	}
}
