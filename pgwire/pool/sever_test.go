package pool_test

import (
	"errors"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// TestSever severs a pool whose only connection waits for the server, while another
// caller waits for the connection.
func TestSever(t *testing.T) {
	o := shared(t)
	o.MaxConns = 1
	p := open(t, o)
	failed := make(chan error, 1)
	go func() {
		f := &pgwire.Flight{}
		f.Add(pgwire.NewStmt("select pg_sleep(100)"), nil)
		failed <- run(p, f, pool.Alone)
	}()
	eventually(t, "the flight runs", func() bool { return p.Stats().InUse == 1 })
	refused := make(chan error, 1)
	go func() {
		_, err := p.Acquire(bg)
		refused <- err
	}()
	eventually(t, "a caller waits", func() bool { return p.Stats().Waiting == 1 })
	p.Sever()
	var conn *pgwire.ConnError
	if err := <-failed; !errors.As(err, &conn) || conn.Kind != pgwire.Lost {
		t.Errorf("the flight: %v", err)
	}
	if err := <-refused; !errors.Is(err, pool.ErrSevered) {
		t.Errorf("the caller: %v", err)
	}
	acquire(t, p).Release()
}
