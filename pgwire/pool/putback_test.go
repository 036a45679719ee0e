package pool

import (
	"net"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
)

// TestPutBackExpires: a caller that is put back in the queue times out, also if the pool has looked
// at the queue in the meantime. The server accepts connections and does not respond.
func TestPutBackExpires(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg, err := pgwire.ParseConfig("postgres://" + l.Addr().String() + "/x?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{Config: cfg, MaxConns: 1, AcquireTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	caller := p.newTicket(new(pgwire.Flight), QuickRead)
	p.look()
	p.putBack([]*ticket{caller})
	select {
	case <-caller.turn:
		if caller.err != ErrAcquireTimeout {
			t.Error(caller.err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it waits for ever")
	}
}
